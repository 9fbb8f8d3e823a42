import { counted } from '../common/counted.ts'
import type { RunSet } from '../common/run-set.ts'
import type { Left } from '../stores/artdaqdb/write/moving-documents.ts'
import type { Listing } from '../stores/store.ts'
import type { Finding } from '../stores/artdaqdb/check.ts'
import type { FileSystemDb } from '../stores/artdaqdb/filesystem-db.ts'
import { chooseRun } from '../stores/artdaqdb/read/read-run.ts'
import type { Repaired } from '../stores/artdaqdb/repair.ts'
import { shownName } from '../stores/artdaqdb/format/index-names.ts'

/** A run as `artdaq show` prints it. */
export interface ShownRun {
  readonly run: number
  readonly database: string
  readonly configuration: string
  readonly updates: number
  /** Whether the record can be restored byte for byte. */
  readonly originals: boolean
  readonly documents: readonly {
    readonly collection: string
    readonly entity: string
    readonly version: string
    readonly oid: string
    readonly stored: string
    readonly original: string | null
  }[]
}

/** Looks a run up. Throws NOT_FOUND, or STORE_CORRUPT where a document of it is gone or damaged. */
export async function showRun(db: FileSystemDb, run: number): Promise<ShownRun> {
  const database = await db.holding(run)
  const { configuration, documents, update } = await chooseRun(database, run)
  return {
    run,
    database: database.path,
    configuration: shownName(configuration),
    updates: update,
    originals: documents.some(({ stored }) => stored.kept.manifest !== undefined),
    documents: documents.map(({ collection, entity, version, stored }) => ({
      collection,
      entity: shownName(entity),
      version: shownName(version),
      oid: stored.facts.oid,
      stored: stored.created,
      original: stored.originals.original?.name ?? null,
    })),
  }
}

export const showText = ({ run, database, configuration, updates, originals, documents }: ShownRun): string =>
  lines([
    `Run ${run}: configuration ${configuration} in ${database}`,
    `${documents.length} documents, ${counted(updates, 'update')}, ${originals ? 'with' : 'without'} the original files`,
    ...documents.map(
      ({ collection, entity, version, oid, original }) =>
        `  ${collection}/${entity}  ${version}  ${oid}${original === null ? '' : `  from ${original}`}`,
    ),
  ])

export const listText = ({ runs, incomplete, updates, notes }: Listing): string =>
  lines([
    runs.isEmpty ? 'No whole run.' : `${counted(runs.size, 'run')}: ${runs.toString()}`,
    ...(incomplete.isEmpty ? [] : [`Only in part: ${incomplete.toString()}`]),
    ...[...updates].map(([run, count]) => `Run ${run}: ${counted(count, 'update')}`),
    ...notes.map((note) => `Note: ${note}`),
  ])

/** `repairs`: the one database that a repair mends, where several are read. */
export const checkText = (all: readonly Finding[], repairs?: string): string => {
  const findings = all.filter(({ kind }) => kind !== 'note')
  const shown = all.map(({ kind, path, message }) => `${kind}: ${path}: ${message}`)
  if (findings.length === 0) return lines([...shown, 'Nothing amiss.'])
  const has = (...kinds: Finding['kind'][]): boolean => findings.some(({ kind }) => kinds.includes(kind))
  return lines([
    ...shown,
    `${counted(findings.length, 'finding')}. run-archiver artdaq repair writes indexes again; importing a run again completes it.`,
    ...(has('unreadable', 'damaged')
      ? [
          'A repair writes a damaged document again where its seal proves what was stored. Otherwise move the file out of its collection and import the run again, or put it back from a backup.',
        ]
      : []),
    ...(repairs === undefined
      ? []
      : [`It repairs ${repairs} alone: for another one, put that last in artdaq_db.database_uri.`]),
    ...(has('duplicate') ? ['Neither removes a duplicate: the document with the smallest oid counts.'] : []),
  ])
}

export const repairText = (database: string, repaired: readonly Repaired[]): string =>
  lines([
    ...(repaired.length === 0 ? [`${database}: no collections, nothing to repair`] : []),
    ...repaired.flatMap(({ collection, reason, keptAs, documents, unreadable, mended }) => [
      ...mended.map((sentence) => `  ${sentence}`),
      reason === undefined
        ? `${collection}: sound, ${counted(documents, 'document')}`
        : `${collection}: index written again with ${counted(documents, 'document')}, because ${reason}${keptAs === undefined ? '' : `; the old one is ${database}/${keptAs}`}`,
      ...unreadable.map((message) => `  left as it was: ${message}`),
    ]),
  ])

export const splitText = (database: string, moved: RunSet, left: readonly Left[], absent: RunSet): string =>
  lines([
    moved.isEmpty
      ? 'No run was moved.'
      : `${counted(moved.size, 'run')} moved to ${database}: ${moved.toString()}`,
    ...left.map(({ run, reason }) => `Run ${run} stays: ${reason}`),
    ...(absent.isEmpty ? [] : [`In none of the databases: ${absent.toString()}`]),
  ])

const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('')
