import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { RunSet } from '../common/run-set.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import { monotonic } from '../platform/host.ts'
import type { Archiver } from '../runs/archiver.ts'
import { provenOf } from '../runs/scrub/proven.ts'
import { recommendations } from '../runs/report/advice.ts'
import { makeReport, type MemoryFacts, type ReportFacts } from '../runs/report/report.ts'
import type { Known, MissingPlace, RunReads, RunsSnapshot, StageMarks } from '../web/model.ts'
import type { CopyFile, RunCopies, RunCopy } from '../web/models/copies.ts'
import type { Compared } from '../web/proof.ts'
import { runMap } from '../web/runs/run-map.ts'

/** Milliseconds: a snapshot is kept so long at least, and ten times as long as it took to make. */
const KEEP = 5000
const SHARE = 10
/** Copies of runs that are kept. */
const COPIES = 20
/** Milliseconds for which they are, so that a page that is open does not read an archive each second; and where one could not be read. */
const KEEP_COPIES = 60_000
const KEEP_UNREAD = KEEP

/** Files and folders of a record that are looked at: its page must not take a minute. */
const MOST_ENTRIES = 20_000

const NEVER = new AbortController().signal

/**
 * The three places as the pages see them. The first question waits for a listing; later ones get the last one at once, and have it made again
 * behind their back when it is old.
 */
export const pageRuns = (
  archiver: Archiver,
  config: string,
  gather: () => Promise<ReportFacts>,
): RunReads & { readonly changedAt: () => number } => {
  let last: RunsSnapshot | undefined
  let making: Promise<RunsSnapshot> | undefined
  let dueAt = -Infinity
  const remembered: Remembered = new Map()
  const copies = new Map<number, KeptCopies>()
  const make = async (): Promise<RunsSnapshot> => {
    const begun = monotonic()
    const snapshot = snapshotOf(await gather(), remembered)
    dueAt = monotonic() + Math.max(KEEP, (monotonic() - begun) * SHARE)
    // An equal snapshot keeps its time, so that no page is sent a change that is none.
    if (!last || fingerprint(last) !== fingerprint(snapshot)) last = snapshot
    return last
  }
  return {
    config,
    changedAt: () => last?.at ?? 0,
    snapshot: async () => {
      if (last && monotonic() < dueAt) return last
      making ??= make().finally(() => (making = undefined))
      if (!last) return making
      making.catch(() => undefined)
      return last
    },
    copies: (run) => {
      const of = last?.at ?? 0
      const known = copies.get(run)
      if (known?.of === of && monotonic() < known.until) return known.value
      const value = copiesOf(archiver, run)
      const kept: KeptCopies = { of, value, until: Infinity }
      void value.then(({ record, artdaq, archive }) => {
        const isUnread = [record, artdaq, archive].some(({ is }) => is === 'unknown')
        kept.until = monotonic() + (isUnread ? KEEP_UNREAD : KEEP_COPIES)
      })
      copies.delete(run)
      copies.set(run, kept)
      const oldest = copies.keys().next().value
      if (copies.size > COPIES && oldest !== undefined) copies.delete(oldest)
      return value
    },
  }
}

interface KeptCopies {
  /** The snapshot that they belong to. */
  readonly of: number
  readonly value: Promise<RunCopies>
  /** By the monotonic clock; without end while they are being read. */
  until: number
}

const fingerprint = ({ at: _at, map: _map, waiting, ...rest }: RunsSnapshot): string =>
  JSON.stringify([rest, [...waiting]], (_key, value: unknown) =>
    value instanceof RunSet ? value.toString() : value instanceof Map ? [...value] : value,
  )

/** What each place held when it was last read. */
type Remembered = Map<string, { readonly at: number; readonly runs: RunSet }>

