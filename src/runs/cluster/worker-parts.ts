import type { StageName } from '../../common/stage-name.ts'
import type { Backlog } from '../../engine/backlog.ts'
import type { ClaimStore } from '../../engine/claim-store.ts'
import type { Archiver } from '../archiver.ts'
import type { PassConditions } from '../pass.ts'
import type { ScrubConditions } from '../scrub/scrub-share.ts'

/** What a worker works with. */
export interface WorkerParts {
  readonly archiver: Archiver
  readonly store: ClaimStore
  readonly stages: readonly StageName[]
  readonly conditions: PassConditions & ScrubConditions
  /** The backlog of a stage, on the store; what is done enters `nextStage`. */
  readonly backlogOf: (stage: StageName, nextStage: StageName | undefined) => Backlog<number>
  /** Ends when there is nothing left to do, instead of waiting for more. */
  readonly untilEmpty: boolean
  /** Milliseconds. */
  readonly scanEvery: number
  readonly pollEvery: number
  readonly reapEvery: number
  /** After this time a worker leaves a stage that has more to do, to scan and to look at the other stage. */
  readonly roundFor: number
  /** Milliseconds that never jump. */
  readonly monotonic: () => number
  readonly random: () => number
}
