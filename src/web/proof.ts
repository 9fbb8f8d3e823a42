import { RunSet } from '../common/run-set.ts'
import { count, plural } from './text.ts'

/** What the scrub knows of the archived runs. */
export interface Proof {
  readonly held: RunSet
  /** Of these, compared at any time, and good. */
  readonly compared: RunSet
  /** The longest ago that one of them was compared, epoch milliseconds. */
  readonly oldest: number | undefined
  /** With what was found. */
  readonly damaged: ReadonlyMap<number, string>
}

/** What the scrub knows of one run. */
export interface Compared {
  /** When its copies were last compared, epoch milliseconds; undefined: not yet. */
  readonly comparedAt: number | undefined
  /** What was found, where a copy is damaged. */
  readonly damage: string | undefined
  /** Why neither is known. */
  readonly unknown?: string | undefined
}

const DAY = 86_400_000

/** How far the round of comparisons is: one sentence. */
export const proofSentence = ({ held, compared, oldest, damaged }: Proof, now: number): string => {
  const days = oldest === undefined ? undefined : Math.floor(Math.max(0, now - oldest) / DAY) + 1
  const within = days === undefined ? '' : ` within ${plural(days, 'day')}`
  // A damaged run may be held no more.
  const never = held.minus(compared).minus(RunSet.of(damaged.keys())).size
  const bad = damaged.size === 0 ? '' : `; DAMAGED: ${[...damaged.keys()].slice(0, 5).join(', ')}${damaged.size > 5 ? ' ...' : ''}` // prettier-ignore
  return never + damaged.size === 0
    ? `Every archived run was compared${within}.`
    : `${count(compared.size)} of ${plural(held.size, 'archived run')} were compared${within}; ${count(never)} not yet${bad}.`
}