/** Facts of the report in the words of the pages. A place that cannot be read now is drawn as it was last seen. */
export const snapshotOf = (facts: ReportFacts, remembered: Remembered = new Map()): RunsSnapshot => {
  const report = makeReport(facts)
  const { records, artdaq, archive, waiting } = report.facts
  const missing: MissingPlace[] = []
  const setOf = (place: string, runs: RunSet | undefined): RunSet => {
    if (runs) remembered.set(place, { at: facts.now, runs })
    const last = remembered.get(place)
    if (!runs) missing.push({ place, shownFrom: last?.at })
    return last?.runs ?? RunSet.EMPTY
  }
  const runsOf = (known: Known<{ readonly runs: RunSet }>): Known<RunSet> =>
    known.known ? { known: true, value: known.value.runs } : known
  const imports = marksOf(facts.import)
  const migrate = marksOf(facts.migrate)
  const failedOf = (marks: Known<StageMarks>): RunSet => (marks.known ? marks.value.failed : RunSet.EMPTY)
  return {
    at: facts.now,
    map: runMap({
      records: setOf(
        'run records',
        records.known ? records.value.runs.union(records.value.ambiguous) : undefined,
      ),
      artdaq: setOf('artdaqDB', artdaq.known ? artdaq.value.runs : undefined),
      archive: setOf('UconDB', archive.known ? archive.value.runs : undefined),
      failed: failedOf(imports).union(failedOf(migrate)),
      waiting: RunSet.of(waiting.keys()),
    }),
    records: runsOf(records),
    artdaq: runsOf(artdaq),
    archive: runsOf(archive),
    import: imports,
    migrate,
    waiting,
    lastSuccess: facts.lastSuccess,
    proof: facts.proof,
    advice: recommendations(report),
    unreadable: report.unreadable,
    missing,
  }
}

const marksOf = (memory: Known<MemoryFacts>): Known<StageMarks> =>
  memory.known
    ? {
        known: true,
        value: {
          contiguous: memory.value.state.lastContiguousRun,
          attempted: memory.value.state.lastAttemptedRun,
          failed: memory.value.failed,
        },
      }
    : memory

const copiesOf = async (archiver: Archiver, run: number): Promise<RunCopies> => {
  const [record, artdaq, archive] = await Promise.all([
    copyOf(() => recordCopy(archiver, run)),
    copyOf(() => artdaqCopy(archiver, run)),
    copyOf(() => archiveCopy(archiver, run)),
  ])
  return { record, artdaq, archive, ...(await comparedOf(archiver, run)) }
}

const comparedOf = async (archiver: Archiver, run: number): Promise<Compared> => {
  try {
    const proven = await provenOf(archiver).load()
    return { comparedAt: proven.comparedAt(run), damage: proven.damaged.get(run) }
  } catch (error) {
    return { comparedAt: undefined, damage: undefined, unknown: messageOf(error) }
  }
}

const copyOf = async (read: () => Promise<RunCopy>): Promise<RunCopy> => {
  try {
    return await read()
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'NOT_FOUND') return { is: 'absent' }
    return { is: 'unknown', why: messageOf(error) }
  }
}

const recordCopy = async ({ records }: Archiver, run: number): Promise<RunCopy> => {
  const path = await records.pathOf(run)
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files: CopyFile[] = []
  for (const entry of entries.slice(0, MOST_ENTRIES)) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    files.push({ name: relative(path, file), size: (await stat(file)).size, digest: undefined })
  }
  const readiness = await records.readiness(run)
  const notes = [
    ...(entries.length > MOST_ENTRIES
      ? [`only ${MOST_ENTRIES} of its ${entries.length} files and folders were looked at`]
      : []),
    ...(readiness.ready ? [] : [`not ready: ${readiness.detail}`]),
  ]
  const note = notes.join('; ') || undefined
  return { is: 'present', where: path, files, bytes: sizeOf(files), digest: undefined, note }
}

const artdaqCopy = async ({ artdaq, config }: Archiver, run: number): Promise<RunCopy> => {
  const where = config.artdaqDb.databaseUris[0]?.replace(/^\w+:\/\//, '') ?? ''
  const manifest = await artdaq.manifest(run)
  if (!manifest) {
    const { runs } = await artdaq.list()
    if (!runs.has(run)) return { is: 'absent' }
    const note = 'stored by another program: it keeps no list of files'
    return { is: 'present', where, files: [], bytes: 0, digest: undefined, note }
  }
  const files = manifest.files.map(({ name, size, sha256 }) => ({ name, size, digest: sha256 }))
  const whole = createHash('sha256')
  for (const { name, digest } of files) whole.update(`${digest}  ${name}\n`)
  return { is: 'present', where, files, bytes: sizeOf(files), digest: whole.digest('hex'), note: undefined }
}

const archiveCopy = async ({ archive, config }: Archiver, run: number): Promise<RunCopy> => {
  const blob = await archive.get(run, 'newest', NEVER)
  const { folderName, objectName } = config.uconDb
  return {
    is: 'present',
    where: `${folderName}/${objectName}/${run}`,
    files: [],
    bytes: blob.length,
    digest: createHash('sha256').update(blob).digest('hex'),
    note: 'one blob; its own checksum was checked in the last minute',
  }
}

const sizeOf = (files: readonly CopyFile[]): number => files.reduce((sum, { size }) => sum + size, 0)
