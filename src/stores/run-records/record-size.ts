import type { WalkedEntry } from './walk.ts'

/** How large a record is, as far as it decides how much memory its import takes. */
export interface RecordSize {
  /** Bytes of all files. */
  readonly bytes: number
  /** Those of files that may be read as FHiCL or turned into it: `.fcl` anywhere, `.txt` at the top. */
  readonly parsed: number
}

/** The size of a record by the status of its entries. */
export const sizeOf = (entries: readonly WalkedEntry[]): RecordSize => {
  let [bytes, parsed] = [0, 0]
  for (const { name, kind, stats } of entries) {
    if (kind !== 'file') continue
    const size = Number(stats.size)
    bytes += size
    if (name.endsWith('.fcl') || (name.endsWith('.txt') && !name.includes('/'))) parsed += size
  }
  return { bytes, parsed }
}

/** Measured: a FHiCL text, its tree, what is printed of it and its JSON are alive at the same time. */
const PARSED = 25
/** One piece of a file on its way into a document, encoded and printed. */
const PIECE = 32_000_000
const SMALL = 1_000_000

/** Memory that the import of a record takes, in bytes; a generous estimate. */
export const importWeight = ({ bytes, parsed }: RecordSize): number => {
  const whole = bytes - parsed
  return whole + Math.min(whole, PIECE) + PARSED * parsed + SMALL
}

/** Whether a record is so small that its size need not be remembered: then `SMALL_RECORD` is taken for it. */
export const isSmall = ({ bytes, parsed }: RecordSize): boolean => importWeight({ bytes, parsed }) <= LIGHT
const LIGHT = 4_000_000

/** What stands for a record whose size was not remembered. */
export const SMALL_WEIGHT = LIGHT
