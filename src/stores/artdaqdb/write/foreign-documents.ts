import { canonicalText } from '../format/canonical-export.ts'
import { HASHES, hashedEntities } from '../format/hashed-entities.ts'
import { newest, type Held } from '../index/run-documents.ts'
import { COMMIT_MARK } from '../names.ts'
import { documentsOf, type Known, type Prepared } from './put-plan.ts'

/** What a run that another program stored says of itself: the entities that it stored; undefined where it does not say. */
export function namedIn(held: readonly Held[]): ReadonlySet<string> | undefined {
  const hashes = newest(held.filter((one) => one.indexed && one.stored && one.entities.includes(HASHES)))
  return hashes?.stored && hashedEntities(canonicalText(hashes.stored))
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
        (foreign.entities?.has(document.entity) ?? document.isOfFile)))
