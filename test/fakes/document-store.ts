import { createHash } from 'node:crypto'
import { RunSet } from '../../src/common/run-set.ts'
import type { Listing, DocumentStore } from '../../src/stores/store.ts'
import type { RecordManifest, RunDocuments, StoredDocument, StoredRun } from '../../src/stores/run-record.ts'
import { ArchiverError } from '../../src/errors.ts'
import { canonicalOf } from '../../src/stores/artdaqdb/format/canonical-export.ts'
import { sameRecord } from '../../src/stores/artdaqdb/write/compare-manifests.ts'

/** What survives of a fake store when its process ends. */
export interface Kept {
  readonly runs: Map<number, RunDocuments[]>
}

/** An artdaqDB in memory, for tests of the stages. It keeps the same promises as the real ones: see test/conformance. */
export class MemoryDocumentStore implements DocumentStore {
  readonly kept: Kept
  readonly #waiting = new Map<number, RunDocuments[]>()
  /** Thrown by the next call of the named method, once. */
  readonly failNext = new Map<'list' | 'put' | 'commit' | 'read', Error>()
  commits = 0

  constructor(kept: Kept = { runs: new Map() }) {
    this.kept = kept
  }

  async list(): Promise<Listing> {
    await this.#step('list')
    const updates = [...this.kept.runs].flatMap(([run, all]) =>
      all.length > 1 ? [[run, all.length - 1] as const] : [],
    )
    return {
      runs: RunSet.of(this.kept.runs.keys()),
      incomplete: RunSet.EMPTY,
      updates: new Map(updates),
      notes: [],
    }
  }

  async put(documents: RunDocuments, signal: AbortSignal): Promise<'stored' | 'present' | 'updated'> {
    signal.throwIfAborted()
    await this.#step('put')
    const { run, manifest } = documents
    const before = [...(this.kept.runs.get(run) ?? []), ...(this.#waiting.get(run) ?? [])].at(-1)
    if (!before) return this.#add(documents, 'stored')
    if (manifest && before.manifest) {
      if (sameRecord(before.manifest, manifest)) return 'present'
      const gone = before.manifest.files.some(
        ({ name }) => !manifest.files.some((file) => file.name === name),
      )
      if (gone && before.manifest.ended) throw conflict(run)
      return this.#add(documents, 'updated')
    }
    if (digest(before) !== digest(documents)) throw conflict(run)
    return 'present'
  }

  commitDue(): boolean {
    return this.#waiting.size > 0
  }

  async commit(): Promise<void> {
    await this.#step('commit')
    if (this.#waiting.size > 0) this.commits++
    for (const [run, all] of this.#waiting)
      this.kept.runs.set(run, [...(this.kept.runs.get(run) ?? []), ...all])
    this.#waiting.clear()
  }

  async read(run: number, signal: AbortSignal): Promise<StoredRun> {
    signal.throwIfAborted()
    await this.#step('read')
    const all = this.kept.runs.get(run) ?? []
    const newest = all.at(-1)
    if (!newest) throw new ArchiverError('NOT_FOUND', `run ${run} is not in the fake artdaqDB`, { run })
    const documents = newest.documents.map((one): StoredDocument => ({
      ...one,
      canonical: () => canonicalOf(one.fhicl),
    }))
    return { ...newest, documents, update: all.length - 1 }
  }

  manifest(run: number): Promise<RecordManifest | undefined> {
    return Promise.resolve(this.kept.runs.get(run)?.at(-1)?.manifest)
  }

  fingerprint(): Promise<string> {
    const state = [...this.kept.runs].map(([run, all]) => [run, all.map(digest)])
    return Promise.resolve(createHash('sha256').update(JSON.stringify(state)).digest('hex'))
  }

  async probe(): Promise<void> {
    await this.#step('list')
  }

  #add(documents: RunDocuments, result: 'stored' | 'updated'): 'stored' | 'updated' {
    this.#waiting.set(documents.run, [...(this.#waiting.get(documents.run) ?? []), documents])
    return result
  }

  /** As the real ones, it never answers in the same turn of the event loop. */
  async #step(method: 'list' | 'put' | 'commit' | 'read'): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    const error = this.failNext.get(method)
    this.failNext.delete(method)
    if (error) throw error
  }
}

/** What two equal runs have in common where no manifest tells. */
const digest = ({ documents }: RunDocuments): string =>
  JSON.stringify(
    documents.map(({ collection, entity, fhicl }) => [collection, entity, canonicalOf(fhicl)]).sort(),
  )

const conflict = (run: number): ArchiverError =>
  new ArchiverError('CONFLICT', `run ${run}: other content is there`, { run })
