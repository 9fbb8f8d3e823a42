import { messageOf } from '../../errors.ts'
import type { Log } from '../../common/log.ts'
import { interrupted } from './close-dead.ts'
import type { LedgerDatabase } from './schema-types.ts'
import { countStored } from './stored-before-death.ts'

/** What is known at the start of a stage. */
export interface Before {
  /** The execution that looks. */
  readonly self: string
  /** Whether the stage's destination lists an item; undefined where that is not known. */
  readonly isStored: ((key: string) => boolean) | undefined
}

/** At the start of a stage: counts what an execution that died had stored, and logs from where the stage goes on. Never throws. */
export const lookBack = async (
  database: LedgerDatabase,
  stage: string,
  { self, isStored }: Before,
  { log, now }: { readonly log: Log; readonly now: () => number },
): Promise<void> => {
  try {
    if (isStored) await countStored(database, stage, isStored, now())
    const before = await interrupted(database, stage, self)
    if (before) log.info(`RESUMING: ${stage} from batch ${before.batch} (Runs processed: ${before.done})`)
  } catch (error) {
    log.warn(`What the ledger has of an interrupted pass could not be read: ${messageOf(error)}`)
  }
}
