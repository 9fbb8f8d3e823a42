import { ArchiverError } from '../../errors.ts'

/** Flags of the program that this grew from which have nothing to do here, and its password. */
export interface SeedFlags {
  readonly chunkSize?: string
  readonly enablePooling?: boolean
  readonly minPoolSize?: string
  readonly maxPoolSize?: string
  readonly disableMars?: boolean
  readonly enableInstrumentation?: boolean
  readonly password?: string
}

/** Why a flag that is accepted does nothing. */
const IDLE = {
  chunkSize: '--chunk-size does nothing: one process walks all keys and holds none of their payloads',
  enablePooling: '--enable-pooling does nothing: connections are kept as long as the run',
  minPoolSize: '--min-pool-size does nothing: there are as many connections as --workers',
  maxPoolSize: '--max-pool-size does nothing: there are as many connections as --workers',
  disableMars: '--disable-mars does nothing: a connection has one statement at a time',
  enableInstrumentation: '--enable-instrumentation does nothing: figures are always kept',
} as const satisfies Partial<Record<keyof SeedFlags, string>>

/**
 * The original's flags that are accepted and do nothing: a sentence for each, to be printed once. Those that name the database are read by
 * `namedTarget`. Throws USAGE for `--password`: everybody on the machine can read a command line.
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
  return Object.entries(IDLE).flatMap(([name, sentence]) =>
    flags[name as keyof SeedFlags] === undefined ? [] : [sentence],
  )
}
