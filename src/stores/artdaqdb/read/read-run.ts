import { hash } from 'node:crypto'
import type { RecordFile, RecordManifest, RunDocument, StoredDocument, StoredRun } from '../../run-record.ts'
import { ArchiverError } from '../../../errors.ts'
import { documentName, type Attachments } from '../format/attachments.ts'
import { canonicalText } from '../format/canonical-export.ts'
import type { CollectionIndex } from '../format/search-index.ts'
import { prove } from '../format/proof.ts'
import type { Database } from '../index/database.ts'
import { hasLostHashes } from '../index/lost-hashes.ts'
import { requireListed, requireNoneLeftOut } from '../index/left-out-documents.ts'
import {
  heldOf,
  newest,
  newestConfiguration,
  openInPieces,
  type Held,
  type Open,
} from '../index/run-documents.ts'
import { COMMIT_MARK } from '../names.ts'
import { indexedRuns } from '../index/run-index.ts'
import { updatesOf } from '../index/run-updates.ts'
import { type Stored } from '../format/document-reader.ts'
import { shownName } from '../format/index-names.ts'

/** A document of a run as a reader is given it: the newest of its entity. */
export interface Chosen {
  readonly collection: string
  readonly entity: string
  readonly version: string
  readonly stored: Stored
}

/** What a database's indexes say of a run, with the documents that a reader is given. */
export interface ChosenRun {
  /** `<run>/<config>`. */
  readonly configuration: string
  readonly documents: readonly Chosen[]
  /** How many updates the run has. */
  readonly update: number
  /** As in `StoredRun`. */
  readonly hasLostHashes: boolean
}

/**
 * Chooses a run's documents as artdaq's export does: of each entity in each collection that the index gives the
 * configuration, the greatest version, of equal ones the smallest oid. Throws NOT_FOUND, or STORE_CORRUPT where a document is not on disk,
 * or may be left out of an index that was made anew. `open`: how the documents are opened; left out, in whole.
 */
export async function chooseRun(database: Database, run: number, open?: Open): Promise<ChosenRun> {
  const collections = await database.collections()
  const indexes = await Promise.all(collections.map(async (one) => (await one.index()).index))
  const names = indexes.flatMap((index) => indexedRuns(index).configurationsOf(run))
  const configuration = newestConfiguration(new Set(names), indexes)
  if (configuration === undefined)
    throw new ArchiverError('NOT_FOUND', `run ${run} has no configuration in artdaqDB ${database.path}`, {
      run,
    })
  await requireNoneLeftOut(database, run)
  const held = (await Promise.all(collections.map((one) => heldOf(one, configuration, open)))).flat()
  await requireListed(held, run)
  const update = (await updatesOf(database.collection(COMMIT_MARK))).get(run) ?? 0
  const counting = held.filter(({ indexed }) => indexed)
  return {
    configuration,
    documents: newestOfEach(held, run),
    update,
    hasLostHashes: hasLostHashes(counting, indexes),
  }
}

/**
 * The newest manifest of a run; undefined where another program stored it. Throws STORE_CORRUPT where the document that keeps it is damaged.
 * `known`: what the index says of the run.
 */
export async function readManifest(
  database: Database,
  run: number,
  known?: CollectionIndex,
): Promise<RecordManifest | undefined> {
  const marks = database.collection(COMMIT_MARK)
  const index = known ?? (await marks.index()).index
  const names = indexedRuns(index).configurationsOf(run)
  const configuration = newestConfiguration(names, [index])
  if (configuration === undefined) return undefined
  const stored = newest(await heldOf(marks, configuration, openInPieces, index))?.stored
  if (stored) prove(stored)
  return stored?.manifest
}

/**
 * Reads a run back. Throws STORE_CORRUPT, naming the file, where anything that our manifest lists is not there as it was, and where one of its
 * documents is not what was stored (`prove`).
 */
export async function readRun(database: Database, run: number): Promise<StoredRun> {
  const { configuration, documents, update, hasLostHashes } = await chooseRun(database, run, openInPieces)
  const kept = proveRun(documents, run)
  const { manifest, attached } = kept
  const read = documents.map((one) => new ReadDocument(one))
  const current = manifest ? inManifest(read, kept, run) : read
  if (manifest) requireWhole(manifest, current, attached, run)
  return {
    run,
    configName: shownName(configuration.slice(configuration.indexOf('/') + 1)),
    documents: current,
    attached,
    manifest,
    update,
    hasLostHashes: manifest === undefined && hasLostHashes,
  }
}

const NOTHING_KEPT: Attachments = { manifest: undefined, attached: [], documents: [], unsealed: undefined }

