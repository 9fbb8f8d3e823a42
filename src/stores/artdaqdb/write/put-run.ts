import { ArchiverError } from '../../../errors.ts'
import { artdaqStamp } from '../format/timestamp.ts'
import type { RunDocuments } from '../../run-record.ts'
import type { Completing } from '../../store.ts'
import { hashesOf } from '../format/hashed-entities.ts'
import { hasLostHashes } from '../index/lost-hashes.ts'
import type { CollectionIndex } from '../format/search-index.ts'
import { factsOf } from '../format/document-printer.ts'
import { heldAs, heldOf, newest, newestConfiguration, type Held } from '../index/run-documents.ts'
import type { Maker } from '../format/system-metadata.ts'
import { COMMIT_MARK, oidOf, runOf } from '../names.ts'
import { hasTraces, prove } from '../format/proof.ts'
import { isWantedOf, namedIn, recordWentOn, requireSoundHashes } from './foreign-documents.ts'
import { placeDocuments } from './write-documents.ts'
import { isForeign, prepare, type Ready, requireSound } from './prepare-documents.ts'
import { planPut, type Known, type PutPlan } from './put-plan.ts'
import { indexedRuns } from '../index/run-index.ts'
import type { Stored } from '../format/document-reader.ts'
import type { Written } from './written-database.ts'

export interface PutContext extends Written {
  readonly now: () => number
  readonly newUuid: () => string
  readonly maker: Maker
  readonly signal: AbortSignal
  readonly completing?: Completing | undefined
}

/**
 * Writes what is missing of a run, `schema` last, and hands it to the committer. Every document is durable when this
 * returns; none of them counts before the commit. A kill on the way leaves orphans, which the next put takes over.
 */
export async function putRun(run: RunDocuments, context: PutContext): Promise<PutPlan['result']> {
  requireSound(run)
  const before = await knownOf(run, context)
  requireSoundHashes(run, before)
  const goesOn = before.foreign !== undefined && recordWentOn(before, prepare(run, before.held), run.manifest)
  const known = goesOn ? { ...before, foreign: undefined, goesOn } : before
  const whole = known.foreign?.hasLostHashes ? withHashes(run, known) : run
  const wanted = prepare(whole, known.held, { goesOn }).filter(isWantedOf(known))
  const documents = isOfOthers(known) ? await completed(whole, wanted, known, context) : wanted
  const plan = planPut(known, documents, run.manifest)
  requireNoDoubt(known, plan, context.doubt)
  if (plan.result === 'present' && plan.setAside.length === 0) return 'present'
  await carryOut(run.run, plan, documents, known.seen, context)
  return plan.result
}

/**
 * The documents of a run of another program, those that it lacks as `completing` gives them, without those that it never had. What no index knows counts
 * as lacking, too: a pass that was killed may have written it, and is to find it again as what it was.
 */
async function completed(
  run: RunDocuments,
  wanted: readonly Ready[],
  known: Known,
  { completing, doubt }: PutContext,
): Promise<readonly Ready[]> {
  const counting = { ...known, held: known.held.filter(({ indexed }) => indexed), others: [] }
  const plan = planPut(counting, wanted, run.manifest)
  requireNoDoubt(known, plan, doubt)
  const isSame = (a: Named, b: Named): boolean => a.collection === b.collection && a.entity === b.entity
  const lacking = run.documents.filter((one) => plan.write.some(({ document }) => isSame(one, document)))
  if (!completing || lacking.length === 0) return wanted
  const given = await completing(lacking)
  const documents = run.documents.map((one) => given.find((other) => isSame(one, other)) ?? one)
  const isLacking = (document: Named): boolean => lacking.some((one) => isSame(one, document))
  const isGiven = (document: Named): boolean => given.some((one) => isSame(one, document))
  return prepare({ ...run, documents }, known.held)
    .filter(isWantedOf(known))
    .filter((document) => !isLacking(document) || isGiven(document))
}

/** A run of another program whose list of digests is lost, with a list of all that it is to have. */
function withHashes(run: RunDocuments, known: Known): RunDocuments {
  const wanted = prepare(run, known.held).filter(isWantedOf(known))
  const listed = run.documents.filter((one) => wanted.some(({ entity }) => entity === one.entity))
  return { ...run, documents: [...run.documents, hashesOf(listed)] }
}

/** Whether another program stored a run, whose `schema` may be lost: then the rest of it shows whose it was. */
const isOfOthers = ({ foreign, goesOn, manifest, held }: Known): boolean =>
  foreign !== undefined ||
  (goesOn !== true &&
    manifest === undefined &&
    held.some(({ indexed, stored }) => indexed && stored !== undefined && !hasTraces(stored)))

type Named = Pick<Ready, 'collection' | 'entity'>

/** Only a manifest shows that nothing is missing beside a file that cannot be read; other programs' runs have none, and cannot be given one. */
function requireNoDoubt({ run, manifest }: Known, plan: PutPlan<Ready>, doubt: string | undefined): void {
  const writesSchema = plan.write.some(
    ({ document }) => document.collection === COMMIT_MARK && document.attachments.length > 0,
  )
  if (doubt === undefined || manifest || writesSchema) return
  throw new ArchiverError('STORE_CORRUPT', `run ${run}: ${doubt} cannot be read, and may be of this run`, {
    run,
    hint: 'put it back from a backup, or move it out of its collection; run-archiver artdaq check names every such file',
  })
}

