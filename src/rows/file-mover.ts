import { durationText } from '../common/duration.ts'
import { ArchiverError, messageWithCode } from '../errors.ts'
import { stillCopied } from './copied-batches.ts'
import { FileBatches, type OpenFile } from './file-batches.ts'
import type { FileWork, Progress } from './file-work.ts'
import { namesOf } from './file-names.ts'
import type { Survey } from './id-list.ts'
import { fileSource, whereName, whereSource, type IdSource } from './id-source.ts'
import { coverAll, coveredLines, type Covered } from './log/finished-batches.ts'
import type { RowsLog } from './log/rows-log.ts'
import { sleep, terminatedText } from './options.ts'
import { persist } from './reconnect.ts'
import { rowsError } from './server-errors.ts'
import { totalBatches } from './segments.ts'
import { fullNameOf } from './table.ts'

/** Moves the rows of one file after another. */
export class FileMover {
  readonly #work: FileWork
  readonly #progress: Progress
  readonly #batches: FileBatches
  readonly #names: ReadonlyMap<string, string>

  constructor(work: FileWork, progress: Progress) {
    this.#work = work
    this.#progress = progress
    this.#batches = new FileBatches(work, progress)
    this.#names = namesOf(work.options.files)
  }

  /** The rows of a file; undefined: those for which the condition holds. A file that is no list of ids fails alone; trouble with a server is thrown. */
  async move(path: string | undefined): Promise<void> {
    const { options, pair } = this.#work
    const name = path === undefined ? whereName(pair.where ?? '') : (this.#names.get(path) ?? path)
    let list: IdSource | undefined
    let file: OpenFile | undefined
    try {
      list = await this.#source(path)
      const survey = await list.survey(options.signal)
      this.#progress.versions.push(survey.sha256)
      const done = list.groups ? await this.#covered(list.groups, name, survey.sha256) : []
      if (survey.bad > 0)
        options.warn(
          `${name}: ${survey.bad === 1 ? '1 line is no key and was' : `${survey.bad} lines are no keys and were`} skipped`,
        )
      file = await this.#open(name, survey, done)
      if (!file) return
      if (survey.openSince !== undefined) await this.#settled(list, name, survey.openSince)
      await this.#segments(list, file, done)
    } catch (error) {
      if (options.signal.aborted) await this.#close(file, 'KILLED', error)
      else await this.#fail(name, file, error)
    } finally {
      await list?.close()
    }
  }

  async #source(path: string | undefined): Promise<IdSource> {
    const { options, pair, connections, dialect } = this.#work
    if (path !== undefined) return fileSource(path, options.list, pair)
    return whereSource(dialect, pair, pair.where ?? '', (question) =>
      this.#persist('rows.where', () => question(connections.source)),
    )
  }

  #persist<Answer>(what: string, act: () => Promise<Answer>): Promise<Answer> {
    return persist(what, this.#work.connections, this.#work.options.signal, act)
  }

