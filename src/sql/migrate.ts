import { sql, type Kysely } from 'kysely'
import { ArchiverError } from '../errors.ts'
import type { Database } from './connection.ts'
import type { DialectName } from './database-url.ts'
import { timeText } from './timestamps.ts'

/** A step forward; no step goes back. Each statement may be run again: MySQL cannot roll back DDL, so a cut migration starts over there. */
export interface Migration {
  readonly version: number
  readonly name: string
  statements(dialect: DialectName, schema: string | undefined): readonly string[]
  /** Columns that are added to tables of earlier versions, with their SQL types. Those that exist are left alone. */
  readonly columns?: (dialect: DialectName) => Readonly<Record<string, Readonly<Record<string, string>>>>
}

export interface MigrateOptions {
  /** Whose tables these are, such as `ledger`: each subsystem counts its own versions. */
  readonly subsystem: string
  /** In order. A released migration never changes: a new one follows it. */
  readonly migrations: readonly Migration[]
  readonly now: () => number
  /** The program's version, for the record. */
  readonly by: string
  /** Made anew after the migrations whenever its fingerprint changes: views that follow the code. Runs under the same lock. */
  readonly refresh?: Refresh
}

export interface Refresh {
  /** At most 200 characters. */
  readonly fingerprint: string
  run(kysely: Kysely<never>): Promise<void>
}

/**
 * Brings a subsystem's tables to the newest version. Safe twice and by several programs at once: SQLite and PostgreSQL migrate in one
 * transaction behind a lock, MySQL behind a named lock. Throws LEDGER_UNAVAILABLE, and changes nothing, when a newer program has migrated.
 *
 * Kysely's own Migrator is not used: it makes its tables before it takes its lock, so two programs that start at once on SQLite fail.
 */
export const migrate = async <Schema>(database: Database<Schema>, options: MigrateOptions): Promise<void> => {
  const { dialect, schema } = database
  const kysely = database.kysely as unknown as Kysely<never>
  if (await isCurrent(kysely, schema, options)) return
  const name = `run-archiver.${options.subsystem}.`
  if (dialect === 'mysql')
    return kysely.connection().execute(async (connection) => {
      const lock = sql`CONCAT(${name}, LEFT(DATABASE(), 30))`
      const got = await sql<{ got: number | null }>`SELECT GET_LOCK(${lock}, 30) AS got`.execute(connection)
      if (got.rows[0]?.got !== 1)
        throw new ArchiverError('LEDGER_UNAVAILABLE', `another program is migrating the ${options.subsystem}`)
      try {
        await apply(connection, dialect, schema, options)
      } finally {
        await sql`SELECT RELEASE_LOCK(${lock})`.execute(connection)
      }
    })
  return kysely.transaction().execute(async (transaction) => {
    if (dialect === 'postgres') {
      await sql`SELECT pg_advisory_xact_lock(hashtext(${name + (schema ?? '')}))`.execute(transaction)
      if (schema !== undefined) await makeSchema(transaction, schema)
    }
    await apply(transaction, dialect, schema, options)
  })
}

/** Asks first: CREATE SCHEMA wants its privilege even where the schema exists. */
const makeSchema = async (kysely: Kysely<never>, schema: string): Promise<void> => {
  const { rows } = await sql`SELECT 1 FROM pg_namespace WHERE nspname = ${schema}`.execute(kysely)
  if (rows.length === 0) await sql.raw(`CREATE SCHEMA ${schema}`).execute(kysely)
}

/** The ledger's table had this name before other subsystems had one. */
const versionTable = (subsystem: string, schema: string | undefined): string => {
  const name = subsystem === 'ledger' ? 'schema_version' : `${subsystem}_schema_version`
  return schema === undefined ? name : `${schema}.${name}`
}

/** The row that keeps the fingerprint of `refresh`. */
const REFRESH_ROW = 0

