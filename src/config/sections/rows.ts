import { redactUrl } from '../../common/redact.ts'
import { Secret } from '../../common/secret.ts'
import { secret } from '../addresses.ts'
import { duration, pause } from '../quantities.ts'
import { key, optional, section } from '../schema.ts'
import { childTables } from '../row-children.ts'
import { choice, decimal, integer, type Kind, list, map, path, special, text, words } from '../value-types.ts'

const checked = (value: string): string => {
  if (/^(?:mysql|mariadb|postgres(?:ql)?):\/\//i.test(value) && URL.canParse(value)) return value
  throw new SyntaxError('must be mysql://user@host/database, mariadb://... or postgres://...')
}

/** The URL of a database; it may hold a password, so it is kept as a secret, and shown without it. */
const databaseUrl: Kind<Secret> = {
  ...special<Secret>(
    'URL (mysql://, mariadb://, postgres://)',
    (value, { readAgain }) => new Secret(checked(value), readAgain && (() => checked(readAgain()))),
  ),
  secret: true,
  show: (url) => redactUrl(url.reveal()),
}

/** The same, or the URL of a folder. */
const archiveUrl: Kind<Secret> = {
  ...special<Secret>('URL (mysql://, mariadb://, postgres://, file:///folder)', (value, surroundings) => {
    if (!/^file:/i.test(value)) return databaseUrl.read(value, surroundings)
    const url = URL.canParse(value) ? new URL(value) : undefined
    const isPath = url !== undefined && /^file:\/\/\/[^/]/i.test(value) && url.search + url.hash === ''
    if (!isPath) throw new SyntaxError('must be file:///folder, with the whole path of the folder')
    return new Secret(value)
  }),
  secret: true,
  show: (url) => redactUrl(url.reveal()),
}

const batchSize: Kind<number | 'auto'> = special<number | 'auto'>(
  'auto, or a whole number from 1 to 10000',
  (value) => {
    if (/^auto$/i.test(value)) return 'auto'
    const size = /^[1-9]\d{0,4}$/.test(value) ? Number(value) : 0
    if (size < 1 || size > 10_000) throw new SyntaxError('must be auto, or a whole number from 1 to 10000')
    return size
  },
)

/** Names of server values with their limits, each read where it is used. */
const limits: Kind<ReadonlyMap<string, string>> = {
  ...map,
  type: 'map of whole numbers',
  read: (raw, place) => {
    const found = map.read(raw, place)
    for (const [name, limit] of found)
      if (!/^\d+$/.test(limit)) throw new SyntaxError(`the limit of ${name} must be a whole number`)
    return found
  },
}

/** `22:00-06:00`. */
const window: Kind<string> = special('window such as 22:00-06:00', (value) => {
  const [, from, to] = /^((?:[01]?\d|2[0-3]):[0-5]\d)-((?:[01]?\d|2[0-3]):[0-5]\d|24:00)$/.exec(value) ?? []
  const isEmpty = from !== undefined && from.padStart(5, '0') === to?.padStart(5, '0')
  if (from !== undefined && !isEmpty) return value
  throw new SyntaxError(
    `must be windows such as 22:00-06:00${isEmpty ? `; ${value} is empty, the whole day is 00:00-24:00` : ''}`,
  )
})

const throttle = section(
  'When the servers are busy, no batch begins. Any one reason holds the next batch back.',
  {
    max_replica_lag: optional(duration(), {
      as: 'maxReplicaLagSeconds',
      doc: 'The longest lag of a replica; on MariaDB and MySQL of those in `replicas`. A replica that does not answer counts as late.',
    }),
    replicas: key(list(databaseUrl), [], {
      doc: 'The replicas that are looked at. PostgreSQL: left out, all that the primary knows.',
    }),
    max_hll: optional(integer(1), {
      doc: 'The longest history list of InnoDB; on PostgreSQL the age of the oldest snapshot in transactions.',
    }),
    max_load: key(limits, new Map(), {
      doc: 'Server status values and their limits, such as `Threads_running: 50`. PostgreSQL: `Threads_running` alone, the sessions that run a statement.',
    }),
    critical_load: key(limits, new Map(), { doc: 'The same; above such a limit the run ends, resumable.' }),
    query: optional(text, {
      doc: 'A query on the source; a number above 0, or a comparison that holds, holds the next batch back.',
    }),
    flag_file: optional(path, { doc: 'While this file exists no batch begins.' }),
    nice_ratio: key(decimal(0, 100), '0', {
      doc: 'Rest after each batch: so many times as long as the batch took.',
    }),
    check_interval: key(pause(0.05), '1s', {
      as: 'checkIntervalSeconds',
      doc: 'Between two looks while a batch is held back; the oldest look that counts.',
    }),
    max_pause: key(pause(0), '1h', {
      as: 'maxPauseSeconds',
      doc: 'After so long a pause the run ends; the next one goes on.',
    }),
    windows: key(words(window), [], {
      doc: 'Hours of local time in which batches may begin, such as `22:00-06:00`.',
    }),
  },
)

export const rows = section(
  '`run-archiver rows`: rows of a SQL table, moved to its archive table by lists of ids.',
  {
    source: optional(databaseUrl, { doc: 'The database of the live table. Needed for `rows`.' }),
    password: optional(secret, { doc: 'The password of `source`, where its URL has none.' }),
    password_command: optional(text, {
      doc: 'A shell command that prints the password for `source`, where `password` is not set.',
    }),
    table: key(text, '', {
      doc: 'The live table; `schema.table` where it is not in the default schema. Needed for `rows`.',
    }),
    archive_table: key(text, '', {
      doc: 'The archive table in the same database. Needed, unless `archive.table` is given.',
    }),
    archive: section(
      'An archive in another database, on another server, or in files: `archive: file:///folder` is enough.',
      {
        url: optional(archiveUrl, {
          doc: 'Its database, or `file:///folder`: rows become files there. Left out: the database of `source`.',
        }),
        format: key(choice('jsonl', 'csv'), 'jsonl', { doc: 'Of files: JSON lines or CSV.' }),
        table: key(text, '', { doc: 'The archive table there.' }),
        password: optional(secret, {
          doc: 'For `url`, where it has none. Left out: the password of `source`.',
        }),
      },
      { short: 'url' },
    ),
    children: key(childTables, '[]', {
      doc: 'Tables whose rows refer to those of `table`: moved before them, in the same transaction. Each with `table`, `key` (its columns that hold the key of the table above), and where wanted `archive_table` and `children`.',
    }),
    files: key(list(path), [], {
      doc: 'CSV files of ids; the last part may hold `*` and `?`. Done in the order of their names.',
    }),
    where: optional(text, {
      doc: 'In place of files: the rows for which this SQL holds, such as `created < NOW() - INTERVAL 90 DAY` (in UTC). Along the primary key; asked again under locks.',
    }),
    batch_size: key(batchSize, '2200', {
      doc: 'Ids of a batch, which is one transaction. `auto`: so many that a batch takes half a second, 100 to 10000.',
    }),
    columns: key(words(text), [], {
      doc: "Columns of the files that hold the key, by name or number from 1. Left out: those with the key's names, else the first.",
    }),
    header: key(choice('auto', 'yes', 'no'), 'auto', {
      doc: 'Whether the first line of a file names its columns.',
    }),
    bad_lines: key(choice('stop', 'skip'), 'stop', {
      doc: 'A line that is no key: the file fails before anything moves, or the line is counted and skipped.',
    }),
    on_batch_error: key(choice('stop', 'continue'), 'stop', {
      doc: 'After a batch that the archive refuses.',
    }),
    run_time: optional(duration(), { as: 'runTimeSeconds', doc: 'After so long no further batch begins.' }),
    sleep: key(pause(), '0', { as: 'sleepSeconds', doc: 'Rest after each batch.' }),
    grace: key(pause(), '10s', {
      as: 'graceSeconds',
      doc: 'After a signal, how long the batch in hand may take; then it is rolled back.',
    }),
    timeout: key(pause(1), '50s', {
      as: 'timeoutSeconds',
      doc: "For a connection, for the wait for a row's lock, and for the silence after which a server is asked whether it still works on a statement.",
    }),
    log: optional(databaseUrl, {
      doc: "The database of the log tables; where its URL has no password, that of `source` is used. Left out: the source's, where a batch's row commits with its rows.",
    }),
    throttle,
  },
)
