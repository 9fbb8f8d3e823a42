import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ArchiverError } from '../../errors.ts'
import { makeFolder } from '../../platform/make-folder.ts'
import type { Identity } from '../../platform/host.ts'
import type { SqliteFile } from '../../sql/libsql-database.ts'
import { Flock } from '../../state/flock.ts'
import type { SharedClock } from './shared-clock.ts'

interface Options {
  readonly instance: string
  readonly identity: Identity
  readonly workers?: number | undefined
  readonly processors?: number | undefined
  readonly startTicksOf: (pid: number) => number | undefined
}

type Write = <Result>(work: () => Result) => Promise<Result>

/** Seconds. */
const LOCK_WAIT = 5

/** How many instances that ended are remembered for `queue status`. */
const REMEMBERED = 100

/**
 * Which instances live. Each holds the kernel's lock on a file of its own, from before it is registered until it ends: a lock that can be
 * taken belongs to a dead process. Its pid is looked up first, because that costs nothing; the lock decides.
 */
export class Liveness {
  readonly #file: SqliteFile
  readonly #folder: string
  readonly #options: Options
  readonly #clock: SharedClock
  #lock: Flock | undefined

  constructor(file: SqliteFile, folder: string, options: Options, clock: SharedClock) {
    this.#clock = clock
    this.#file = file
    this.#folder = folder
    this.#options = options
  }

  async register(write: Write): Promise<void> {
    const { instance, identity, workers = 0, processors = 0 } = this.#options
    const { now } = this.#clock
    await makeFolder(this.#folder, 0o750)
    // One that ends may look for a moment whether it is left over.
    this.#lock = await Flock.take(this.#pathOf(instance), LOCK_WAIT)
    if (!this.#lock)
      throw new ArchiverError('QUEUE_UNAVAILABLE', `${this.#pathOf(instance)} is locked by another process`)
    const dead = new Set(await this.dead())
    await write(() => {
      const running = this.#file.prepare(`SELECT id FROM instances WHERE status = 'running'`).all([]) as {
        id: string
      }[]
      this.#clock.keep(running.every(({ id }) => dead.has(id)))
      this.#file
        .prepare(
          `INSERT INTO instances (id, host, pid, start_ticks, boot_id, status, started_at, heartbeat_at, workers, processors)
           VALUES (?, ?, ?, ?, ?, 'running', ?, ?, ?, ?)`,
        )
        .run([
          instance,
          identity.host,
          identity.pid,
          identity.startTicks ?? null,
          identity.bootId,
          now(),
          now(),
          workers,
          processors,
        ])
      this.#file
        .prepare(
          `DELETE FROM instances WHERE status <> 'running' AND id NOT IN
             (SELECT id FROM instances ORDER BY started_at DESC LIMIT ${REMEMBERED})`,
        )
        .run([])
    })
  }

  /** Instances that are registered as running and whose process is gone. */
  async dead(): Promise<readonly string[]> {
    const { instance, identity, startTicksOf } = this.#options
    const rows = this.#file
      .prepare(`SELECT id, pid, start_ticks, boot_id FROM instances WHERE status = 'running' AND id <> ?`)
      .all([instance]) as { id: string; pid: number; start_ticks: number | null; boot_id: string }[]
    const gone: string[] = []
    for (const { id, pid, start_ticks: ticks, boot_id: boot } of rows) {
      const seemsAlive = boot === identity.bootId && ticks !== null && startTicksOf(pid) === ticks
      if (seemsAlive) continue
      const lock = await Flock.take(this.#pathOf(id), 0)
      if (!lock) continue // alive in a container of its own, where its pid cannot be seen
      gone.push(id)
      await lock.release()
    }
    return gone
  }

  /** Gives back what this instance holds, and signs off. */
  async end(write: Write): Promise<void> {
    const { instance } = this.#options
    const { now } = this.#clock
    await write(() => {
      this.#file
        .prepare(
          `UPDATE work SET status = 'pending', attempts = max(0, attempts - 1), claimed_by = NULL, claimed_at = NULL, lease_until = NULL
           WHERE claimed_by = ? AND status = 'claimed'`,
        )
        .run([instance])
      this.#file
        .prepare(`UPDATE instances SET status = 'stopped', ended_at = ? WHERE id = ? AND status = 'running'`)
        .run([now(), instance])
    })
    await this.#lock?.release()
    this.#lock = undefined
    await this.#sweep()
  }

  /** Lets go of the lock. An instance that has not signed off counts as dead from then on. */
  async abandon(): Promise<void> {
    await this.#lock?.release()
  }

  /**
   * Removes lock files of instances that nobody remembers as running. One that begins holds its lock before its row is there: only what can be
   * locked is left over.
   */
  async #sweep(): Promise<void> {
    const running = this.#file.prepare(`SELECT id FROM instances WHERE status = 'running'`).all([]) as {
      id: string
    }[]
    const names = new Set(running.map(({ id }) => `${id}.flock`))
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const lock = names.has(name)
        ? undefined
        : await Flock.take(join(this.#folder, name), 0).catch(() => undefined)
      if (!lock) continue
      await rm(join(this.#folder, name), { force: true })
      await lock.release()
    }
  }

  #pathOf(instance: string): string {
    return join(this.#folder, `${instance}.flock`)
  }
}
