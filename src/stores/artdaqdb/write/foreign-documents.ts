import { ArchiverError } from '../../../errors.ts'
import type { RecordManifest, RunDocuments } from '../../run-record.ts'
import { canonicalText } from '../format/canonical-export.ts'
import { damageOfHashes, HASHES, hashedEntities } from '../format/hashed-entities.ts'
import type { Stored } from '../format/document-reader.ts'
import { hasTraces } from '../format/proof.ts'
import { type ForeignMatch, wentOn } from '../format/record-went-on.ts'
import { newest, type Held } from '../index/run-documents.ts'
import { COMMIT_MARK } from '../names.ts'
import { documentsOf, isAlike, type Known, type Prepared } from './put-plan.ts'

/** What a run that another program stored says of itself: the entities that it stored; undefined where it does not say. */
export function namedIn(held: readonly Held[]): ReadonlySet<string> | undefined {
  const text = hashesOf(held)
  return text === undefined ? undefined : hashedEntities(text)
}

const hashesOf = (held: readonly Held[]): string | undefined => {
  const hashes = newest(held.filter((one) => one.indexed && one.stored && one.entities.includes(HASHES)))
  return hashes?.stored && canonicalText(hashes.stored)
}

/** Throws CONFLICT where what another program's run says of its documents is damaged: nothing may be completed by it, and it is not what was stored. */
export function requireSoundHashes({ run, documents }: RunDocuments, { held, foreign }: Known): void {
  const text = foreign && hashesOf(held)
  const damage = text === undefined ? undefined : damageOfHashes(text, documents)
  if (damage === undefined) return
  throw new ArchiverError('CONFLICT', `run ${run}: RunHistory/${HASHES} in artdaqDB is damaged: ${damage}`, {
    run,
    hint: 'nothing was written; put the document back from a backup',
  })
}

/**
 * The documents of a record that a run must have: all of a run of ours. Of one that another program stored, what is there is compared, but for the `schema`, which is the site's;
 * what is missing is written where it was made from a file, or where the run says that it was there.
 */
export const isWantedOf =
  ({ held, foreign }: Known) =>
  (document: Prepared): boolean =>
    foreign === undefined ||
    (document.collection !== COMMIT_MARK &&
      (documentsOf(held, document).length > 0 ||
        (foreign.hasLostHashes && document.entity === HASHES) ||
        (foreign.entities?.has(document.entity) ?? document.isOfFile)))

/**
 * Whether another program stored a run as its record was before it ended (`wentOn`). Documents may be missing; those of ours are an update of it that was
 * cut short before its `schema` counted.
 */
export const recordWentOn = (
  { held }: Known,
  documents: readonly Prepared[],
  manifest: RecordManifest | undefined,
): boolean => {
  const matches = new Map<string, ForeignMatch>()
  if (manifest?.ended)
    for (const document of documents) {
      const ofIt = document.collection === COMMIT_MARK ? [] : documentsOf(held, document)
      const theirs = ofIt.filter(({ indexed, stored }) => indexed && stored && !hasTraces(stored))
      const stored = newest(theirs)?.stored
      if (stored) matches.set(document.entity, matchOf(document, stored))
    }
  return wentOn(matches, manifest?.ended ?? false)
}

const matchOf = (document: Prepared, stored: Stored): ForeignMatch => {
  if (isAlike(document, stored)) return 'same'
  return document.earlierContents?.includes(stored.content) ? 'earlier' : 'other'
}