async function carryOut(
  run: number,
  plan: PutPlan<Ready>,
  ready: readonly Ready[],
  seen: ReadonlySet<string>,
  context: PutContext,
): Promise<void> {
  const { database, committer, now, signal } = context
  const time = now()
  const collections = [...new Set(plan.write.map(({ document }) => document.collection))]
  await database.create(collections, () => oidOf(context.newUuid()), artdaqStamp(time), context.maker)
  const { configuration, version } = plan
  const documents = plan.write.map(({ document, again }) => {
    const oid = again?.oid ?? oidOf(context.newUuid())
    const { collection, entity, parts, rawdata, attachments } = document
    const about = {
      configuration,
      version: again?.version ?? version,
      run: String(run),
      time,
      rawdata,
      attachments,
    }
    const facts = { oid, collection, entity, ...about }
    return { path: database.collection(collection).documentPath(oid), parts, facts }
  })
  for (const { facts } of documents) committer.begin(facts.oid)
  try {
    await placeDocuments(database.path, documents, signal)
  } catch (error) {
    committer.abandon(documents.map(({ facts }) => facts.oid))
    throw error
  }
  const placed = documents.map(({ facts }) => ({ collection: facts.collection, facts: factsOf(facts) }))
  const adopted = plan.adopt.flatMap(({ collection, stored }) =>
    stored ? [{ collection: collection.name, facts: stored.facts }] : [],
  )
  const setAside = plan.setAside.map(({ collection, oid }) => ({ collection: collection.name, oid }))
  committer.add({ run, documents: inOrder([...adopted, ...placed], ready), setAside, seen })
}

/** The order of the run's documents is the order in which their names come into the index. */
const inOrder = <T extends { readonly collection: string; readonly facts: Stored['facts'] }>(
  placed: readonly T[],
  ready: readonly Ready[],
): readonly T[] => {
  const position = new Map(ready.map(({ collection, entity }, i) => [`${collection}/${entity}`, i]))
  const of = ({ collection, facts }: T): number =>
    position.get(`${collection}/${facts.entities[0] ?? ''}`) ?? 0
  return placed.toSorted((a, b) => of(a) - of(b))
}

/** Whether there is any trace of a run in a database: in an index, on disk, or waiting for its commit. Then `putRun` decides what is missing of it. */
export async function knowsOf(run: number, { database, committer, orphans }: Written): Promise<boolean> {
  return orphans.length > 0 || committer.waiting(run).length > 0 || (await database.knows(run))
}

async function knownOf(
  run: RunDocuments,
  context: PutContext,
): Promise<Known & { readonly seen: ReadonlySet<string> }> {
  const collections = await context.database.collections()
  const indexes = await Promise.all(collections.map(async (one) => (await one.index()).index))
  const seen = new Set(indexes.flatMap((index) => oidsOf(index, run.run)))
  const configurations = indexes.flatMap((index) => indexedRuns(index).configurationsOf(run.run))
  const loose = await looseDocuments(run.run, context)
  const theirs = loose.flatMap(({ stored }) => stored?.facts.configurations ?? []).map(({ name }) => name)
  const configuration =
    newestConfiguration(new Set(configurations), indexes) ??
    theirs.find((name) => runOf(name) === run.run) ??
    `${run.run}/${run.configName}`
  const indexed = await Promise.all(collections.map((one) => heldOf(one, configuration)))
  const isOfIt = ({ stored }: Held): boolean =>
    stored?.facts.configurations.some(({ name }) => name === configuration) ?? false
  const held = [...indexed.flat(), ...loose.filter(isOfIt)]
  const others = loose.filter((one) => !one.indexed && !isOfIt(one))
  // What is there may only count as there when all of it can be read, and is what was stored.
  for (const { stored } of [...held, ...others]) if (stored) prove(stored)
  const schema = newest(
    held.filter((one) => one.indexed && one.stored && one.collection.name === COMMIT_MARK),
  )
  const manifest = schema?.stored?.kept.manifest
  const counting = held.filter((one) => one.indexed)
  const foreign =
    manifest === undefined && isForeign(held)
      ? { entities: namedIn(held), hasLostHashes: hasLostHashes(counting, indexes) }
      : undefined
  return { run: run.run, configuration, held, others, manifest, foreign, seen }
}

/** All that an index gives a run, under whatever configuration. */
const oidsOf = (index: CollectionIndex, run: number): readonly string[] =>
  indexedRuns(index)
    .configurationsOf(run)
    .flatMap((name) => index.list('configurations.name', name).items)

/** Documents of the run on disk that no index knows: of killed passes, and of this process, waiting for its commit. */
async function looseDocuments(
  run: number,
  { database, committer, orphans }: Written,
): Promise<readonly Held[]> {
  const loose: Held[] = []
  for (const { collection, oid } of orphans) {
    const stored = await collection.find(oid)
    const known = (await collection.index()).index.ouid.has(oid)
    if (stored && !known && !committer.unfinished.has(oid)) loose.push(heldAs(collection, stored, false))
  }
  for (const { documents } of committer.waiting(run))
    for (const { collection: name, facts } of documents) {
      const collection = database.collection(name)
      loose.push(heldAs(collection, await collection.document(facts.oid), true))
    }
  return loose
}
