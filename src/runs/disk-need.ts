import type { Archiver } from './archiver.ts'
import type { RunSet } from '../common/run-set.ts'
import type { StageName } from '../common/stage-name.ts'
import { sizeInArtdaqDb, type RecordSize } from '../stores/run-records/record-size.ts'

/** So many runs are looked at for an estimate. */
const SAMPLE = 20

/** A blob holds the record's files with a line for each, and its checksum file. */
const BLOB = 1.1

/**
 * Whether the disk that a stage writes to has room for the runs of a pass: a sentence where it has not, else undefined. The need is an estimate
 * from a few of the runs, on the safe side. Undefined as well where the destination has no disk of its own here, or nothing is known of the
 * runs. Never throws: what is wrong with a store is for the pass to find.
 */
export const diskTooSmall = async (
  archiver: Archiver,
  stage: StageName,
  runs: RunSet,
): Promise<string | undefined> => {
  if (runs.isEmpty) return undefined
  try {
    const room = await (stage === 'import' ? archiver.artdaq : archiver.archive).room?.()
    if (!room) return undefined
    const sample = spread(runs, SAMPLE)
    const sizes = stage === 'import' ? await recordSizes(archiver, sample) : await blobSizes(archiver, sample)
    return shortage(room, runs.size, sizes)
  } catch {
    return undefined
  }
}

/** The sentence, from the bytes that each run of a sample needs. Pure. */
export const shortage = (
  { folder, free }: { readonly folder: string; readonly free: number },
  runs: number,
  sizes: readonly number[],
): string | undefined => {
  if (sizes.length === 0) return undefined
  const need = (sizes.reduce((sum, size) => sum + size, 0) / sizes.length) * runs
  if (need <= free) return undefined
  const counted = runs === 1 ? 'the run of this pass needs' : `the ${runs} runs of this pass need`
  return `the disk of ${folder} has ${amount(free)} left, and ${counted} about ${amount(need)}: it may be full before the end`
}

const amount = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.ceil(bytes / 1e6)} MB`

/** At most so many of the runs, evenly spread. */
const spread = (runs: RunSet, most: number): readonly number[] => {
  const all = [...runs]
  const step = Math.max(1, Math.ceil(all.length / most))
  return all.filter((_, index) => index % step === 0)
}

const recordSizes = async ({ records }: Archiver, sample: readonly number[]): Promise<number[]> => {
  const sizes: RecordSize[] = []
  for (const run of sample) {
    const size = await records.sizeOf(run)
    if (size) sizes.push(size)
  }
  return sizes.map(sizeInArtdaqDb)
}

const blobSizes = async ({ artdaq }: Archiver, sample: readonly number[]): Promise<number[]> => {
  const sizes: number[] = []
  for (const run of sample) {
    const manifest = await artdaq.manifest(run).catch(() => undefined)
    if (manifest) sizes.push(manifest.files.reduce((sum, { size }) => sum + size, 0) * BLOB)
  }
  return sizes
}
