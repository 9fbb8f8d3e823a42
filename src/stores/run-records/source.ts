import type { BigIntStats } from 'node:fs'
import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ReadOptions, SourceListing, RecordSource } from '../store.ts'
import { judgeReadiness, type ReadinessRules } from './readiness.ts'
import { isUntyped, kindAt, kindOf } from './entry-kind.ts'
import { RecordNames, runOfName } from './record-names.ts'
import type { Readiness, RunRecord } from '../run-record.ts'
import { mayComeAgain } from '../../common/file-times.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import { type Look, lookAt } from './inspect-record.ts'
import { readRecord } from './read-record.ts'
import { isSmall, type RecordSize } from './record-size.ts'
import { signatureOf } from './signature.ts'
import { recordTrouble } from './record-errors.ts'
import { walk, type WalkLimits } from './walk.ts'

export interface RunRecordsOptions extends ReadinessRules {
  /** Holds one directory a run. */
  readonly directory: string
  readonly maxRecordBytes: number
  /** Files, folders and all else in one record. */
  readonly maxRecordFiles: number
  /** Epoch milliseconds. */
  readonly now: () => number
  /** `lookAt`, on this thread (the default) or on another. */
  readonly look?: (path: string, limits: WalkLimits) => Promise<Look>
}

const ATTEMPTS = 4
const PAUSE_MS = 50

/**
 * The run record directory. Nothing is ever written into it, links are not followed, and whatever is no regular file is named
 * and not read. Safe to use from several passes at once.
 */
export class RunRecords implements RecordSource {
  readonly #options: RunRecordsOptions
  #listed: { readonly names: RecordNames; readonly fingerprint: string | undefined } | undefined
  #hadRuns = false
  /** Of records that are not small, as they were looked at last. */
  readonly #large = new Map<number, RecordSize>()

  constructor(options: RunRecordsOptions) {
    this.#options = options
  }

