import { link, unlink } from 'node:fs/promises'
import { readFile } from '../../../platform/read-file.ts'
import { ArchiverError, errnoOf } from '../../../errors.ts'
import { step, syncDirectory } from '../../../platform/atomic-file.ts'
import type { IndexFacts } from '../../store.ts'
import type { CollectionIndex } from '../format/search-index.ts'
import type { Maker } from '../format/system-metadata.ts'
import { artdaqStamp } from '../format/timestamp.ts'
import type { Database } from '../index/database.ts'
import { withDatabaseLock } from '../index/lock.ts'
import { COMMIT_MARK, oidOf } from '../names.ts'
import { readRun } from '../read/read-run.ts'
import { type Left, type Moving, oidsOf, provedDocuments, runsThatChanged } from './moving-documents.ts'
import { placeFiles } from './write-files.ts'

export interface MoveOptions {
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly newUuid: () => string
  /** Who stands in the record of a database that has to be made. */
  readonly maker: Maker
  readonly lockWaitSeconds?: number
  /** Looked at between two portions; what is begun is finished. */
  readonly signal: Pick<AbortSignal, 'throwIfAborted'>
}

export interface Moved {
  readonly runs: readonly number[]
  /** Runs that stay where they are, each with the reason. */
  readonly left: readonly Left[]
}

/** Runs of which both indexes are written at once. */
const PORTION = 2000

/**
 * Moves whole runs from one database to another, every version of their documents, as they are. In portions, and of each: the documents are
 * placed in the target, both databases are locked, the target's indexes name them, each run is read back and proved there; only then the source's
 * indexes forget them, and its files go. A run counts where its schema is named, so a crash leaves each run counting in one of the two, or the same
 * in both, and the next move of it finishes. A run with a damaged document, or one that changes meanwhile, stays. Throws LOCK_HELD and
 * STORE_UNAVAILABLE.
 */
export async function moveRuns(
  source: Database,
  target: Database,
  runs: readonly number[],
  options: MoveOptions,
): Promise<Moved> {
  const moved: number[] = []
  const left: Left[] = []
  const halfMoved = await forgetHalfMoved(source, target, runs, options)
  await removeMoved(source, target)
  const toMove = runs.filter((run) => !halfMoved.has(run))
  for (let first = 0; first < toMove.length; first += PORTION) {
    options.signal.throwIfAborted()
    const { documents, refused } = await provedDocuments(source, toMove.slice(first, first + PORTION))
    left.push(...refused)
    const names = [...new Set(documents.map(({ collection }) => collection))]
    await target.create(names, () => oidOf(options.newUuid()), artdaqStamp(options.now()), options.maker)
    for (const document of documents) await place(source, target, document)
    step('artdaq-move: documents placed')
    const changed = await locked([source, target], options, async () => {
      const others = await runsThatChanged(source, documents)
      const still = documents.filter(({ run }) => !others.has(run))
      await rewrite(target, still, 'schema last', (index, facts) => index.plus(facts))
      step('artdaq-move: target named them')
      for (const run of new Set(still.map((one) => one.run))) await readRun(target, run)
      await rewrite(source, still, 'schema first', forget)
      step('artdaq-move: source forgot them')
      return others
    })
    for (const run of changed) left.push({ run, reason: 'it was stored again meanwhile' })
    await removeMoved(source, target)
    moved.push(...new Set(documents.map(({ run }) => run).filter((run) => !changed.has(run))))
  }
  return { runs: [...halfMoved, ...moved], left }
}

/** A second name for the same file where one disk holds both databases, else a copy. A file of that name is compared. */
async function place(source: Database, target: Database, { collection, facts }: Moving): Promise<void> {
  const from = source.collection(collection).documentPath(facts.oid)
  const path = target.collection(collection).documentPath(facts.oid)
  try {
    await link(from, path)
  } catch (error) {
    const errno = errnoOf(error) ?? ''
    if (errno === 'EEXIST') {
      await requireSame(from, path)
      return
    }
    if (!['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP'].includes(errno)) throw error
    const bytes = await readFile(from)
    await placeFiles(target.path, [{ path, text: () => [bytes] }])
  }
}

