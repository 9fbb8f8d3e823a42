import { access, constants, lstat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Listing, Archive } from '../../store.ts'
import { COARSE_MS, mayComeAgain, TICK_MS } from '../../../common/file-times.ts'
import type { Warn } from '../../../common/warnings.ts'
import { ArchiverError, errnoOf } from '../../../errors.ts'
import { calls } from '../../../platform/fs-calls.ts'
import { readFile } from '../../../platform/read-file.ts'
import { diskRoom, type DiskRoom } from '../../../platform/disk-room.ts'
import { sha256Of } from '../checksum-file.ts'
import { storeError } from './errors.ts'
import { BLOB, CHECKSUM, MARKER, placeOf } from './layout.ts'
import { keptAsJson, keptFromJson } from './kept-shards.ts'
import { fingerprintObject, foldersOf, listObject, listSince } from './listing.ts'
import { createArchive, openShard, putBlob, readHeld } from './writer.ts'
import { checkedName, KeyTally, parseKey } from '../keys.ts'

export interface DirectoryArchiveOptions {
  /** Absolute path of the archive's root. */
  readonly root: string
  readonly folder: string
  readonly object: string
  /** Wall clock, epoch milliseconds: the time in the checksum files, and how old a change is. */
  readonly now: () => number
  /** Whether runs are known to have been archived here: then a missing archive is an unmounted disk and never an empty one. */
  readonly expectExisting?: boolean
  /** Hears which blobs are set aside. */
  readonly warn?: Warn | undefined
}

/**
 * The archive as plain files, `<root>/<folder>/<object>/<thousand>/<key>.txt` with a checksum file beside each
 * (docs/FORMATS.md): what `file:///path` names. Made by the first put, by nothing else.
 */
export class DirectoryArchive implements Archive {
  readonly #root: string
  readonly #object: string
  readonly #now: () => number
  readonly #warn: Warn
  /** Once true, an archive that is not there has gone away. */
  #expected: boolean
  #ready: Promise<void> | undefined
  #listed: { readonly key: string; readonly names: readonly string[] } | undefined
  readonly #shards = new Map<string, Promise<void>>()

  constructor(options: DirectoryArchiveOptions) {
    this.#root = options.root
    const folder = checkedName('the folder', options.folder)
    this.#object = join(options.root, folder, checkedName('the object', options.object))
    this.#now = options.now
    this.#warn = options.warn ?? (() => undefined)
    this.#expected = options.expectExisting ?? false
  }

