import { adler32 } from '../../../common/adler32.ts'

// Long enough for every name in use, short enough for a file name with a run number and a version round it.
const LONGEST = 128

/**
 * A configuration's name in characters that neither a shell nor a file system reads anything into. Blanks and
 * `/` become `_`, as DAQInterface itself writes names of several sub-configurations, and so does all else but
 * letters, digits, `_`, `.`, `+` and `-`, the latter three where they stand first, and a dot before a dot: artdaqDB takes
 * no such names. A name that is there in such characters stays as it is; none gives `standard`.
 * The text as the record has it stays in the `metadata` document.
 */
export const safeConfigName = (name: string | undefined): string =>
  name === undefined || name === '' ? 'standard' : safe(name)

/** A document's name (entity), in the same characters. A name without any gives `_`. */
export const safeEntity = (name: string): string => safe(name) || '_'

/** Whether a text may be an entity as it is. */
export const isSafeEntity = (name: string): boolean => name !== '' && safe(name) === name

const safe = (name: string): string => {
  const plain = name.replace(/[^A-Za-z0-9_.+-]/gu, '_')
  // `.`, `..` and hidden files are the file system's, a leading `-` or `+` is an option's.
  const harmless = plain.replace(/^[.+-]/, '_').replace(/\.(?=\.)/g, '_')
  return harmless.length <= LONGEST
    ? harmless
    : `${harmless.slice(0, LONGEST - 9)}_${adler32(Buffer.from(name)).toString(16).padStart(8, '0')}`
}
