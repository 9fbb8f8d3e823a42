import { link, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errnoOf } from '../errors.ts'
import { copyDurably } from '../platform/atomic-file.ts'

/** `20261121T225600Z`: sorts as text, and is safe in a file's name. `now` in epoch milliseconds. */
export const stamp = (now: number): string =>
  `${new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`

/**
 * Gives a file that is about to be replaced a second name, `<name>.<label>-<UTC time>`, so that what it held stays. Nothing
 * is overwritten, and a copy that a killed attempt made of the same bytes is used again. Returns the copy's path; undefined
 * where there is no file. Durable with the next sync of the directory.
 */
export async function keepCopy(
  path: string,
  label: 'bak' | 'corrupt',
  now: number,
): Promise<string | undefined> {
  const earlier = await earlierCopy(path)
  if (earlier !== undefined) return earlier
  for (let attempt = 1; ; attempt++) {
    const copy = `${path}.${label}-${stamp(now)}${attempt === 1 ? '' : `-${attempt}`}`
    try {
      await nameTwice(path, copy)
      return copy
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      if (errnoOf(error) !== 'EEXIST') throw error
    }
  }
}

async function nameTwice(path: string, copy: string): Promise<void> {
  try {
    await link(path, copy)
  } catch (error) {
    // Disks without hard links: the bytes are copied, which is as good where nobody else writes.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errnoOf(error) ?? '')) throw error
    await copyDurably(path, copy)
  }
}

/** A copy that is still the very same file, because what it was kept for has not happened yet. */
async function earlierCopy(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (!found || found.nlink < 2) return undefined
  for (const name of await readdir(dirname(path))) {
    if (!['bak', 'corrupt'].some((label) => name.startsWith(`${basename(path)}.${label}-`))) continue
    const copy = join(dirname(path), name)
    const other = await stat(copy).catch(() => undefined)
    if (other?.ino === found.ino && other.dev === found.dev) return copy
  }
  return undefined
}
