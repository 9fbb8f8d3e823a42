import { ArchiverError } from '../../errors.ts'

/** Flags of the program that this grew from which have nothing to do here. */
export interface SeedFlags {
  readonly chunkSize?: string
  readonly enablePooling?: boolean
  readonly minPoolSize?: string
  readonly maxPoolSize?: string
  readonly disableMars?: boolean
  readonly connectionTimeout?: string
  readonly enableInstrumentation?: boolean
  readonly productLine?: string
  readonly server?: string
  readonly database?: string
  readonly username?: string
  readonly password?: string
}

/** Why a flag that is accepted does nothing. */
const IDLE = {
  chunkSize: '--chunk-size does nothing: one process walks all keys and holds none of their payloads',
  enablePooling: '--enable-pooling does nothing: connections are kept as long as the run',
  minPoolSize: '--min-pool-size does nothing: there are as many connections as --workers',
  maxPoolSize: '--max-pool-size does nothing: there are as many connections as --workers',
  disableMars: '--disable-mars does nothing: a connection has one statement at a time',
  connectionTimeout: '--connection-timeout does nothing: records.timeout_seconds says it',
  enableInstrumentation: '--enable-instrumentation does nothing: figures are always kept',
  productLine: '--product-line does nothing: the task names its mapping',
} as const satisfies Partial<Record<keyof SeedFlags, string>>

/**
 * The sentences to tell once for flags that are accepted and do nothing. Throws USAGE for those that would change where rows go: a database is
 * named by the configuration alone, and a password in a command line can be read by everybody on the machine.
 */
export const readSeedFlags = (flags: SeedFlags): string[] => {
  if (flags.password !== undefined)
    throw new ArchiverError(
      'USAGE',
      '--password is refused: everybody on the machine can read a command line',
      {
        hint: 'records.target_password takes ${VARIABLE} or a file',
      },
    )
  for (const name of ['server', 'database', 'username'] as const)
    if (flags[name] !== undefined)
      throw new ArchiverError('USAGE', `--${name} is refused: records.target_url says which database`, {
        hint: 'target_url: postgres://user@server/database, mysql://user@server/database or sqlite:FILE',
      })
  return Object.entries(IDLE).flatMap(([name, sentence]) =>
    flags[name as keyof SeedFlags] === undefined ? [] : [sentence],
  )
}
