import { createHash } from 'node:crypto'
import type { Walk } from './walk.ts'

/**
 * A short text that changes when a record does, from its entries' names, kinds, sizes, modes and modification times, and, behind a hyphen
 * that older signatures end before, the directory's own mode. Inode numbers and status times are left out: copying a record back from a
 * backup, or backing it up, does not change it.
 */
export const signatureOf = ({ root, entries }: Walk): string => {
  const hash = createHash('sha256')
  for (const { name, kind, stats } of entries) {
    const size = kind === 'folder' ? 0n : stats.size
    const time = kind === 'folder' ? 0n : stats.mtimeNs
    hash.update(`${name}\0${kind}\0${size}\0${stats.mode & 0o7777n}\0${time}\n`)
  }
  return `${hash.digest('hex').slice(0, 32)}-${(root.mode & 0o7777n).toString(8).padStart(4, '0')}`
}
