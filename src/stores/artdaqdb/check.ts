import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { ArchiverError, messageOf } from '../../errors.ts'
import { writeJsonBytes } from '../../fhicl/json/printer.ts'
import { RunSet } from '../../common/run-set.ts'
import type { StoredRun } from '../run-record.ts'
import type { IndexFacts } from '../store.ts'
import { type Collection, INDEX } from './index/collection.ts'
import type { Database } from './index/database.ts'
import { listDatabase } from './index/list-runs.ts'
import { asIndexed, surplus, unlisted } from './index/index-differences.ts'
import { COMMIT_MARK, runOf } from './names.ts'
import { readRun } from './read/read-run.ts'
import { misplaced, type Stray, strayFiles } from './stray-files.ts'
import { contentOf, type Stored } from './format/document-reader.ts'
import { shownName } from './format/index-names.ts'
import { partsOf } from './format/mended.ts'
import { hasTraces, prove } from './format/proof.ts'

/** Something that is not as it should be in a database. */
export interface Finding {
  readonly kind:
    | 'index' // missing, cut or garbled
    | 'orphan' // a document that the index does not know
    | 'missing' // the index knows it, and no file is there
    | 'unreadable' // a document that cannot be read, or is not what was stored
    | 'damaged' // a run that its manifest describes otherwise
    | 'name' // a document that gives itself another oid or collection than its file has
    | 'unlisted' // the index knows the document, and not all that it says of itself
    | 'surplus' // a name in the index that no document bears
    | 'duplicate' // several documents of one entity in one version, or another content of a run in a newer database
    | 'stray' // a file that is not a document, or one where none is looked for
    | 'incomplete' // a run of which only a part is there
    | 'note' // nothing is wrong: worth knowing
  readonly path: string
  readonly run?: number | undefined
  readonly message: string
}

/** How a run that another program stored differs from its record; undefined where that cannot be read now. */
export type CompareForeign = (stored: StoredRun) => Promise<readonly string[] | undefined>

/** Opens every document of a database and compares it with its name and the index, and runs of other programs with their records. Changes and creates nothing. */
export async function checkDatabase(
  database: Database,
  unfinished: ReadonlySet<string>,
  compare?: CompareForeign,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const collection of await database.collections())
    findings.push(...(await checkCollection(collection, unfinished)))
  findings.push(...(await misplaced(database.path)).map(strayFinding))
  const { runs, incomplete } = await listDatabase(database, unfinished)
  const { path } = database
  for (const run of incomplete)
    findings.push({ kind: 'incomplete', path, run, message: `run ${run} is not whole` })
  const alone: number[] = []
  for (const run of runs) {
    const damage = await damageOf(database, run, compare)
    if (damage === undefined) alone.push(run)
    for (const message of damage ?? [])
      if (!findings.some((one) => message.includes(one.message)))
        findings.push({ kind: 'damaged', path, run, message })
  }
  if (alone.length > 0) {
    const message = `stored by another program, and without a record to compare them with: ${RunSet.of(alone).toString()}`
    findings.push({ kind: 'note', path, message })
  }
  return findings
}

/** What is wrong with a run as a reader is given it; undefined where another program stored it and there is nothing to compare it with. */
async function damageOf(
  database: Database,
  run: number,
  compare: CompareForeign = () => Promise.resolve([]),
): Promise<readonly string[] | undefined> {
  try {
    const stored = await readRun(database, run)
    return stored.manifest ? [] : (await compare(stored))?.map((what) => `run ${run}: ${what}`)
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'STORE_CORRUPT') return [error.message]
    throw error
  }
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
  const seen = new Map<string, Seen>()
  const look = (stored: Stored): readonly Finding[] => [
    ...misnamed(collection, stored),
    ...(isOrphan.has(stored.facts.oid)
      ? [finding('orphan', stored, 'it is on disk and not in the index')]
      : unlisted(index, stored.facts).map((what) =>
          finding('unlisted', stored, `the index lacks its ${what}`),
        )),
    ...duplicates(seen, stored),
  ]
  const oids = (await collection.oids()).filter((oid) => !unfinished.has(oid))
  const said = new Map<string, IndexFacts>()
  const { kept, unreadable } = await collection.documents(oids.toSorted(), (stored) => {
    said.set(stored.facts.oid, asIndexed(stored))
    return look(stored)
  })
  findings.push(...kept.flat())
  for (const { oid } of unreadable) said.delete(oid)
  if (damage === undefined)
    for (const message of surplus(index, said))
      findings.push({ kind: 'surplus', path: join(collection.path, INDEX), message })
  for (const { message } of unreadable) findings.push({ kind: 'unreadable', path: collection.path, message })
  return [...findings, ...(await strayFiles(collection.path)).map(strayFinding)]
}

const strayFinding = (stray: Stray): Finding => ({ kind: 'stray', ...stray })

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
  return findings.length > 0 ? findings : unproved(stored)
}

/** Whether a document says what the text gives that it keeps beside it. One without such a text has nothing to be compared with. */
const fitsOriginal = (stored: Stored): boolean => {
  const { text } = stored.originals
  if (text === undefined) return true
  const parts = partsOf(text, shownName(stored.facts.entities[0] ?? ''))
  return (
    contentOf(parts) === stored.content &&
    parts.comments.equals(writeJsonBytes(stored.json.get('comments') ?? []))
  )
}

interface Seen {
  readonly path: string
  readonly content: string
}

/** artdaq's tools load the same `schema` again with each update of a run: that is a note. */
function duplicates(seen: Map<string, Seen>, stored: Stored): readonly Finding[] {
  return stored.facts.entities.flatMap((entity) => {
    const name = `${stored.facts.version} ${entity}`
    const other = seen.get(name)
    const { path } = stored
    const content = sha256Of(stored.content)
    seen.set(name, { path, content })
    if (other === undefined) return []
    const isAgain = stored.ownCollection === COMMIT_MARK && other.content === content && !hasTraces(stored)
    const message = `${shownName(entity)} of version ${shownName(stored.facts.version)} is also in ${other.path}`
    return [finding(isAgain ? 'note' : 'duplicate', stored, message)]
  })
}

const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex')

function unproved(stored: Stored): readonly Finding[] {
  try {
    const isSealed = prove(stored) === 'sealed'
    return isSealed && !fitsOriginal(stored)
      ? [finding('unreadable', stored, 'it fits its seal, and is not what its original gives: somebody has sealed it again')] // prettier-ignore
      : []
  } catch (error) {
    return [finding('unreadable', stored, messageOf(error))]
  }
}
