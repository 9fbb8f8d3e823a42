import type { WalkedEntry } from './walk.ts'

/** How large a record is, as far as it decides how much memory its import takes. */
export interface RecordSize {
  /** Bytes of all files. */
  readonly bytes: number
  /** Those of FHiCL files: `.fcl` anywhere. */
  readonly parsed: number
  /** Those of texts that are turned into FHiCL, or may be FHiCL: `.txt` at the top. */
  readonly texts?: number
}

/** The size of a record by the status of its entries. */
export const sizeOf = (entries: readonly WalkedEntry[]): RecordSize => {
  let [bytes, parsed, texts] = [0, 0, 0]
  for (const { name, kind, stats } of entries) {
    if (kind !== 'file') continue
    const size = Number(stats.size)
    bytes += size
    if (name.endsWith('.fcl')) parsed += size
    else if (name.endsWith('.txt') && !name.includes('/')) texts += size
  }
  return { bytes, parsed, texts }
}

/**
 * A FHiCL text, its tree, what is printed of it and its JSON are alive at the same time. Measured with `VmHWM` around the conversion of one
 * text of 8 MB, Node 20.20.2: rows of small numbers take 71 times their size (50 in the smallest heap in which it ends), small nested tables 58,
 * parameters of five characters 21, long strings with comments 8.
 */
const PARSED = 60
/** Lines of `key: value`, as DAQInterface writes them, are long strings or no FHiCL at all. */
const TEXTS = 25
/** One piece of a file on its way into a document, encoded and printed. */
const PIECE = 32_000_000
const SMALL = 1_000_000

/** Memory that the import of a record takes, in bytes; a generous estimate. */
export const importWeight = ({ bytes, parsed, texts = 0 }: RecordSize): number => {
  const whole = bytes - parsed - texts
  return whole + Math.min(whole, PIECE) + PARSED * parsed + TEXTS * texts + SMALL
}

/** Whether a record is so small that its size need not be remembered: then `SMALL_RECORD` is taken for it. */
export const isSmall = (size: RecordSize): boolean => importWeight(size) <= LIGHT
const LIGHT = 8_000_000

/** What stands for a record whose size was not remembered. */
export const SMALL_WEIGHT = LIGHT

/**
 * Room that a record takes in artdaqDB, in bytes; a generous estimate. Measured: 40 files of FHiCL and text, 160 kB, take 7.6 times their size as
 * documents with their originals; a file that is kept as it is, 1.4 times.
 */
export const sizeInArtdaqDb = ({ bytes, parsed, texts = 0 }: RecordSize): number =>
  8 * (parsed + texts) + 1.4 * (bytes - parsed - texts)