/** Whether there is nothing to do: one query, so that starting costs no more than that. Throws where no connection is to be had. */
const isCurrent = (
  kysely: Kysely<never>,
  schema: string | undefined,
  { subsystem, migrations, refresh }: MigrateOptions,
): Promise<boolean> =>
  kysely.connection().execute(async (connection) => {
    try {
      const versions = sql.raw(versionTable(subsystem, schema))
      const query = sql<{ version: number; name: string }>`SELECT version, name FROM ${versions}`
      const { rows } = await query.execute(connection)
      const newest = Math.max(...rows.map(({ version }) => version))
      const fingerprint = rows.find(({ version }) => version === REFRESH_ROW)?.name
      return newest === (migrations.at(-1)?.version ?? 0) && fingerprint === refresh?.fingerprint
    } catch {
      return false // there is no such table; whatever else is wrong, migrating says it
    }
  })

const apply = async (
  kysely: Kysely<never>,
  dialect: DialectName,
  schema: string | undefined,
  { subsystem, migrations, refresh, now, by }: MigrateOptions,
): Promise<void> => {
  const versions = versionTable(subsystem, schema)
  await sql
    .raw(
      `CREATE TABLE IF NOT EXISTS ${versions} (version INTEGER PRIMARY KEY, name VARCHAR(255) NOT NULL,
        applied_at VARCHAR(30) NOT NULL, applied_by VARCHAR(100) NOT NULL)`,
    )
    .execute(kysely)
  const applied = await sql<{ version: number }>`SELECT version FROM ${sql.raw(versions)}`.execute(kysely)
  const done = new Set(applied.rows.map(({ version }) => version))
  refuseNewer(subsystem, Math.max(0, ...done), migrations.at(-1)?.version ?? 0)
  const record = (version: number, name: string) =>
    sql`INSERT INTO ${sql.raw(versions)} (version, name, applied_at, applied_by)
      VALUES (${version}, ${name}, ${timeText(now())}, ${by})`.execute(kysely)
  for (const migration of migrations) {
    if (done.has(migration.version)) continue
    await addColumns(kysely, dialect, schema, migration)
    for (const statement of migration.statements(dialect, schema)) await sql.raw(statement).execute(kysely)
    await record(migration.version, migration.name)
  }
  if (!refresh) return
  await refresh.run(kysely)
  await sql`DELETE FROM ${sql.raw(versions)} WHERE version = ${REFRESH_ROW}`.execute(kysely)
  await record(REFRESH_ROW, refresh.fingerprint)
}

const refuseNewer = (subsystem: string, found: number, known: number): void => {
  if (found <= known) return
  throw new ArchiverError(
    'LEDGER_UNAVAILABLE',
    `the ${subsystem} has version ${found}, made by a newer program; this one knows version ${known}`,
    { hint: 'upgrade this machine, or give it a database of its own (ledger.url)' },
  )
}

const addColumns = async (
  kysely: Kysely<never>,
  dialect: DialectName,
  schema: string | undefined,
  { columns }: Migration,
): Promise<void> => {
  for (const [table, added] of Object.entries(columns?.(dialect) ?? {})) {
    const there = await columnsOf(kysely, dialect, schema, table)
    const place = schema === undefined ? table : `${schema}.${table}`
    for (const [column, type] of Object.entries(added))
      if (!there.has(column))
        await sql.raw(`ALTER TABLE ${place} ADD COLUMN ${column} ${type}`).execute(kysely)
  }
}

const columnsOf = async (
  kysely: Kysely<never>,
  dialect: DialectName,
  schema: string | undefined,
  table: string,
): Promise<Set<string>> => {
  const query = {
    sqlite: sql<{ name: string }>`SELECT name FROM pragma_table_info(${table})`,
    postgres: sql<{ name: string }>`SELECT column_name AS name FROM information_schema.columns
      WHERE table_schema = ${schema ?? 'public'} AND table_name = ${table}`,
    mysql: sql<{ name: string }>`SELECT column_name AS name FROM information_schema.columns
      WHERE table_schema = DATABASE() AND table_name = ${table}`,
  }[dialect]
  return new Set((await query.execute(kysely)).rows.map(({ name }) => name))
}
