import { createHash } from 'node:crypto'
import { adler32 } from '../../common/adler32.ts'

/** What stands beside a blob in the directory archive. */
export interface Checksum {
  /** Bytes. */
  readonly size: number
  /** Lower-case hexadecimal. */
  readonly sha256: string
  /** The name of the blob that it was made of. */
  readonly fileName: string
  /** As UconDB gives it (`uadler32`), 0 to 2^32-1. */
  readonly adler32: number
  /** When the blob was stored, ISO 8601, UTC. */
  readonly stored: string
}

/** The checksum of a blob that is stored at a moment, epoch milliseconds. */
export const checksumOf = (blob: Uint8Array, fileName: string, storedAt: number): Checksum => ({
  size: blob.byteLength,
  fileName,
  sha256: sha256Of(blob),
  adler32: adler32(blob),
  stored: new Date(storedAt).toISOString(),
})

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** The file's text: `sha256sum --check` reads it, and takes the lines with `#` for remarks (docs/FORMATS.md). */
export const formatChecksum = (checksum: Checksum): string =>
  [
    `# size ${checksum.size}`,
    `# adler32 ${checksum.adler32}`,
    `# stored ${checksum.stored}`,
    `${checksum.sha256}  ${checksum.fileName}`,
    '',
  ].join('\n')

/** Reads such a file; undefined where a line is missing or cannot be read, as after a cut. */
export const parseChecksum = (text: string): Checksum | undefined => {
  const size = /^# size (\d{1,15})$/m.exec(text)?.[1]
  const adler = /^# adler32 (\d{1,10})$/m.exec(text)?.[1]
  const stored = /^# stored (\S+)$/m.exec(text)?.[1]
  const [, sha256, fileName] = /^([0-9a-f]{64}) [ *](\S+)\n/m.exec(text) ?? []
  if (size === undefined || adler === undefined || stored === undefined) return undefined
  if (sha256 === undefined || fileName === undefined || Number.isNaN(Date.parse(stored))) return undefined
  return { size: Number(size), sha256, fileName, adler32: Number(adler), stored }
}

/** Whether a blob is the one that a checksum was made of. */
export const fits = (blob: Uint8Array, checksum: Checksum): boolean =>
  blob.byteLength === checksum.size &&
  sha256Of(blob) === checksum.sha256 &&
  adler32(blob) === checksum.adler32
