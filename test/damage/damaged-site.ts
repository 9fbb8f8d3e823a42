import { createHash } from 'node:crypto'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { readJson } from '../../src/fhicl/json/parser.ts'
import { JsonObject } from '../../src/fhicl/json/model.ts'
import { writeJson } from '../../src/fhicl/json/printer.ts'
import { parseChecksum, fits } from '../../src/stores/ucondb/checksum-file.ts'
import { documentsOf } from './adversary.ts'
import { type Mode, recordFiles, writeOriginal } from '../original.ts'
import { Site } from '../site.ts'
import { type Commands, type Reader, READERS } from './commands.ts'
import { contentOf, filesBelow } from './damages.ts'

/** Memory, where there is such a file system: nothing here is about disks, and a pass waits for many syncs. */
const FAST = '/dev/shm'

/**
 * Archived runs: 1 plain, 2 whose record was removed afterwards, 3 that was stored again twice when its record changed, 4 with a folder, modes and an
 * odd name. 9 comes later.
 */
export const RUNS = [1, 2, 3, 4]
export const COMING = 9
const PLACES = ['db', 'archive', 'work']
const STORES = ['db', 'archive']

/** A site whose stores and work_dir are kept aside as they were when all was archived, to be damaged and put back. */
export class DamagedSite {
  readonly site: Site
  /** What readers were given of run 3 before its record changed, and before it changed again. */
  readonly earlier = new Set<string>()
  readonly #runs = new Map<string, readonly number[]>()
  readonly #original: Mode | undefined
  #kept = new Map<string, string>()
  /** Documents of other programs behind newer ones: no reader is given them unless he asks, and nothing proves them. */
  readonly #superseded = new Set<string>()

