import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Completing, Listing, DocumentStore } from '../../store.ts'
import type { RecordManifest, RunDocument, RunDocuments, StoredRun } from '../../run-record.ts'
import { RunSet } from '../../../common/run-set.ts'
import { ArchiverError } from '../../../errors.ts'
import { documentName } from '../format/attachments.ts'
import { COMMIT_MARK, isSafeName, runOf } from '../names.ts'
import { exported, exportedDocument, inFolder, requireLoadable, requireSame } from './exchange-files.ts'
import { Blame, isNobodys } from './failure-attribution.ts'
import { lastLine, localHost, remoteHost, type ToolHost } from './host.ts'
import type { ToolResult } from './process.ts'

export interface ToolsDbOptions {
  /** `filesystemdb:///path` or `mongodb://...`. */
  readonly uri: string
  readonly toolsDir?: string | undefined
  readonly remoteHost?: string | undefined
  /** What the tools need of the environment: PATH, LD_LIBRARY_PATH, PYTHONPATH and the like. */
  readonly env: Readonly<Record<string, string>>
  /** For each call of a tool. */
  readonly timeoutSeconds?: number
}

/**
 * artdaqDB through artdaq_database's own tools: the way to MongoDB. What the tools say counts for nothing until it was
 * read back: bulkloader and bulkdownloader exit 0 after failures, so each run is downloaded again and compared, document
 * by document, with what artdaq's export must give. One tool at a time, `-t 1`: with more they lose index entries.
 * The tools have no place for originals and manifests: a run is then kept as its FHiCL alone.
 */
export class ToolsDb implements DocumentStore {
  readonly #host: ToolHost
  readonly #options: ToolsDbOptions
  readonly #blame = new Blame()
  #last: Promise<unknown> = Promise.resolve()
  #uncommitted = 0

  constructor(options: ToolsDbOptions) {
    const { uri, toolsDir = '', env, timeoutSeconds = 300 } = options
    const host = { uri, toolsDir, env, timeoutSeconds }
    this.#host = options.remoteHost === undefined ? localHost(host) : remoteHost(options.remoteHost, host)
    this.#options = options
  }

