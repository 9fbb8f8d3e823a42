import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { readJson } from '../../src/fhicl/json/parser.ts'
import { JsonObject } from '../../src/fhicl/json/model.ts'
import type { DamagedSite } from './damaged-site.ts'
import { type Damaged, filesBelow } from './damages.ts'

/** What an adversary does to a site, or a person who means well. */
export interface Deed {
  readonly what: string
  /** The pass must archive the run that comes all the same. */
  readonly goesOn?: boolean
  /** What readers were given yesterday is right where it is found. */
  readonly restores?: boolean
  /** A digest was made anew over what was changed: a reader may be given that, and the checks must find it by another copy. */
  readonly forges?: boolean
  /** Returns the files that are not as they were. */
  do(site: DamagedSite): readonly string[]
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** A document of a run, as it says itself. */
interface Document {
  readonly path: string
  readonly entity: string
  readonly version: string
}

/** A run's documents, of all versions; the oldest version first, of equal ones the one that counts last. */
export const documentsOf = (site: DamagedSite, run: number): readonly Document[] => {
  const found = filesBelow(site.site.path('db')).flatMap((path) => {
    if (!/\/[0-9a-f]{24}\.json$/.test(path)) return []
    const json = readJson(readFileSync(path, 'utf8'))
    const nameIn = (key: string): string => {
      const [first] = json.get(key) as readonly JsonObject[]
      return textOf(first?.get('name'))
    }
    if (!Array.isArray(json.get('runs')) || nameIn('runs') !== String(run)) return []
    return [{ path, entity: nameIn('entities'), version: textOf(json.get('version')) }]
  })
  // The smallest oid counts.
  const byOid = found.sort((a, b) => (a.path > b.path ? -1 : 1))
  return byOid.sort((a, b) => (a.version === b.version ? 0 : a.version < b.version ? -1 : 1))
}

/** A run's document of one entity; of its newest version, or of its first. */
export const documentOf = (
  site: DamagedSite,
  run: number,
  entity: string,
  version: 'first' | 'newest' = 'newest',
): string => {
  const found = documentsOf(site, run).filter((document) => document.entity === entity)
  const one = version === 'first' ? found[0] : found.at(-1)
  if (!one) throw new Error(`no document of run ${run} for ${entity}`)
  return one.path
}

/** The documents of all updates of a run. */
export const updatesOf = (site: DamagedSite, run: number): readonly string[] => {
  const documents = documentsOf(site, run)
  return documents.filter(({ version }) => version !== documents[0]?.version).map(({ path }) => path)
}
export const indexOf = (site: DamagedSite, collection: string): string =>
  site.site.path('db', collection, 'index.json')
export const blobOf = (site: DamagedSite, key: string): string =>
  site.site.path('archive', 'run_records', 'configuration', '0-999', `${key}.txt`)
export const sumOf = (blob: string): string => blob.replace(/txt$/, 'sha256')
export const put = (path: string, bytes: string | Buffer): void => {
  chmodSync(path, 0o644)
  writeFileSync(path, bytes)
}
export const swapNames = (one: string, other: string): void => {
  renameSync(one, `${one}.x`)
  renameSync(other, one)
  renameSync(`${one}.x`, other)
}
export const oidOf = (path: string): string => basename(path, '.json')
export const swapText = (path: string, one: string, other: string): void =>
  put(path, readFileSync(path, 'utf8').replaceAll(one, '\0').replaceAll(other, one).replaceAll('\0', other))

/** Left behind by a process that was killed. Its name is relative: a socket's may have a hundred bytes. */
const plantSocket = (path: string): void => {
  const listen = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', listen, basename(path)], { cwd: dirname(path) })
  if (!lstatSync(path).isSocket()) throw new Error(`${path} is no socket`)
}

export const at = (what: string, path: (site: DamagedSite) => string, goesOn = true): Deed[] =>
  (
    [
      ['a folder', (p) => mkdirSync(p)],
      [
        'a folder with a file in it',
        (p) => {
          mkdirSync(p)
          writeFileSync(join(p, 'x'), 'x')
        },
      ],
      ['a fifo', (p) => void spawnSync('mkfifo', [p])],
      ['a socket', plantSocket],
      // The one never ends, the other says that it is empty.
      ['a device without an end', (p) => void spawnSync('mknod', [p, 'c', '1', '5'])],
      ['a device without content', (p) => void spawnSync('mknod', [p, 'c', '1', '3'])],
      ['a dangling link', (p) => symlinkSync('/nowhere/at/all', p)],
      ['a link to itself', (p) => symlinkSync(p, p)],
    ] satisfies [string, (p: string) => void][]
  ).map(([name, make]) => ({
    what: `${name} where ${what} should be`,
    goesOn,
    do: (site) => {
      const one = path(site)
      rmSync(one, { recursive: true, force: true })
      make(one)
      return [one]
    },
  }))

export const damagedBy = (deed: Deed, site: DamagedSite): Damaged => ({
  what: deed.what,
  paths: deed.do(site),
})
