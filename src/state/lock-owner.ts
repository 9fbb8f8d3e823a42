import { constants, open, unlink } from 'node:fs/promises'
import { readText } from '../platform/read-file.ts'

/** In `app.work_dir`. Information for people, never a reason for a decision. */
export const OWNER_FILE = '.archiver.owner.json'

/** Who holds the lock. */
export interface Owner {
  readonly pid: number
  readonly host: string
  readonly user: string
  readonly bootId: string
  /** ISO 8601, UTC. */
  readonly started: string
  readonly mode: string
}

/** Written in place and without a sync: whoever reads half of it says that the holder is not known. */
export async function writeOwner(path: string, owner: Owner): Promise<void> {
  const { pid, host, user, bootId, started, mode } = owner
  const text = `${JSON.stringify({ pid, host, user, boot_id: bootId, started, mode }, null, 2)}\n`
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW
  const file = await open(path, flags, 0o644)
  try {
    await file.writeFile(text)
  } finally {
    await file.close()
  }
}

/** Undefined where there is none, or none that can be read. */
export async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    const fields = JSON.parse(await readText(path)) as Record<string, unknown>
    const text = (key: string): string => (typeof fields[key] === 'string' ? fields[key] : 'unknown')
    return {
      pid: Number(fields['pid']),
      host: text('host'),
      user: text('user'),
      bootId: text('boot_id'),
      started: text('started'),
      mode: text('mode'),
    }
  } catch {
    return undefined
  }
}

export const removeOwner = (path: string): Promise<void> => unlink(path).catch(() => undefined)

/** `pid 4711 on mu2edaq13 since 2026-11-21T22:56:00.000Z (incremental)`. */
export const describeOwner = (owner: Owner | undefined): string =>
  owner
    ? `pid ${owner.pid} on ${owner.host} since ${owner.started} (${owner.mode})`
    : 'it has not said who it is'
