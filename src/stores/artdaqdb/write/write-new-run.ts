import { join } from 'node:path'
import type { RunDocuments } from '../../run-record.ts'
import type { NewRun, NewRunPlace } from '../../store.ts'
import { asStoreError } from '../index/store-errors.ts'
import { factsOf } from '../format/document-printer.ts'
import { oidOf } from '../names.ts'
import { type NewDocument, placeDocuments, type Stop } from './write-documents.ts'
import { prepare, requireSound } from './prepare-documents.ts'

/**
 * Writes all documents of a run that the database knows nothing of. They are durable when this returns, and orphans until the database's
 * committer has given them their place in the indexes. Throws RECORD_INVALID before anything is written; STORE_UNAVAILABLE where the system
 * does not let it write, and VERIFY_MISMATCH: then some documents may be there, as orphans that the next put takes over.
 */
export const writeNewRun = async (
  run: RunDocuments,
  { database, time }: NewRunPlace,
  newUuid: () => string,
  stop: Stop,
): Promise<NewRun> => {
  requireSound(run)
  const configuration = `${run.run}/${run.configName}`
  const about = { configuration, version: configuration, run: String(run.run), time }
  const documents: NewDocument[] = []
  const named: NewRun['documents'][number][] = []
  for (const { collection, entity, parts, rawdata, attachments } of prepare(run, [])) {
    const oid = oidOf(newUuid())
    const facts = { ...about, oid, collection, entity, rawdata, attachments }
    documents.push({ path: join(database, collection, `${oid}.json`), parts, facts })
    named.push({ collection, facts: factsOf(facts) })
  }
  try {
    await placeDocuments(database, documents, stop)
  } catch (error) {
    throw asStoreError(database, error) // here, where it cannot be taken for trouble with the record that was read
  }
  return {
    run: run.run,
    manifest: run.manifest,
    notes: run.notes ?? [],
    losses: run.losses ?? [],
    documents: named,
  }
}