/** Proves each document that a reader is given, and all of them together. Returns what the `schema` keeps. Throws STORE_CORRUPT. */
export function proveRun(documents: readonly Chosen[], run: number): Attachments {
  const corrupt = (what: string): ArchiverError =>
    new ArchiverError('STORE_CORRUPT', `run ${run}: ${what}`, { run })
  const proofs = documents.map((one) => ({ ...one, proof: prove(one.stored) }))
  for (const { stored, entity, collection } of documents)
    if (!isNamed(stored, entity))
      throw corrupt(
        `the index takes ${stored.path} for ${shownName(entity)} of ${collection}, which it is not`,
      )
  const marks = proofs.filter(({ collection }) => collection === COMMIT_MARK)
  const mark = marks.find(({ stored }) => stored.kept.manifest)
  const kept = mark?.stored.kept ?? NOTHING_KEPT
  const { manifest, unsealed } = kept
  if (manifest && manifest.run !== run) throw corrupt(`its manifest is of run ${manifest.run}`)
  const given = new Set(
    documents.map(({ collection, entity }) => documentName({ collection, entity: shownName(entity) })),
  )
  const missing = kept.documents.find((name) => !given.has(name))
  const isKept = new Set(kept.documents)
  if (missing !== undefined) throw corrupt(`its document ${missing} is not in the index`)
  for (const { collection, entity, version, stored, proof } of proofs) {
    const name = documentName({ collection, entity: shownName(entity) })
    // Older versions of this program completed other programs' runs with documents of ours, which have no seal.
    if (!manifest && (proof === 'sealed' || (proof === 'derived' && collection === COMMIT_MARK)))
      throw corrupt(`${stored.path} is ours, and the manifest of the run is gone`)
    if (unsealed && isKept.has(name) && proof !== 'sealed' && !unsealed.includes(name))
      throw corrupt(`${stored.path} had a seal when it was stored, and has none`)
    // One of an earlier version was in the record before an update.
    if (mark?.version === version && proof === 'sealed' && !isKept.has(name))
      throw corrupt(`${stored.path} is ours, and the manifest of the run does not list it`)
  }
  return kept
}

/** Whether a document says an entity, or said it before artdaq's tools took it: an index keeps those. */
const isNamed = (stored: Stored, entity: string): boolean =>
  stored.facts.entities.includes(entity) || stored.removed('removeEntity').includes(entity)

/** Of a document that is larger, only what is still needed is held on to. */
const LARGE = 1 << 20

class ReadDocument implements StoredDocument {
  readonly collection: RunDocument['collection']
  readonly entity: string
  readonly original: RecordFile | undefined
  readonly #stored: Stored
  readonly #kept: Buffer | undefined

  constructor({ collection, entity, stored }: Chosen) {
    this.collection = collection === COMMIT_MARK ? 'SystemLayout' : 'RunHistory'
    this.entity = shownName(entity)
    const { original, text } = stored.originals
    this.original = original
    this.#kept = text
    this.#stored = stored.bytes.length > LARGE ? stored.withoutAttachments() : stored
  }

  get fhicl(): string {
    return this.canonical()
  }

  get text(): Buffer {
    return this.#kept ?? Buffer.from(this.canonical(), 'utf8')
  }

  canonical(): string {
    return canonicalText(this.#stored)
  }
}

function newestOfEach(held: readonly Held[], run: number): readonly Chosen[] {
  const byEntity = new Map<string, Held[]>()
  for (const one of held)
    for (const entity of one.entities) {
      const name = documentName({ collection: one.collection.name, entity })
      byEntity.set(name, [...(byEntity.get(name) ?? []), one])
    }
  return [...byEntity]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, ones]) => {
      const best = newest(ones)
      if (best?.stored) {
        const collection = best.collection.name
        return {
          collection,
          entity: name.slice(collection.length + 1),
          version: best.version,
          stored: best.stored,
        }
      }
      const path = best ? best.collection.documentPath(best.oid) : name
      throw new ArchiverError('STORE_CORRUPT', `run ${run}: ${path} is in the index and not on disk`, {
        run,
        hint: 'run-archiver artdaq check names all of them; importing the run again writes them again',
      })
    })
}

/** The documents that the manifest lists, in its order; a document of an earlier version whose file is gone is history. */
function inManifest(
  read: readonly ReadDocument[],
  { documents }: Attachments,
  run: number,
): readonly ReadDocument[] {
  const byName = new Map(read.map((one) => [documentName(one), one]))
  return documents.map((name) => {
    const found = byName.get(name)
    if (found) return found
    throw new ArchiverError('STORE_CORRUPT', `run ${run}: its document ${name} is not in the index`, { run })
  })
}

function requireWhole(
  manifest: RecordManifest,
  documents: readonly StoredDocument[],
  attached: readonly RecordFile[],
  run: number,
): void {
  const originals = documents.flatMap(({ original }) => original ?? [])
  const files = new Map([...originals, ...attached].map((file) => [file.name, file]))
  for (const { name, mode, size, sha256 } of manifest.files) {
    const file = files.get(name)
    const sound =
      file?.mode === mode && file.content.length === size && hash('sha256', file.content) === sha256
    if (!sound)
      throw new ArchiverError(
        'STORE_CORRUPT',
        `run ${run}: ${name} is ${file ? 'not what the manifest says' : 'missing'} in artdaqDB`,
        { run },
      )
  }
}
