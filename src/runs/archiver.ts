import type { Warnings } from '../common/warnings.ts'
import type { MemoryBudget } from '../common/memory-budget.ts'
import type { Redact } from '../common/redact.ts'
import type { Share } from '../common/share.ts'
import type { Config } from '../config/load-config.ts'
import type { StageName } from '../common/stage-name.ts'
import type { InHand } from '../state/in-flight-runs.ts'
import type { WatchList } from '../state/recheck-list.ts'
import type { Remembered, StageMemory, StageMemoryOptions } from '../state/stage-state.ts'
import type { RunRecords } from '../stores/run-records/source.ts'
import type { StoredRun } from '../stores/run-record.ts'
import type { Archive, DocumentStore } from '../stores/store.ts'
import type { ImportSource } from './import-stage.ts'
import type { ListingCache } from './listing-cache.ts'
import type { Threads } from './workers/worker-pool.ts'

/** The parts of an archiver, opened from its configuration. Nothing is created, connected or locked by opening. */
export interface Archiver {
  readonly config: Config
  /** Masks the secrets of the configuration in any text. */
  readonly redact: Redact
  /** Where the stores report what they set aside or mended by themselves. */
  readonly warnings: Warnings
  readonly records: RunRecords
  readonly artdaq: DocumentStore
  readonly archive: Archive
  readonly cache: ListingCache
  readonly watch: WatchList
  readonly inHand: InHand
  /** Paths of the files in work_dir that are replaced whole. */
  readonly writes: readonly string[]
  /** A stage's state and failure log, for whoever holds the lock. */
  memory(stage: StageName, holder: Pick<StageMemoryOptions, 'assertHeld' | 'warn' | 'corrupt'>): StageMemory
  /** The same for whoever only reads. */
  peek(stage: StageName): Promise<Remembered>
  /** A run's record, read whole, as documents. Throws as `RunRecords.read` does. */
  readonly load: ImportSource['load']
  /** The same, written as documents of a run that artdaqDB knows nothing of. */
  readonly write: ImportSource['write']
  /** Waits until there is memory for a run's record (`app.memory_mb`). */
  readonly admit: NonNullable<ImportSource['admit']>
  /** Memory that runs in hand may take together. */
  readonly budget: MemoryBudget
  /** Where work on runs is done. */
  readonly threads: Threads
  readonly pack: (stored: StoredRun) => Buffer
}

/** What a pass may change of the configuration, from the command line. */
export interface Overrides {
  /** Its files stand beside those of a single archiver. */
  readonly share?: Share | undefined
  readonly overrideConflict?: number | undefined
}
