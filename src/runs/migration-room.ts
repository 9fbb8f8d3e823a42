import type { MemoryBudget, Release } from '../common/memory-budget.ts'
import type { Stage } from '../engine/stage.ts'
import type { DocumentStore } from '../stores/store.ts'

/** A stage that waits for memory before each item, and gives it back after it, whatever became of the item. */
export const admitted = (
  stage: Stage<number>,
  admit: (run: number, signal: AbortSignal) => Promise<Release>,
): Stage<number> => ({
  ...stage,
  process: async (run, signal) => {
    const release = await admit(run, signal)
    try {
      return await stage.process(run, signal)
    } finally {
      release()
    }
  },
})

/** A document's files and the blob that is made of them: never more than two of it at a time. */
const FOLD = 2
const SMALL = 4_000_000

/** Waits until there is memory for a run's documents and its blob. One that takes more than all of it is admitted alone. */
export const admitMigration = async (
  artdaq: DocumentStore,
  run: number,
  budget: MemoryBudget,
  signal: AbortSignal,
): Promise<Release> => {
  const size = (await artdaq.sizeOf?.(run)) ?? 0
  return budget.take(Math.max(SMALL, Math.ceil(FOLD * size)), signal)
}