  /** All entries, by one pass over the directory. Throws SOURCE_UNAVAILABLE, also when it is empty and was not before. */
  async list(): Promise<SourceListing> {
    const { directory } = this.#options
    const fingerprint = await this.fingerprint()
    const names = new RecordNames()
    try {
      // One character for each byte of a name, so that every name comes through.
      const entries = await opendir(directory, { encoding: 'latin1' as BufferEncoding, bufferSize: 1024 })
      for await (const entry of entries) {
        const isUnknown = isUntyped(entry) && runOfName(entry.name) !== undefined
        names.add(entry.name, isUnknown ? await kindAt(join(directory, entry.name)) : kindOf(entry))
      }
    } catch (error) {
      throw this.#unavailable(error)
    }
    const listing = names.listing()
    if (isEmpty(listing) && this.#hadRuns)
      throw new ArchiverError('SOURCE_UNAVAILABLE', `${directory} is empty, and it was not before`, {
        hint: 'Is the disk of source_files.run_records_dir mounted?',
      })
    this.#hadRuns = !isEmpty(listing)
    this.#listed = { names, fingerprint }
    return listing
  }

  adopt(listing: SourceListing, fingerprint: string): void {
    if (!listing.widths) return // kept by a release that did not keep names
    this.#hadRuns ||= !isEmpty(listing)
    this.#listed = { names: RecordNames.of(listing.widths), fingerprint }
  }

  /**
   * Whether a record may be archived now (docs/ARCHITECTURE.md, "Readiness of a run record"). A record that cannot be read, or that is
   * too large, is ready: reading it then fails by name. Throws SOURCE_UNAVAILABLE only.
   */
  async readiness(run: number): Promise<Readiness> {
    try {
      const { look = lookHere, now } = this.#options
      const { evidence, signature, size } = await this.#with(run, (path) => look(path, this.#limits))
      if (isSmall(size)) this.#large.delete(run)
      else this.#large.set(run, size)
      const verdict = judgeReadiness(evidence, this.#options, now())
      return verdict.ready ? { ...verdict, signature } : verdict
    } catch (error) {
      if (!(error instanceof ArchiverError) || error.code === 'SOURCE_UNAVAILABLE') throw error
      if (error.code === 'NOT_FOUND') return { ready: false, reason: 'gone', detail: error.message }
      if (error.code === 'RECORD_CHANGING') return { ready: false, reason: 'settling', detail: error.message }
      return { ready: true, ended: false, signature: `unreadable: ${error.message}` }
    }
  }

  /** The size of a record as it is now; undefined where it is not known, for whatever reason. */
  async sizeOf(run: number): Promise<RecordSize | undefined> {
    const { look = lookHere } = this.#options
    try {
      return (await this.#with(run, (path) => look(path, this.#limits))).size
    } catch {
      return undefined
    }
  }

  /** The size of a record that `readiness` has looked at; undefined for a small one. */
  largeSize(run: number): RecordSize | undefined {
    return this.#large.get(run)
  }

  /**
   * Reads a record whole, statted before and after. Throws RECORD_CHANGING when it moved at each of a few attempts, RECORD_INVALID with
   * the path for what cannot be read, is too large or is ambiguous, NOT_FOUND, SOURCE_UNAVAILABLE.
   */
  read(run: number, signal: AbortSignal, options: ReadOptions = {}): Promise<RunRecord> {
    const { maxRecordBytes, maxRecordFiles } = this.#options
    return this.steadily(run, signal, (path, directory) =>
      readRecord(run, Buffer.from(path), directory, { maxRecordBytes, maxRecordFiles, signal, ...options }),
    )
  }

  /**
   * Works on a record by its path and its directory's name, again where the record moved meanwhile (`work` then throws RECORD_CHANGING, or
   * that something is gone). Errors of the system become errors of the run, as `read` throws them.
   */
  async steadily<T>(
    run: number,
    signal: AbortSignal,
    work: (path: string, directory: string) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#with(run, work)
      } catch (error) {
        const isMoving = error instanceof ArchiverError && error.code === 'RECORD_CHANGING'
        if (!isMoving || attempt >= ATTEMPTS) throw error
        await pause(PAUSE_MS * attempt, undefined, { signal })
      }
    }
  }

  /** The signature of a record as it is now, from the status of its entries alone. Throws as `read` does. */
  async signatureOf(run: number): Promise<string> {
    return signatureOf(await this.#with(run, (path) => walk(Buffer.from(path), this.#limits)))
  }

  /** One stat: device, inode and times of the directory; undefined while another entry could come without another time. Throws SOURCE_UNAVAILABLE. */
  async fingerprint(): Promise<string | undefined> {
    const { dev, ino, mtimeNs, ctimeNs } = await this.#root()
    return mayComeAgain(ctimeNs, this.#options.now()) ? undefined : [dev, ino, mtimeNs, ctimeNs].join(' ')
  }

  /** Where a run's directory is. Throws NOT_FOUND, RECORD_INVALID for an ambiguous run. */
  async pathOf(run: number): Promise<string> {
    return join(this.#options.directory, await this.#directoryOf(run))
  }

  /** Every folder that claims a run: one, several (it is ambiguous then), none. */
  async foldersOf(run: number): Promise<readonly string[]> {
    const { names } = this.#listed ?? (await this.#relist())
    return names.directoriesOf(run).map((name) => join(this.#options.directory, name))
  }

  /** Works on a run's directory, and turns what the system says into an error of this run. */
  async #with<T>(run: number, work: (path: string, directory: string) => Promise<T>): Promise<T> {
    const directory = await this.#directoryOf(run)
    const path = join(this.#options.directory, directory)
    try {
      return await work(path, directory)
    } catch (error) {
      throw recordTrouble(error, run, path)
    }
  }

  get #limits(): WalkLimits {
    return { maxFiles: this.#options.maxRecordFiles }
  }

  /** The name of a run's directory, which is there. The directory is listed again only when it has changed. */
  async #directoryOf(run: number): Promise<string> {
    const { directory } = this.#options
    let isNew = this.#listed === undefined
    let { names } = this.#listed ?? (await this.#relist())
    for (;;) {
      const found = names.directoriesOf(run)
      if (found.length > 1)
        throw new ArchiverError(
          'RECORD_INVALID',
          `run ${run}: two folders claim it, ${found.join(' and ')}; rename one`,
          {
            run,
            hint: `Only one of them can be the record of this run. They lie in ${directory}.`,
          },
        )
      const [name] = found
      if (name !== undefined && (await this.#isDirectory(join(directory, name)))) return name
      const fingerprint = await this.fingerprint()
      if (isNew || (fingerprint !== undefined && this.#listed?.fingerprint === fingerprint))
        throw new ArchiverError('NOT_FOUND', `run ${run} has no directory in ${directory}`, { run })
      names = (await this.#relist()).names
      isNew = true
    }
  }

  async #relist(): Promise<{ readonly names: RecordNames }> {
    await this.list()
    return this.#listed ?? { names: new RecordNames() }
  }

  async #isDirectory(path: string): Promise<boolean> {
    try {
      return (await kindAt(path)) === 'directory'
    } catch (error) {
      throw this.#unavailable(error)
    }
  }

  async #root(): Promise<BigIntStats> {
    try {
      const root = await stat(this.#options.directory, { bigint: true })
      if (root.isDirectory()) return root
    } catch (error) {
      throw this.#unavailable(error)
    }
    throw this.#unavailable(new Error('it is no directory'))
  }

  #unavailable(error: unknown): ArchiverError {
    const text = `the run record directory ${this.#options.directory} cannot be read: ${messageOf(error)}`
    return new ArchiverError('SOURCE_UNAVAILABLE', text, {
      cause: error,
      hint: 'Check source_files.run_records_dir, its permissions, and whether its disk is mounted.',
    })
  }
}

const lookHere = (path: string, limits: WalkLimits): Promise<Look> => lookAt(Buffer.from(path), limits)

const isEmpty = ({ runs, ambiguous }: SourceListing): boolean => runs.isEmpty && ambiguous.isEmpty
