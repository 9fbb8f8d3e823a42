import type { Config } from '../config/settings.ts'
import { ArchiverError } from '../errors.ts'
import { bootTime, identity, now, startTicks } from '../platform/host.ts'
import { plainLog } from '../platform/log/logger.ts'
import { openLedger } from '../tracking/ledger/ledger.ts'
import type { LedgerDatabase } from '../tracking/ledger/schema-types.ts'
import type { Context } from './context.ts'
import { databasePassword } from '../sql/fresh-password.ts'

/**
 * Opens the ledger of a configuration for a command that reads it, and closes it after. Executions that died meanwhile are judged first.
 * Throws LEDGER_UNAVAILABLE when it is off or cannot be read.
 */
export const withLedger = async <Result>(
  { app, ledger: settings }: Pick<Config, 'app' | 'ledger'>,
  context: Context,
  read: (database: LedgerDatabase) => Promise<Result>,
): Promise<Result> => {
  const url = settings.url.reveal()
  if (url === 'off') throw new ArchiverError('LEDGER_UNAVAILABLE', 'ledger.url is off: there is no history')
  const ledger = openLedger({
    url,
    password: databasePassword(settings),
    schema: settings.schema,
    workDir: app.workDir,
    identity: identity(),
    bootTime: bootTime(),
    startTicksOf: startTicks,
    foreignSilence: settings.foreignHostTimeoutSeconds * 1000,
    now,
    log: plainLog({
      level: 'warn',
      format: 'human',
      out: (line) => context.err(`${line}\n`),
      journald: false,
      now,
    }),
    version: context.version,
  })
  const database = await ledger.ready(5000)
  if (!database)
    throw new ArchiverError('LEDGER_UNAVAILABLE', 'the ledger cannot be read', {
      hint: 'the warning above says why; config check tries each connection',
    })
  try {
    return await read(database)
  } finally {
    await ledger.close()
  }
}
