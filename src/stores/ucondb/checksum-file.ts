import { createHash } from 'node:crypto'
import { adler32 } from '../../common/adler32.ts'

/** What stands beside a blob in the directory archive. */
export interface Checksum {
  /** Bytes. */
  readonly size: number
  /** Lower-case hexadecimal. */
  readonly sha256: string
  /** As UconDB tells it (`uadler32`), 0 to 2^32-1. */
  readonly adler32: number
  /** When the blob was stored, ISO 8601, UTC. */
  readonly stored: string
}

/** The checksum of a blob that is stored at a moment, epoch milliseconds. */
export const checksumOf = (blob: Uint8Array, storedAt: number): Checksum => ({
  size: blob.byteLength,
  sha256: sha256Of(blob),
  adler32: adler32(blob),
  stored: new Date(storedAt).toISOString(),
})

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** The file's text: `sha256sum --check` reads it, and takes the lines with `#` for remarks (docs/FORMATS.md). */
export const formatChecksum = (checksum: Checksum, fileName: string): string =>
  [
    `# size ${checksum.size}`,
    `# adler32 ${checksum.adler32}`,
    `# stored ${checksum.stored}`,
    `${checksum.sha256}  ${fileName}`,
    '',
  ].join('\n')

/** Reads such a file; undefined where a line is missing or cannot be read, as after a cut. */
export const parseChecksum = (text: string): Checksum | undefined => {
  const size = /^# size (\d{1,15})$/m.exec(text)?.[1]
  const adler = /^# adler32 (\d{1,10})$/m.exec(text)?.[1]
  const stored = /^# stored (\S+)$/m.exec(text)?.[1]
  const sha256 = /^([0-9a-f]{64}) [ *]\S+\n/m.exec(text)?.[1]
  if (size === undefined || adler === undefined || stored === undefined || sha256 === undefined)
    return undefined
  return { size: Number(size), sha256, adler32: Number(adler), stored }
}

/** Whether a blob is the one that a checksum was made of. */
export const fits = (blob: Uint8Array, checksum: Checksum): boolean =>
  blob.byteLength === checksum.size && sha256Of(blob) === checksum.sha256
