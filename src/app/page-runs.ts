import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { ArchiverError, messageOf } from '../errors.ts'
import { monotonic } from '../platform/host.ts'
import type { Archiver } from '../runs/archiver.ts'
import { provenOf } from '../runs/scrub/proven.ts'
import type { RunReads, RunsSnapshot } from '../web/model.ts'
import type { CopyFile, RunCopies, RunCopy } from '../web/models/copies.ts'
import type { Compared } from '../web/proof.ts'
import { type GatherPlaces, ListedPlaces, within } from './listed-places.ts'

/** Copies of runs that are kept. */
const COPIES = 20
/** Milliseconds for which they are, so that a page that is open does not read an archive each second; and where one could not be read. */
const KEEP_COPIES = 60_000
const KEEP_UNREAD = 5000

/** Milliseconds that a page waits for the copies of its run. */
const WAIT_COPIES = 5000

/** Files and folders of a record that are looked at: its page must not take a minute. */
const MOST_ENTRIES = 20_000

const NEVER = new AbortController().signal

/**
 * The three places as the pages see them. The first question waits a moment for a listing, and gets what is known without it where it takes longer;
 * later ones get the last one at once, and have it made again behind their back when it is old.
 */
export const pageRuns = (
  archiver: Archiver,
  config: string,
  gather: GatherPlaces,
  warn: (message: string) => void,
): RunReads & { readonly listed: () => Promise<RunsSnapshot>; readonly revision: () => Promise<string> } => {
  const places = new ListedPlaces(archiver, gather, warn)
  const copies = new Map<number, KeptCopies>()
  return {
    config,
    revision: () => Promise.resolve(places.revision),
    listed: () => places.listed(),
    snapshot: () => places.snapshot(),
    copies: (run) => {
      const of = places.listedAt
      const known = copies.get(run)
      if (known?.of === of && monotonic() < known.until) return answered(known.value)
      const value = copiesOf(archiver, run)
      const kept: KeptCopies = { of, value, until: Infinity }
      void Promise.all([value.record, value.artdaq, value.archive]).then((all) => {
        const isUnread = all.some(({ is }) => is === 'unknown')
        kept.until = monotonic() + (isUnread ? KEEP_UNREAD : KEEP_COPIES)
      })
      copies.delete(run)
      copies.set(run, kept)
      const oldest = copies.keys().next().value
      if (copies.size > COPIES && oldest !== undefined) copies.delete(oldest)
      return answered(value)
    },
  }
}

interface KeptCopies {
  /** The snapshot that they belong to. */
  readonly of: number
  readonly value: Copies
  /** By the monotonic clock; without end while they are being read. */
  until: number
}

/** The three copies while they are being read. */
interface Copies {
  readonly record: Promise<RunCopy>
  readonly artdaq: Promise<RunCopy>
  readonly archive: Promise<RunCopy>
  readonly compared: Promise<Compared>
}

const copiesOf = (archiver: Archiver, run: number): Copies => ({
  record: copyOf(() => recordCopy(archiver, run)),
  artdaq: copyOf(() => artdaqCopy(archiver, run)),
  archive: copyOf(() => archiveCopy(archiver, run)),
  compared: comparedOf(archiver, run),
})

/** The copies as far as they are read by now: a place that does not answer keeps no page from being shown. */
const answered = async (copies: Copies): Promise<RunCopies> => {
  const soon = async (copy: Promise<RunCopy>): Promise<RunCopy> =>
    (await within(WAIT_COPIES, copy)) ?? { is: 'unknown', why: 'it has not answered yet' }
  const [record, artdaq, archive, compared] = await Promise.all([
    soon(copies.record),
    soon(copies.artdaq),
    soon(copies.archive),
    copies.compared,
  ])
  return { record, artdaq, archive, ...compared }
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
  const manifest = await (artdaq.manifestAlone?.(run) ?? artdaq.manifest(run))
  if (!manifest) {
    if (!artdaq.manifestAlone && !(await artdaq.list()).runs.has(run)) return { is: 'absent' }
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
