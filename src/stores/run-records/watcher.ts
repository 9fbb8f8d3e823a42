import { type FSWatcher as Watcher, watch as watchEntries } from 'chokidar'
import { type FSWatcher, watch as watchFolder } from 'node:fs'
import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, messageOf } from '../../errors.ts'

export interface RecordWatchOptions {
  /** The run record directory. */
  readonly directory: string
  /** `auto`: events of the kernel, except on network file systems, whose changes by others the kernel does not see. */
  readonly mode: 'auto' | 'native' | 'poll'
  readonly pollSeconds: number
  /** An entry came or went in the directory. */
  readonly onDirectory: () => void
  /** Something changed in a record that is followed: the name of its directory. */
  readonly onRecord: (name: string) => void
  readonly warn: (message: string) => void
}

/** Reports changes; misses some (network disks, lost events), so that whoever listens must also look from time to time. */
export interface RecordWatch {
  /** Whether it polls: by configuration, because of the file system, or because the kernel's limits were reached. */
  readonly polls: boolean
  /** From now on these records, and no others, are watched for changes inside. Names of directories. */
  follow(names: ReadonlySet<string>): void
  close(): Promise<void>
}

/**
 * Watches a run record directory: one watch on the directory itself, so that a million records cost no more than ten, and
 * chokidar on the few records that are still moving, of which the folder and `metadata.txt` show everything there is to
 * know. Where the kernel has no watches left, it warns with the setting to change, and polls.
 */
export const openRecordWatch = async (options: RecordWatchOptions): Promise<RecordWatch> => {
  const watch = new PollOrEvents(options)
  await watch.open(
    options.mode === 'poll' || (options.mode === 'auto' && (await isRemote(options.directory))),
  )
  return watch
}

class PollOrEvents implements RecordWatch {
  polls = false
  readonly #options: RecordWatchOptions
  /** One for each record: chokidar never forgets a path that it was asked to leave. */
  readonly #records = new Map<string, Watcher>()
  #followed: ReadonlySet<string> = new Set()
  #directory: FSWatcher | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: RecordWatchOptions) {
    this.#options = options
  }

  async open(polls: boolean): Promise<void> {
    this.polls = polls
    // Before the watch: a directory that takes this one's place in between is another at the next look.
    const before = await this.#look()
    if (this.#closed) return
    if (!this.polls) this.#watchDirectory()
    this.#pollDirectory(before)
  }

  follow(names: ReadonlySet<string>): void {
    if (this.#closed) return
    this.#followed = names
    for (const [name, watcher] of this.#records)
      if (!names.has(name)) {
        this.#records.delete(name)
        void watcher.close()
      }
    for (const name of names) if (!this.#records.has(name)) this.#records.set(name, this.#openRecord(name))
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#shut()
  }

  #openRecord(name: string): Watcher {
    const { directory, pollSeconds, onRecord } = this.#options
    const record = join(directory, name)
    const watched = [record, join(record, 'metadata.txt')]
    return watchEntries(record, {
      depth: 0,
      ignored: (path) => !watched.includes(path),
      ignoreInitial: true,
      followSymlinks: false,
      ignorePermissionErrors: true,
      usePolling: this.polls,
      interval: pollSeconds * 1000,
    })
      .on('raw', () => this.#closed || onRecord(name)) // also for files that are not watched themselves
      .on('error', (error) => this.#failed(error))
  }

  #watchDirectory(): void {
    this.#directory?.close()
    try {
      this.#directory = watchFolder(this.#options.directory, (event, name) => {
        if (event === 'rename' && name !== null) this.#renewRecord(name)
        this.#options.onDirectory()
      })
      this.#directory.on('error', (error) => this.#failed(error))
    } catch (error) {
      this.#failed(error)
    }
  }

  /** The record's folder came, went or was replaced: a watch stays with the folder that it was opened on, not with the name. */
  #renewRecord(name: string): void {
    const watcher = this.#records.get(name)
    if (!watcher) return
    void watcher.close()
    this.#records.set(name, this.#openRecord(name))
  }

  /**
   * One stat. Without events, any change of the directory counts: its time changes with its entries. With events, only that another directory
   * has taken its place (a restore, a mount, a link that was switched): the events are still those of the old one. A number alone does not show it:
   * a directory that is made right after another was removed often gets the same.
   */
  async #look(): Promise<string | undefined> {
    try {
      const { mtimeMs, ino, dev, birthtimeMs } = await stat(this.#options.directory)
      return this.polls ? `${dev} ${ino} ${mtimeMs}` : `${dev} ${ino} ${birthtimeMs}`
    } catch {
      return undefined // away: what comes back is another, or the same with other entries
    }
  }

  #pollDirectory(first: string | undefined): void {
    const { pollSeconds, onDirectory } = this.#options
    const pause = (this.polls ? pollSeconds : Math.min(pollSeconds, IDENTITY_SECONDS)) * 1000
    let before = first
    const again = async (): Promise<void> => {
      const after = await this.#look()
      if (this.#closed || timer !== this.#timer) return
      if (after !== before) {
        if (!this.polls && after !== undefined) this.#renew()
        onDirectory()
      }
      before = after
      if (timer === this.#timer) this.#timer = timer = setTimeout(() => void again(), pause)
    }
    clearTimeout(this.#timer)
    let timer = setTimeout(() => void again(), pause)
    this.#timer = timer
  }

  /** Watches what is there now. */
  #renew(): void {
    this.#watchDirectory()
    for (const name of [...this.#records.keys()]) this.#renewRecord(name)
  }

  #failed(error: unknown): void {
    if (this.#closed || this.polls) return
    this.polls = true
    this.#options.warn(`${adviceFor(error)}; polling every ${this.#options.pollSeconds} s instead`)
    void this.#reopen()
  }

  async #reopen(): Promise<void> {
    await this.#shut()
    if (this.#closed) return
    await this.open(true)
    this.follow(this.#followed) // what was asked for meanwhile included
    this.#options.onDirectory() // what happened meanwhile was not seen
  }

  async #shut(): Promise<void> {
    clearTimeout(this.#timer)
    this.#directory?.close()
    const records = [...this.#records.values()]
    this.#records.clear()
    await Promise.all(records.map((watcher) => watcher.close()))
  }
}

/** How often it is looked whether the directory is still the one that is watched. */
const IDENTITY_SECONDS = 2

/** What a person can do about a watch that failed. */
const adviceFor = (error: unknown): string => {
  const errno = errnoOf(error)
  if (errno === 'ENOSPC')
    return "the kernel's limit of file watches is reached (sysctl fs.inotify.max_user_watches=524288 raises it)"
  if (errno === 'EMFILE')
    return "the kernel's limit of file watchers is reached (sysctl fs.inotify.max_user_instances=1024 raises it)"
  return `the run record directory cannot be watched: ${messageOf(error)}`
}

/** statfs(2) types of file systems on which other machines write: NFS, SMB, CIFS, SMB2, FUSE, AFS, Lustre, GPFS, 9p, Ceph, BeeGFS. */
const REMOTE = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546, 0x5346414f, 0x0bd00bd0, 0x47504653, 0x01021997,
  0x00c36400, 0x19830326,
])

const isRemote = async (directory: string): Promise<boolean> => {
  const { type } = await statfs(directory).catch(() => ({ type: 0 }))
  return REMOTE.has(type >>> 0)
}
