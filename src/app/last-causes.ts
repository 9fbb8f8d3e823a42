import { existsSync } from 'node:fs'
import type { RunSet } from '../common/run-set.ts'
import { now } from '../platform/host.ts'
import { plainLog } from '../platform/log/logger.ts'
import type { Archiver } from '../runs/archiver.ts'
import type { FailureCause, StoppedPass } from '../runs/report/report.ts'
import { databasePlace, schemaName } from '../sql/database-url.ts'
import type { PastExecution } from '../tracking/ledger/history-queries.ts'
import type { Context } from './context.ts'
import { databasePassword } from '../sql/fresh-password.ts'

/** Why runs failed and the last pass stopped, as the ledger has it. */
export interface LastCauses {
  readonly stopped?: StoppedPass | undefined
  readonly causes: readonly FailureCause[]
}

/** So far back, in milliseconds, and at most so many failed attempts are looked at. */
const BACK = 90 * 86_400_000
const ATTEMPTS = 2000
/** Milliseconds that a ledger on a server may take: the report does without it. */
const PATIENCE = 2000

/** Executions that archive runs; the others look, or rebuild. */
const isPass = (task: string): boolean => !/^(recover|merge|report|rows|records)/.test(task)

/** The error that ended an execution; a signal and a kill are made good by the next pass. */
const stoppedBy = (last: PastExecution): StoppedPass | undefined => {
  const { error, exitCode, endedAt, startedAt, status, task } = last
  return error === null || exitCode === null || exitCode === 0 || status === 'KILLED'
    ? undefined
    : { at: endedAt ?? startedAt, task, reason: error }
}

/** Asks the ledger, where there is one that answers. Never throws, and makes no ledger where none is. */
export const lastCauses = async (
  { config }: Archiver,
  open: { readonly import: RunSet; readonly migrate: RunSet },
  context: Context,
): Promise<LastCauses> => {
  const { url, schema } = config.ledger
  const place = databasePlace(url.reveal(), config.app.workDir)
  if (!place || (place.dialect === 'sqlite' && !existsSync(place.file))) return { causes: [] }
  const log = plainLog({ level: 'error', format: 'human', out: () => undefined, journald: false, now })
  try {
    const { openStore } = await import('../tracking/ledger/ledger-database.ts')
    const { pastExecutions } = await import('../tracking/ledger/history-queries.ts')
    const { failedAttempts } = await import('../tracking/api/task-reads.ts')
    const { failureGroups } = await import('../web/failure-groups.ts')
    const store = await openStore({
      place,
      schema: schemaName(schema),
      password: databasePassword(config.ledger),
      timeout: PATIENCE,
      now,
      log,
      version: context.version,
      onRefused: () => undefined,
    })
    try {
      const past = await pastExecutions(store.database, { since: undefined, states: undefined, limit: 20 })
      const last = past.find(({ task, endedAt }) => endedAt !== undefined && isPass(task))
      const stopped = last && stoppedBy(last)
      const attempts = await failedAttempts(store.database, now() - BACK, ATTEMPTS)
      return {
        stopped,
        causes: failureGroups(attempts, now(), open).flatMap(({ stage, code, message, runs }) =>
          stage === 'import' || stage === 'migrate' ? [{ stage, code, message, runs }] : [],
        ),
      }
    } finally {
      await store.close()
    }
  } catch {
    return { causes: [] } // The report says what is where; why it came to that is more than it owes.
  }
}