  /** A run is whole when its `schema`, which is loaded last and alone, stands in SystemLayout. */
  list(): Promise<Listing> {
    return this.#inTurn(async () => {
      const marked = new Set(await this.#ask('listVersions', 'SystemLayout'))
      const whole: number[] = []
      const runs = new Map<number, string[]>()
      for (const name of await this.#configurations('')) {
        const run = runOf(name)
        if (run === undefined) continue
        runs.set(run, [...(runs.get(run) ?? []), name])
        if (marked.has(name)) whole.push(run)
      }
      const notes = [...runs]
        .filter(([, names]) => names.length > 1)
        .map(([run, names]) => `run ${run} has ${names.length} configurations: ${names.join(', ')}`)
      const all = RunSet.of(whole)
      return {
        runs: all,
        incomplete: RunSet.of(runs.keys()).minus(all),
        updates: new Map<number, number>(),
        notes,
      }
    })
  }

  /** `updated` is never the answer: the tools cannot say which of two versions counts, so a changed record is a CONFLICT. */
  put(documents: RunDocuments, signal: AbortSignal, completing?: Completing): Promise<'stored' | 'present'> {
    return this.#inTurn(async () => {
      requireLoadable(documents)
      const { run, configName } = documents
      const wanted = new Map(documents.documents.map((document) => [documentName(document), document]))
      const known = await this.#configurationOf(run, signal)
      const configuration = known ?? `${run}/${configName}`
      const there = known === undefined ? new Map<string, string>() : await this.#download(known, signal)
      requireSame(wanted, there, run)
      const missing = documents.documents.filter((document) => !there.has(documentName(document)))
      if (missing.length === 0) return 'present'
      // A run that stands here in part may have been whole, and archived: what it lacks is then what was archived.
      const lacking = known !== undefined && completing ? await completing(missing) : missing
      const config = configuration.slice(configuration.indexOf('/') + 1)
      // The schema last and alone: it is what says, in this process and in any other, that the rest was proved.
      const rest = lacking.filter(({ collection }) => collection !== COMMIT_MARK)
      const schema = lacking.filter(({ collection }) => collection === COMMIT_MARK)
      for (const part of [rest, schema].filter(({ length }) => length > 0)) {
        await this.#blame.during(run, async () => {
          await this.#load(run, config, part, signal)
          await this.#prove(configuration, part, run, signal)
        })
      }
      this.#uncommitted++
      return 'stored'
    })
  }

  commitDue(): boolean {
    return this.#uncommitted > 0
  }

  /** Nothing is left to do: each put was proved when it returned. */
  commit(): Promise<void> {
    this.#uncommitted = 0
    return Promise.resolve()
  }

  read(run: number, signal: AbortSignal): Promise<StoredRun> {
    return this.#inTurn(async () => {
      const configuration = await this.#configurationOf(run, signal)
      if (configuration === undefined)
        throw new ArchiverError('NOT_FOUND', `run ${run} is not in artdaqDB`, { run })
      const files = await this.#download(configuration, signal)
      const documents = [...files].map(([name, text]) => exportedDocument(name, text))
      const configName = configuration.slice(configuration.indexOf('/') + 1)
      return { run, configName, documents, attached: [], manifest: undefined, update: 0 }
    })
  }

  /** Always undefined: the tools have no place for it. */
  manifest(): Promise<RecordManifest | undefined> {
    return Promise.resolve(undefined)
  }

  fingerprint(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  async probe(signal: AbortSignal): Promise<void> {
    await this.#inTurn(() => this.#configurations('0/', signal))
  }

  /** One tool at a time, also after one that failed. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work)
    this.#last = mine.catch(() => undefined)
    return mine
  }

  /** The names of configurations that begin so, the one assigned last first. */
  #configurations(prefix: string, signal?: AbortSignal): Promise<readonly string[]> {
    return this.#ask('getListOfAvailableRunConfigurations', `${prefix}*`, signal)
  }

  /** A list of conftool.py, a name a line. After an error it says `None`, and exits 0. */
  async #ask(question: string, about: string, signal?: AbortSignal): Promise<readonly string[]> {
    if (!this.#mayBeAsked()) return []
    const result = await this.#host.run('conftool.py', [question, about], signal)
    const lines = result.stdout.split('\n').map((line) => line.trim())
    if (result.code !== 0 || lines.some((line) => line === 'None' || /^(Error|Traceback)/.test(line)))
      throw this.#failed('STORE_UNAVAILABLE', `conftool.py ${question}`, result)
    return lines.filter((line) => line !== '' && !/^(Info|Warning): /.test(line))
  }

  async #configurationOf(run: number, signal: AbortSignal): Promise<string | undefined> {
    const [newest] = await this.#configurations(`${run}/`, signal)
    if (newest === undefined) return undefined
    if (runOf(newest) === run && isSafeName(newest.slice(newest.indexOf('/') + 1))) return newest
    throw new ArchiverError(
      'STORE_REFUSED',
      `run ${run}: artdaq's tools would hand its configuration ${JSON.stringify(newest)} to a shell`,
      { run, hint: 'with use_tools: false it is read natively' },
    )
  }

  /** A query creates what it does not find, so a database that is not there is not asked. */
  #mayBeAsked(): boolean {
    const path = /^filesystemdb:\/\/(.+)$/.exec(this.#options.uri)?.[1]
    return path === undefined || this.#options.remoteHost !== undefined || existsSync(path)
  }

  async #load(
    run: number,
    config: string,
    documents: readonly RunDocument[],
    signal: AbortSignal,
  ): Promise<void> {
    await inFolder(async (local) => {
      for (const { entity, fhicl } of documents) await writeFile(join(local, `${entity}.fcl`), fhicl)
      const folder = await this.#host.folder(signal)
      try {
        await folder.send(local)
        const words = ['-r', String(run), '-c', config, '-p', folder.path, '-t', '1']
        const result = await this.#host.run('bulkloader', words, signal)
        if (result.code !== 0) throw this.#failed('STORE_REFUSED', `bulkloader, run ${run}`, result)
      } finally {
        await folder.remove()
      }
    })
  }

  /** `<collection>/<entity>` and text of every document that the export gives. */
  async #download(configuration: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const [run = '', config = ''] = configuration.split('/')
    return await inFolder(async (local) => {
      const folder = await this.#host.folder(signal)
      try {
        const words = ['-r', run, '-c', config, '-p', folder.path, '-t', '1']
        const result = await this.#host.run('bulkdownloader', words, signal)
        const complaint = result.stderr.split('\n').find((line) => /error|fail|exception/i.test(line))
        if (result.code !== 0 || complaint !== undefined)
          throw this.#failed('STORE_CORRUPT', `bulkdownloader, run ${run}`, result)
        await folder.fetch(local)
      } finally {
        await folder.remove()
      }
      return await exported(local, config)
    })
  }

  async #prove(
    configuration: string,
    loaded: readonly RunDocument[],
    run: number,
    signal: AbortSignal,
  ): Promise<void> {
    const wanted = new Map(loaded.map((document) => [documentName(document), document]))
    const there = await this.#configurations(configuration, signal)
    const files = there.includes(configuration)
      ? await this.#download(configuration, signal)
      : new Map<string, string>()
    const lost = [...wanted.keys()].filter((name) => !files.has(name))
    if (lost.length > 0)
      throw new ArchiverError(
        'VERIFY_MISMATCH',
        `run ${run}: bulkloader reported success, and artdaqDB does not give back ${lost.slice(0, 5).join(', ')}`,
        { run },
      )
    requireSame(wanted, files, run)
  }

  #failed(
    code: 'STORE_UNAVAILABLE' | 'STORE_REFUSED' | 'STORE_CORRUPT',
    what: string,
    result: ToolResult,
  ): ArchiverError {
    const said = lastLine(result.stderr) || lastLine(result.stdout) || 'without a word'
    const secretless = said.replaceAll(this.#options.uri, 'the database').replace(/\/\/[^/@\s]*@/g, '//')
    return new ArchiverError(
      isNobodys(result) ? 'STORE_UNAVAILABLE' : code,
      `${what}: exit code ${result.code}: ${secretless}`,
    )
  }
}