async function requireSame(from: string, path: string): Promise<void> {
  if ((await readFile(from)).equals(await readFile(path))) return
  throw new ArchiverError('STORE_CORRUPT', `${path} stands in the way of ${from}, and is not the same`, {
    hint: 'one of the two is damaged: run-archiver artdaq check names it',
  })
}

const forget = (index: CollectionIndex, documents: readonly Pick<IndexFacts, 'oid'>[]): CollectionIndex =>
  index.minus(new Set(documents.map(({ oid }) => oid)))

/** Has the source's indexes forget runs that count in the target alone: a move was killed after the first of them had. */
async function forgetHalfMoved(
  source: Database,
  target: Database,
  runs: readonly number[],
  options: MoveOptions,
): Promise<ReadonlySet<number>> {
  const half = new Set<number>()
  const documents: Moving[] = []
  for (const run of runs) {
    if ((await source.counts(run)) || !(await target.counts(run))) continue
    const ofRun: Moving[] = []
    let isMoved = true
    for (const collection of await source.collections())
      for (const oid of oidsOf((await collection.index()).index, run)) {
        const { facts } = await collection.document(oid)
        ofRun.push({ run, collection: collection.name, facts })
        isMoved &&= (await target.collection(collection.name).index()).index.ouid.has(oid)
      }
    if (!isMoved) continue
    half.add(run)
    documents.push(...ofRun)
  }
  if (half.size > 0)
    await locked([source, target], options, () => rewrite(source, documents, 'schema first', forget))
  return half
}

/** Writes the indexes of the collections that the documents stand in. A run counts while the index of SystemLayout names its schema. */
async function rewrite(
  database: Database,
  documents: readonly Pick<Moving, 'collection' | 'facts'>[],
  order: 'schema first' | 'schema last',
  change: (index: CollectionIndex, facts: readonly IndexFacts[]) => CollectionIndex,
): Promise<void> {
  const collections = (await database.collections()).toSorted(
    (a, b) =>
      (Number(a.name === COMMIT_MARK) - Number(b.name === COMMIT_MARK)) * (order === 'schema last' ? 1 : -1),
  )
  for (const { path } of collections) await syncDirectory(path)
  for (const collection of collections) {
    const facts = documents.filter((one) => one.collection === collection.name).map((one) => one.facts)
    if (facts.length === 0) continue
    const { index, damage } = await collection.index()
    if (damage !== undefined)
      throw new ArchiverError('STORE_CORRUPT', `${damage}; nothing is moved before it is repaired`, {
        hint: 'run-archiver artdaq repair writes the index again',
      })
    await collection.writeIndex(change(index, facts))
    step('artdaq-move: index written')
  }
}

/** Removes documents that the source's indexes do not name and the target's do, the same byte for byte: what a move left behind. */
async function removeMoved(source: Database, target: Database): Promise<void> {
  for (const collection of await source.collections()) {
    const there = target.collection(collection.name)
    const { index } = await there.index()
    const { orphans } = await collection.difference()
    let isAny = false
    for (const oid of orphans) {
      if (!index.ouid.has(oid)) continue
      await requireSame(collection.documentPath(oid), there.documentPath(oid))
      await unlink(collection.documentPath(oid))
      isAny = true
    }
    if (isAny) await syncDirectory(collection.path)
  }
}

/** Both locks, always in the same order, so that two moves do not wait for each other. */
async function locked<T>(
  databases: readonly [Database, Database],
  { lockWaitSeconds = 60 }: MoveOptions,
  work: () => Promise<T>,
): Promise<T> {
  const [first, second] = databases.map(({ path }) => path).sort()
  return await withDatabaseLock(first ?? '', lockWaitSeconds, () =>
    withDatabaseLock(second ?? '', lockWaitSeconds, work),
  )
}
