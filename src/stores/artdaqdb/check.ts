import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Collection } from './index/collection.ts'
import type { IndexFacts } from '../store.ts'
import type { CollectionIndex } from './format/search-index.ts'
import type { Database } from './index/database.ts'
import { listDatabase } from './index/list-runs.ts'
import { runOf } from './names.ts'
import { shownName, type Stored } from './format/document-reader.ts'

/** Something that is not as it should be in a database. */
export interface Finding {
  readonly kind:
    | 'index' // missing, cut or garbled
    | 'orphan' // a document that the index does not know
    | 'missing' // the index knows it, and no file is there
    | 'unreadable'
    | 'name' // a document that gives itself another oid or collection than its file has
    | 'unlisted' // the index knows the document, and not all that it says of itself
    | 'duplicate' // several documents of one entity in one version: which one counts is chance
    | 'stray' // a file that is no document
    | 'incomplete' // a run of which only a part is there
  readonly path: string
  readonly run?: number | undefined
  readonly message: string
}

/** Opens every document of a database and compares it with its name and the index. Changes and creates nothing. */
export async function checkDatabase(
  database: Database,
  unfinished: ReadonlySet<string>,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const collection of await database.collections())
    findings.push(...(await checkCollection(collection, unfinished)))
  const { incomplete } = await listDatabase(database, unfinished)
  for (const run of incomplete)
    findings.push({ kind: 'incomplete', path: database.path, run, message: `run ${run} is not whole` })
  return findings
}

/** What of a document's own words the index does not repeat; nothing for a document that is listed in full. */
export function unlisted(index: CollectionIndex, facts: IndexFacts): readonly string[] {
  const { oid, version, configurations, entities, aliases, runs } = facts
  const lost = (
    section: Parameters<CollectionIndex['list']>[0],
    names: readonly string[],
  ): readonly string[] =>
    names.filter((name) => !index.list(section, name).has(oid)).map((name) => `${section} ${shownName(name)}`)
  return [
    ...lost('version', [version]),
    ...lost(
      'configurations.name',
      configurations.map(({ name }) => name),
    ),
    ...lost('entities.name', entities),
    ...lost('aliases.active.name', aliases),
    ...lost('runs.name', runs),
  ]
}

async function checkCollection(
  collection: Collection,
  unfinished: ReadonlySet<string>,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const { index, damage } = await collection.index()
  if (damage !== undefined) findings.push({ kind: 'index', path: collection.path, message: damage })
  const { orphans, missing } = await collection.difference()
  for (const oid of missing)
    findings.push({
      kind: 'missing',
      path: collection.documentPath(oid),
      message: 'it is in the index and not on disk',
    })
  const isOrphan = new Set(orphans)
  const seen = new Map<string, string>()
  const look = (stored: Stored): readonly Finding[] => [
    ...misnamed(collection, stored),
    ...(isOrphan.has(stored.facts.oid)
      ? [finding('orphan', stored, 'it is on disk and not in the index')]
      : unlisted(index, stored.facts).map((what) =>
          finding('unlisted', stored, `the index lacks its ${what}`),
        )),
    ...duplicates(seen, stored),
    ...damagedOriginals(stored),
  ]
  const oids = (await collection.oids()).filter((oid) => !unfinished.has(oid))
  const { kept, unreadable } = await collection.documents(oids.toSorted(), look)
  findings.push(...kept.flat())
  for (const { message } of unreadable) findings.push({ kind: 'unreadable', path: collection.path, message })
  return [...findings, ...(await strayFiles(collection))]
}

const finding = (kind: Finding['kind'], { path, facts }: Stored, message: string): Finding => ({
  kind,
  path,
  run: facts.configurations.map(({ name }) => runOf(name)).find((run) => run !== undefined),
  message,
})

function misnamed(collection: Collection, stored: Stored): readonly Finding[] {
  const findings: Finding[] = []
  if (stored.ownOid !== shownName(stored.facts.oid))
    findings.push(finding('name', stored, `it calls itself ${JSON.stringify(stored.ownOid)}`))
  const its = stored.ownCollection
  if (its !== collection.name)
    findings.push(finding('name', stored, `it says that it belongs to ${JSON.stringify(its)}`))
  return findings
}

function duplicates(seen: Map<string, string>, stored: Stored): readonly Finding[] {
  return stored.facts.entities.flatMap((entity) => {
    const name = `${stored.facts.version} ${entity}`
    const other = seen.get(name)
    seen.set(name, stored.path)
    const message = `${shownName(entity)} of version ${shownName(stored.facts.version)} is also in ${other ?? ''}`
    return other === undefined ? [] : [finding('duplicate', stored, message)]
  })
}

function damagedOriginals(stored: Stored): readonly Finding[] {
  try {
    stored.checkOriginals()
    return []
  } catch (error) {
    return [finding('unreadable', stored, error instanceof Error ? error.message : String(error))]
  }
}

async function strayFiles(collection: Collection): Promise<readonly Finding[]> {
  const entries = await readdir(collection.path, { withFileTypes: true })
  return entries
    .filter((entry) => !entry.isFile() || !entry.name.endsWith('.json'))
    .map((entry) => ({
      kind: 'stray',
      path: join(collection.path, entry.name),
      message: "artdaq's rebuild would take it for a document",
    }))
}
