import type { ItemOutcome } from './process-item.ts'

/** An item that was handed out to be worked on. */
export interface Taken {
  readonly key: string
  /** A process died with it in hand: it is worked on alone, so that no other item is blamed if it happens again. */
  readonly suspect: boolean
  /** It has ended its process too often: it is failed and not tried again. */
  readonly poison: boolean
}

/** Where a run takes its items from: the source's keys in their order, or a backlog that several instances share. */
export interface ItemSource {
  /** The next item; undefined when there is none left. Called by one worker at a time. */
  next(): Promise<Taken | undefined>
  /** What became of an item is in the target's log. */
  finished(taken: Taken, outcome: ItemOutcome): void
  /** Gives an item back that nothing was done to, or whose end is unknown. */
  release(taken: Taken): Promise<void>
  /** Records what is not yet recorded, and gives back what nobody has started. */
  close(): Promise<void>
}

/** An item whose process died this often with nothing else in hand is not tried again. */
export const POISON_AFTER = 3