  async list(): Promise<Listing> {
    return this.#guard('listing the archive', async () => {
      if (!(await this.#isThere(this.#object))) return new KeyTally().listing()
      return listObject(this.#object)
    })
  }

  async listSince(kept: unknown): Promise<{ readonly listing: Listing; readonly kept: unknown }> {
    return this.#guard('listing the archive', async () => {
      if (!(await this.#isThere(this.#object))) return { listing: new KeyTally().listing(), kept: undefined }
      const known = keptFromJson(this.#object, kept)
      const listed = await listSince(this.#object, known, this.#now)
      return { listing: listed.listing, kept: keptAsJson(this.#object, listed.kept) }
    })
  }

  async put(run: number, update: number, blob: Buffer, signal: AbortSignal): Promise<'stored' | 'present'> {
    signal.throwIfAborted()
    const place = placeOf(this.#object, run, update)
    return this.#guard(
      `storing ${place.blob}`,
      async () => {
        await this.#openForWriting(place.shard)
        return putBlob(place, blob, { storedAt: this.#now(), run, warn: this.#warn })
      },
      run,
    )
  }

  async get(run: number, update: number | 'newest', signal: AbortSignal): Promise<Buffer> {
    signal.throwIfAborted()
    return this.#guard(
      `reading run ${run}`,
      async () => {
        await this.#isThere(this.#object)
        const place = placeOf(this.#object, run, update === 'newest' ? await this.#newest(run) : update)
        const held = await readHeld(place)
        if (held.type === 'whole') return held.blob
        if (held.type === 'absent')
          throw new ArchiverError('NOT_FOUND', `the archive has no key ${place.key}`, { run })
        const detail = held.type === 'bare' ? 'has no checksum file' : held.detail
        const hint = hintFor(held.type, place.key, run)
        throw new ArchiverError('STORE_CORRUPT', `${place.blob} ${detail}`, { run, hint })
      },
      run,
    )
  }

  /** One stat for every thousand runs. Undefined where what has just changed could change again without another time. */
  async fingerprint(): Promise<string | undefined> {
    return this.#guard('looking at the archive', async () => {
      if (!(await this.#isThere(this.#object))) return 'absent'
      let { text, newest } = await fingerprintObject(this.#object)
      if (mayComeAgain(newest, this.#now())) return undefined
      if (this.#now() - Number(newest / 1_000_000n) < TICK_MS) {
        await sleep(TICK_MS) // what changes from here on has a later time
        ;({ text, newest } = await fingerprintObject(this.#object))
      }
      return mayComeAgain(newest, this.#now()) ? undefined : sha256Of(Buffer.from(text))
    })
  }

  async trail(): Promise<readonly string[]> {
    return this.#guard('looking at the archive', async () =>
      (await this.#isThere(this.#object)) ? foldersOf(this.#object) : [this.#object],
    )
  }

  room(): Promise<DiskRoom | undefined> {
    return diskRoom(this.#object)
  }

  /** Throws STORE_UNAVAILABLE when the disk is gone, full or read-only. */
  async probe(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await this.#guard('reaching the archive', async () => {
      const there = (await this.#isThere(this.#object)) ? this.#object : await nearest(this.#root)
      await access(there, constants.R_OK | constants.W_OK | constants.X_OK)
      const { bavail, blocks } = await statfs(there)
      if (bavail === 0 && blocks > 0)
        throw Object.assign(new Error(`no space left on ${there}`), { code: 'ENOSPC' })
    })
  }

  /** Whether a folder of the archive is there. Throws STORE_UNAVAILABLE where it must be and is not, or where the format is newer. */
  async #isThere(folder: string): Promise<boolean> {
    const marker = await readFile(join(this.#root, MARKER)).catch(absent)
    if (marker !== undefined) checkMarker(marker.toString('utf8'), join(this.#root, MARKER))
    const found = (await calls.lstat(Buffer.from(folder)).catch(absent))?.isDirectory() ?? false
    if (found) this.#expected = true
    else if (this.#expected)
      throw new ArchiverError(
        'STORE_UNAVAILABLE',
        `the archive ${folder} is not there, and runs were archived in it`,
        {
          hint: 'Is its disk mounted? Is ucon_db in the configuration right? Where the archive is to begin anew, move migrator_state.json away.',
        },
      )
    return found
  }

  /** Everything a put needs before it writes; each step is done once, however many puts wait for it. */
  async #openForWriting(shard: string): Promise<void> {
    this.#ready ??= this.#isThere(this.#object).then(() => createArchive(this.#root, this.#object))
    await this.#ready.catch((error: unknown) => {
      this.#ready = undefined // the next put tries again
      throw error
    })
    this.#expected = true
    await this.#isThere(this.#object) // the disk may have gone away since
    const opened = this.#shards.get(shard) ?? openShard(shard)
    this.#shards.set(shard, opened)
    await opened.catch((error: unknown) => {
      this.#shards.delete(shard)
      throw error
    })
  }

  /** By blobs and by checksum files: where one of the two is gone, the key is damaged, and none before it is the newest. */
  async #newest(run: number): Promise<number> {
    const names = await this.#namesIn(placeOf(this.#object, run, 0).shard)
    const updates = names?.filter((name) => name.startsWith(`${run}-`))
    const keys = (updates ?? []).flatMap((name) =>
      [BLOB, CHECKSUM]
        .filter((suffix) => name.endsWith(suffix))
        .map((suffix) => parseKey(name.slice(0, -suffix.length))),
    )
    return keys.reduce((newest, key) => (key?.run === run ? Math.max(newest, key.update) : newest), 0)
  }

  /** The names in a shard; those that were listed last while nothing has changed since, which its times show when they were old by then. */
  async #namesIn(shard: string): Promise<readonly string[] | undefined> {
    const found = await calls.statPath(shard).catch(absent)
    if (!found) return undefined
    const key = [shard, found.ino, found.mtimeNs, found.ctimeNs].join(' ')
    if (this.#listed?.key === key) return this.#listed.names
    const names = await calls.list(shard).catch(absent)
    const isOld = this.#now() - Number(found.mtimeNs / 1_000_000n) > COARSE_MS
    this.#listed = names && isOld ? { key, names } : undefined
    return names
  }

  async #guard<T>(doing: string, work: () => Promise<T>, run?: number): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw storeError(error, doing, run)
    }
  }
}

const checkMarker = (text: string, path: string): void => {
  if (/"format":\s*"run-record-archive"/.test(text) && /"version":\s*1\b/.test(text)) return
  throw new ArchiverError('STORE_UNAVAILABLE', `${path} names a format that this program does not know`, {
    hint: 'A newer run-archiver made this archive, or the file is damaged. Nothing was changed.',
  })
}

/** The folder itself, or the nearest above it that is there. */
async function nearest(path: string): Promise<string> {
  const found = await lstat(path).catch(absent)
  return found || dirname(path) === path ? path : nearest(dirname(path))
}

const absent = (error: unknown): undefined => {
  if (errnoOf(error) === 'ENOENT') return undefined
  throw error
}

/** What makes a blob that cannot be given out whole again. A pass stores only what is not listed, and a damaged blob is. */
const hintFor = (held: 'bare' | 'damaged' | 'unreadable', key: string, run: number): string => {
  const again = `run-archiver --migrate-only --runs ${run}`
  switch (held) {
    case 'unreadable':
      return 'Correct its rights, or move what stands there out of the archive; a pass stores the run again.'
    case 'bare':
      return `Run "${again}": it completes what is there.`
    case 'damaged':
      return `Move ${key}${BLOB} and ${key}${CHECKSUM} out of the archive; then "${again}" stores the run again.`
  }
}