  /**
   * Without a ledger, which decides nothing about runs, a pass is a fifth cheaper. `original`: the Python original stored the runs in this mode, run 3
   * before it ended.
   */
  constructor({ ledger = true, original }: { ledger?: boolean; original?: Mode } = {}) {
    this.#original = original
    const usual = process.env['TMPDIR']
    if (existsSync(FAST) && !usual?.startsWith(FAST)) process.env['TMPDIR'] = FAST
    this.site = new Site(ledger ? {} : { more: 'ledger:\n  url: "off"' })
    if (usual === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = usual
  }

  /** Archives the runs with the given commands. */
  async prepare(commands: Commands): Promise<void> {
    const { site } = this
    const files = (run: number) => ({
      'notes.bin': Buffer.from([0, 255, run]),
      'x.fcl': `x: ${run} # y\ns: "a b"\nl: [1, 2.5, { t: true }]\n`,
    })
    for (const run of [...RUNS, COMING]) site.record(run, { files: files(run) })
    if (this.#original) this.#storeAsOriginal(this.#original)
    else {
      mkdirSync(site.path('records', '4', 'logs'), { mode: 0o750 })
      site.record(4, { files: { ...files(4), 'logs/a b%é.txt': 'one\n' } })
      chmodSync(site.path('records', '4', 'notes.bin'), 0o640)
      site.age(4, 3600)
    }
    renameSync(site.path('records', String(COMING)), site.path('coming'))
    if ((await commands.pass(false)) !== 0) throw new Error('the site was not archived')
    for (const place of PLACES) cpSync(site.path(place), site.path('yesterday', place), { recursive: true })
    for (const late of ['later\n', 'later still\n']) {
      for (const reader of READERS) this.earlier.add((await this.given(commands, 3, reader)) ?? '')
      const before = this.#original ? recordFiles(3) : files(3)
      site.record(3, { files: { ...before, 'late.txt': late }, ageSeconds: late.length * 100 })
      rmSync(site.path('records', '2'), { recursive: true, force: true })
      if ((await commands.pass(false)) !== 0) throw new Error('the site was not archived again')
    }
    for (const place of PLACES) cpSync(site.path(place), site.path('sound', place), { recursive: true })
    this.#kept = this.foreignReaders()
    if (this.#original) this.#findSuperseded()
    for (const [path, text] of this.#kept) this.#runs.set(path, runsIn(path, text))
  }

  #storeAsOriginal(mode: Mode): void {
    const { site } = this
    for (const run of RUNS) {
      rmSync(site.path('records', String(run)), { recursive: true })
      site.record(run, { files: recordFiles(run, { ended: run !== 3 }) })
    }
    const stop = /daqinterface_stop_time: .*|DAQInterface_stop_time: .*/
    writeOriginal(site.path('db'), RUNS, mode, {
      change: (_, text, run) => (run === 3 ? text.replace(stop, '').replace(/\n$/, '') : text),
    })
  }

  /** The runs that some documents, blobs or checksum files are about, as they were; none for a file in work_dir, all for any other file of a store. */
  runsOf(paths: readonly string[]): readonly number[] {
    const inWorkDir = (path: string): boolean => path.startsWith(this.site.path('work'))
    const runs = (path: string): readonly number[] =>
      this.#runs.get(path.replace(/sha256$/, 'txt')) ?? (inWorkDir(path) ? [] : RUNS)
    return [...new Set(paths.flatMap(runs))]
  }

  /** What a reader is given of a run; undefined where the command fails. */
  async given(commands: Commands, run: number, reader: Reader): Promise<string | undefined> {
    const to = this.site.path('out')
    rmSync(to, { recursive: true, force: true })
    return (await commands.read(run, reader, to)) === 0 ? contentOf(to) : undefined
  }

  heal(): void {
    const { site } = this
    for (const place of PLACES) this.lose(place)
    for (const place of PLACES) cpSync(site.path('sound', place), site.path(place), { recursive: true })
    if (!existsSync(site.path('coming')))
      renameSync(site.path('records', String(COMING)), site.path('coming'))
  }

  /** The record of the run that comes later is there. */
  come(): void {
    renameSync(this.site.path('coming'), this.site.path('records', String(COMING)))
  }

  /** Puts a place back as it was before the record of run 3 changed: a restore from a backup. */
  restore(place: string): void {
    this.lose(place)
    cpSync(this.site.path('yesterday', place), this.site.path(place), { recursive: true })
  }

  lose(place: string): void {
    rmSync(this.site.path(place), { recursive: true, force: true })
  }

  loseIndexes(): void {
    for (const path of filesBelow(this.site.path('db'))) if (basename(path) === 'index.json') rmSync(path)
  }

  /** What can be damaged. */
  get places(): readonly string[] {
    return PLACES.map((place) => this.site.path(place))
  }

  /** Names, modes and bytes of both stores. */
  get digest(): string {
    const hash = createHash('sha256')
    for (const store of STORES) hash.update(contentOf(this.site.path(store)))
    return hash.digest('hex')
  }

  /**
   * What programs get that do not ask us, by file: what a document says, read as artdaq's tools read it, and a blob that its checksum file vouches
   * for. Also of older versions.
   */
  foreignReaders(): Map<string, string> {
    const given = new Map<string, string>()
    for (const path of filesBelow(this.site.path('db')))
      if (/\/[0-9a-f]{24}\.json$/.test(path) && !path.includes('/SystemMetadata/'))
        given.set(path, this.#original ? valuesIn(path) : documentIn(path))
    for (const path of filesBelow(this.site.path('archive')))
      if (path.endsWith('.txt')) given.set(path, blobIn(path))
    return given
  }

  /** Files from which such programs get something else than was archived, or nothing. */
  foreignDifferences(): string[] {
    const now = this.foreignReaders()
    // A blob under a new name that no checksum vouches for is given to nobody.
    const isNobodys = (path: string): boolean => !this.#kept.has(path) && now.get(path) === 'refused'
    return [...new Set([...this.#kept.keys(), ...now.keys()])].filter(
      (path) => now.get(path) !== this.#kept.get(path) && !this.#superseded.has(path) && !isNobodys(path),
    )
  }

  #findSuperseded(): void {
    const newest = new Map<string, string>()
    for (const run of RUNS)
      for (const { path, entity } of documentsOf(this, run)) {
        const name = `${run} ${basename(dirname(path))} ${entity}`
        const older = newest.get(name)
        if (older !== undefined) this.#superseded.add(older)
        newest.set(name, path)
      }
  }
}

const runsIn = (path: string, text: string): readonly number[] => {
  const names = path.endsWith('.txt')
    ? basename(path).matchAll(/^(\d+)/g)
    : text.matchAll(/"(\d+)\/(?:demo|beam_a)/g)
  return [...new Set([...names].map(([, run]) => Number(run)))]
}

const documentIn = (path: string): string => {
  try {
    return writeJson(readJson(readFileSync(path, 'utf8')))
  } catch {
    return 'unreadable'
  }
}

/** What another program's document gives: of its other words only those count that say whose it is. */
const valuesIn = (path: string): string => {
  const text = documentIn(path)
  if (text === 'unreadable' || text.includes('"seal sha256')) return text
  const json = readJson(text)
  const values = json.get('document')
  if (!(values instanceof JsonObject)) return 'unreadable'
  const names = ['version', 'entities', 'configurations', 'runs'].map((name) => json.get(name))
  return writeJson([values.get('data'), values.get('metadata'), ...names].map((value) => value ?? ''))
}

/** `sha256sum -c`. */
const blobIn = (path: string): string => {
  const sum = path.replace(/txt$/, 'sha256')
  const checksum = existsSync(sum) ? parseChecksum(readFileSync(sum, 'utf8')) : undefined
  const blob = readFileSync(path)
  return checksum?.fileName === basename(path) && fits(blob, checksum) ? blob.toString('latin1') : 'refused'
}
