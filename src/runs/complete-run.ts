import { ArchiverError, messageOf } from '../errors.ts'
import type { RunDocument } from '../stores/run-record.ts'
import { HASHES, hashedEntities, isSoundList } from '../stores/artdaqdb/format/hashed-entities.ts'
import type { Archive } from '../stores/store.ts'
import { type Section, unpackBlob } from '../stores/ucondb/blob/blob.ts'
import type { Completion } from './import-stage.ts'
import { printedOf } from './verify/compare-documents.ts'

/**
 * The documents that another program's run lacks, as the archive's blob proves them to have been; as the record gives them, where the run is not archived.
 * Throws CONFLICT, naming the sections, where the record gives something else than is archived, and RECORD_CHANGING (the run stays pending) where
 * the archive cannot be reached.
 */
export const asArchived = async (
  archive: Pick<Archive, 'get'>,
  run: number,
  lacking: readonly RunDocument[],
  signal: AbortSignal,
): Promise<Completion> => {
  const names = lacking.map(({ entity }) => entity).join(', ')
  const sections = await archivedSections(archive, run, signal)
  if (!sections) return { documents: lacking, note: `it lacked ${names}, made again from its record` }
  const byName = new Map(sections.map(({ name, content }) => [name, content]))
  const differing: string[] = []
  const hashes = lacking.some(({ entity }) => entity === HASHES) ? byName.get(`${HASHES}.fcl`) : undefined
  const named = hashes && hashedEntities(hashes.toString('latin1'))
  // The list that is lost says, in the archive, which documents the run never had.
  const wanted = lacking.filter(({ entity }) => entity === HASHES || (named?.has(entity) ?? true))
  const documents = wanted.flatMap((document) => {
    const name = `${document.entity}.fcl`
    const archived = byName.get(name)
    if (document.entity === HASHES && archived) {
      const list = archivedHashes(document, archived)
      if (!list) differing.push(`${name} is damaged there`)
      return list ?? []
    }
    const proved = archived && formOf(document, archived)
    if (!proved) differing.push(archived ? `${name} is another there` : `${name} is not there`)
    return proved ?? []
  })
  if (differing.length > 0) throw conflict(run, names, differing)
  return {
    documents,
    note: `${wanted.map(({ entity }) => entity).join(', ')} was lost after the run was archived; written again as the archive has it`,
  }
}

/** The list of digests that the archive has, where it proves itself. */
const archivedHashes = (document: RunDocument, archived: Buffer): RunDocument | undefined => {
  const fhicl = archived.toString('latin1')
  return isSoundList(fhicl) ? { ...document, fhicl, text: archived, printed: undefined } : undefined
}

/** The document in the form, ours or the Python original's, that prints as the archive has it. */
const formOf = (document: RunDocument, archived: Buffer): RunDocument | undefined => {
  const isArchived = (form: string | undefined): form is string => {
    const text = printedOf(form)
    return text !== undefined && Buffer.from(text).equals(archived)
  }
  if (isArchived(document.fhicl)) return document
  const form = document.originalForm?.()
  return isArchived(form) ? { ...document, fhicl: form, printed: undefined } : undefined
}

const archivedSections = async (
  archive: Pick<Archive, 'get'>,
  run: number,
  signal: AbortSignal,
): Promise<readonly Section[] | undefined> => {
  try {
    return unpackBlob(await archive.get(run, 'newest', signal)).sections
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error
    if (error.code === 'NOT_FOUND') return undefined
    if (error.code !== 'STORE_UNAVAILABLE') throw error
    // New runs do not wait for the archive: this one does.
    throw new ArchiverError(
      'RECORD_CHANGING',
      `run ${run} lacks documents, and what the archive has of it cannot be read now: ${messageOf(error)}`,
      { cause: error, run },
    )
  }
}

const conflict = (run: number, names: string, differing: readonly string[]): ArchiverError =>
  new ArchiverError(
    'CONFLICT',
    `run ${run} lacks ${names} in artdaqDB, and its record does not give what the archive has: ${differing.join(', ')}`,
    {
      run,
      hint: `nothing was written; compare the copies: run-archiver diff ${run}. Then put the document back from a backup.`,
    },
  )
