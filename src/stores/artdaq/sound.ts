import { ArchiverError } from '../../errors.ts'
import type { RunDocument, RunDocuments } from '../run-record.ts'
import { COMMIT_MARK, requireSafeName } from '../artdaqdb/names.ts'

/**
 * Refuses a run that cannot be stored as it is, before anything is written: names that artdaq's tools could take for something else, two
 * documents of one name, a manifest that no document could carry. Throws RECORD_INVALID.
 */
export function requireSound({ run, configName, documents, manifest, attached }: RunDocuments): void {
  requireSafeName('configuration', configName, run)
  const seen = new Set<string>()
  for (const { collection, entity } of documents) {
    requireSafeName('entity', entity, run)
    const name = `${collection}/${entity}`
    if (seen.has(name))
      throw new ArchiverError('RECORD_INVALID', `run ${run} has two documents ${name}`, { run })
    seen.add(name)
  }
  const carries = documents.some((document: RunDocument) => document.collection === COMMIT_MARK)
  if ((manifest !== undefined || attached.length > 0) && !carries)
    throw new ArchiverError(
      'RECORD_INVALID',
      `run ${run} has no document in ${COMMIT_MARK} to keep its manifest`,
      {
        run,
      },
    )
}
