import type { Archiver } from '../archiver.ts'
import { compareRun, type StagedComparison } from './compare-run.ts'

/** A run's documents, what is kept in them, its record and its blob, by the bytes of the documents. */
const FOLD = 2.5

/**
 * Compares runs, several at once, on threads where all copies are files of this host; gives each comparison in the order of the runs. Together they
 * take no more memory than `app.memory_mb`, or one run is in hand alone. Throws as `compareRun` does. What is in hand when the caller leaves is
 * finished and forgotten.
 */
export async function* compareRuns(
  archiver: Archiver,
  runs: Iterable<number>,
  signal: AbortSignal,
): AsyncGenerator<StagedComparison> {
  const { atOnce } = archiver.threads
  const left = runs[Symbol.iterator]()
  const inHand: Promise<StagedComparison>[] = []
  const begin = (): void => {
    const next = left.next()
    if (next.done || signal.aborted) return
    const comparison = compareOne(archiver, next.value, signal)
    comparison.catch(() => undefined) // it is thrown when its turn comes
    inHand.push(comparison)
  }
  for (let n = 0; n < atOnce; n++) begin()
  for (let first = inHand.shift(); first && !signal.aborted; first = inHand.shift()) {
    begin()
    yield await first
  }
}

/**
 * Compares runs one after the other, on the thread that asks: for a few runs from several databases. Indexes of one older database are held at a
 * time. Two runs in hand at once, from two databases, would have them read again and again.
 */
export async function* compareOneByOne(
  archiver: Archiver,
  runs: Iterable<number>,
  signal: AbortSignal,
): AsyncGenerator<StagedComparison> {
  for (const run of runs) {
    if (signal.aborted) return
    yield await compareRun(archiver, run, signal)
  }
}

const compareOne = async (
  archiver: Archiver,
  run: number,
  signal: AbortSignal,
): Promise<StagedComparison> => {
  const { threads, budget } = archiver
  if (threads.atOnce === 1) return await compareRun(archiver, run, signal)
  const share = Math.floor(budget.bytes / threads.atOnce)
  const release = await budget.take(share, signal)
  try {
    const most = share / FOLD
    const compared = await (threads.compare(run, most) ?? compareSmall(archiver, run, most, signal))
    if (compared !== 'large') return compared
  } finally {
    release()
  }
  const releaseAll = await budget.take(budget.bytes, signal)
  try {
    return await compareRun(archiver, run, signal)
  } finally {
    releaseAll()
  }
}

const compareSmall = async (
  archiver: Archiver,
  run: number,
  most: number,
  signal: AbortSignal,
): Promise<StagedComparison | 'large'> =>
  ((await archiver.artdaq.bytesOf?.(run)) ?? 0) > most ? 'large' : await compareRun(archiver, run, signal)