  get #log(): RowsLog | undefined {
    return this.#work.connections.log
  }

  /** Batches that are finished. Those of a copy must still be in the archive: their rows are live, and somebody may delete them by hand. */
  async #covered(
    groups: NonNullable<IdSource['groups']>,
    name: string,
    sha256: string,
  ): Promise<readonly Covered[]> {
    const { options, connections, pair, type } = this.#work
    const archive = { name: fullNameOf(pair.archive), server: connections.archiveServer }
    const logged = await this.#persist(
      'batch_processing_logs',
      async () => this.#log && coveredLines(this.#log, sha256, fullNameOf(pair.source), archive, type),
    )
    if (!logged || options.mode !== 'copy' || logged.length === 0) return logged ?? []
    const kept = await stillCopied(this.#work, groups(), logged, (question) =>
      this.#persist('archive', question),
    )
    if (kept.length < logged.length)
      options.warn(
        `${name}: ${batchesAre(logged.length - kept.length)} copied again: the archive does not have all of ${logged.length - kept.length === 1 ? 'its' : 'their'} rows`,
      )
    return kept
  }

  /** Undefined: all of it is done already. */
  async #open(name: string, survey: Survey, done: readonly Covered[]): Promise<OpenFile | undefined> {
    const { options, size } = this.#work
    const records = done.reduce((sum, { ids }) => sum + ids, 0)
    const batches = totalBatches(survey.ids, done, size.current)
    if (coverAll(done, survey.ids)) {
      options.listener({ type: 'file-skipped', file: name })
      await this.#finished(name)
      return undefined
    }
    const before = { batches: done.length, records }
    let tries = 0 // a first try may have written the row, and only its answer was lost
    const begin = async (): Promise<number> => {
      const begun = tries++ > 0 ? await this.#log?.begunFile(name) : undefined
      return begun ?? (await this.#log?.beginFile(name, survey.bytes, survey.sha256, batches, before)) ?? 0
    }
    const id = await this.#persist(name, begin)
    const isResumed = done.length > 0
    const { bytes, ids } = survey
    options.listener({ type: 'file-started', file: name, size: bytes, ids, batches, isResumed })
    return { id, name, batches }
  }

  /** The last line may be the beginning of one that is still being written, such as 12 of 123. Throws IDS_INVALID where it grows meanwhile. */
  async #settled(list: IdSource, name: string, openSince: number): Promise<void> {
    const { options } = this.#work
    const { mode, quietMs, now, warn, signal } = options
    const wait = Math.min(quietMs, openSince + quietMs - now())
    if (wait <= 0 || mode === 'verify' || mode === 'try') return
    warn(
      `${name}: its last line has no end and may be half written: waiting for ${durationText(Math.ceil(wait / 1000))} (a line end there saves the wait)`,
    )
    await sleep(wait, signal)
    await list.assertUnchanged()
  }

  async #segments(list: IdSource, file: OpenFile, done: readonly Covered[]): Promise<void> {
    const { options, size } = this.#work
    let records = done.reduce((sum, { ids }) => sum + ids, 0)
    let failed: Error | undefined
    let last = 0
    let skipped: number[] | undefined = [] // before the first batch that is not finished
    const skip = (batch: number): void => options.listener({ type: 'batch-skipped', file: file.name, batch })
    for await (const segment of list.segments(done, () => size.current)) {
      last = segment.number
      if (segment.type === 'done') {
        if (skipped) skipped.push(segment.number)
        else skip(segment.number)
        continue
      }
      if (skipped && done.length > 0)
        options.listener({ type: 'file-resumed', file: file.name, batch: segment.number, records })
      skipped?.forEach(skip)
      skipped = undefined
      const passed = await this.#batches.pass()
      if (!passed || options.signal.aborted)
        return this.#close(file, options.signal.aborted ? 'KILLED' : 'PROCESSING', undefined)
      await list.assertUnchanged()
      try {
        await this.#batches.do(file, segment, passed)
        records += segment.keys.length
      } catch (error) {
        if (options.onBatchError === 'stop' || !isOfBatch(error)) throw error
        failed ??= error
        this.#progress.failure ??= error
      }
    }
    skipped?.forEach(skip)
    if (failed) return this.#close(file, 'FAILED', failed)
    await list.assertUnchanged()
    await this.#persist(file.name, async () => this.#log?.completeFile(file.id, last))
    await this.#finished(file.name)
    options.listener({ type: 'file-done', file: file.name, records })
  }

  #finished(name: string): Promise<void> {
    const count = ++this.#progress.finishedFiles
    return this.#persist(name, async () => this.#log?.filesFinished(count))
  }

  async #fail(name: string, file: OpenFile | undefined, error: unknown): Promise<void> {
    const { options } = this.#work
    const cause = error instanceof Error ? error : new Error(String(error))
    this.#progress.failedFiles += 1
    this.#progress.failure ??= cause
    options.listener({ type: 'file-failed', file: name, error: cause })
    const open = file ?? {
      id: (await this.#log?.beginFile(name, 0, null, 0, { batches: 0, records: 0 }).catch(() => 0)) ?? 0,
      name,
      batches: 0,
    }
    await this.#close(open, 'FAILED', cause).catch(() => undefined) // the error itself is thrown on
    if (!(error instanceof ArchiverError)) throw rowsError(error, name)
    if (error.code !== 'IDS_INVALID') throw error
  }

  async #close(
    file: OpenFile | undefined,
    status: 'FAILED' | 'KILLED' | 'PROCESSING',
    error: unknown,
  ): Promise<void> {
    const { options } = this.#work
    if (!file || !this.#log) return
    // A file that the next run goes on with has the word of the process for it.
    const word = status === 'PROCESSING' ? 'FAILED' : status
    const message =
      word === 'KILLED'
        ? terminatedText(String(options.signal.reason), options.self.pid)
        : error === undefined
          ? (this.#progress.reason ?? null)
          : options.redact(messageWithCode(error))
    if (status === 'KILLED')
      await this.#log.endFile(file.id, word, message).catch(() => undefined) // the next start finds the process dead
    else await this.#log.endFile(file.id, word, message)
  }
}

const batchesAre = (count: number): string => `${count} finished ${count === 1 ? 'batch is' : 'batches are'}`

/** An error that another batch need not meet. */
const isOfBatch = (error: unknown): error is ArchiverError =>
  error instanceof ArchiverError && error.code === 'ROWS_FAILED' && error.cause !== undefined
