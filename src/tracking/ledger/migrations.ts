import { createHash } from 'node:crypto'
import { sql, type Kysely } from 'kysely'
import { ArchiverError } from '../../errors.ts'
import type { LedgerDatabase } from './schema-types.ts'
import type { DialectName } from '../../sql/database-url.ts'
import type { LedgerSchema } from './schema-types.ts'
import { createStatements } from './ddl.ts'
import { qualified } from './tables.ts'
import { timeText } from '../../sql/timestamps.ts'
import { VIEWS, viewQuery } from './views.ts'

/** A step forward; there is none back. Every statement may be run again after a part of them was. */
export interface Migration {
  readonly version: number
  readonly name: string
  statements(dialect: DialectName, schema: string | undefined): readonly string[]
}

/** In order. One that was released is never changed: a new one follows it. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: 'executions, their steps, files and batches', statements: createStatements },
]

export interface MigrateOptions {
  readonly migrations: readonly Migration[]
  readonly now: () => number
  /** Who applies it, for the record: the program's version. */
  readonly by: string
}

/**
 * Brings the tables to the newest version and (re)makes the seeds' views. Safe twice and by two programs at once: SQLite and
 * PostgreSQL do it in one transaction behind a lock; MySQL, which cannot roll back DDL, behind a named lock, and a migration that
 * was cut short there is run again from its beginning. Throws LEDGER_UNAVAILABLE when a newer program has been here.
 * Gives back the names that views could not have, because something else has them.
 */
export const migrate = async (database: LedgerDatabase, options: MigrateOptions): Promise<string[]> => {
  const { kysely, dialect, schema } = database
  if (await isCurrent(database, options)) return []
  if (dialect === 'mysql')
    return kysely.connection().execute(async (connection) => {
      const lock = sql`CONCAT('run-archiver.ledger.', LEFT(DATABASE(), 40))`
      const got = await sql<{ got: number | null }>`SELECT GET_LOCK(${lock}, 30) AS got`.execute(connection)
      if (got.rows[0]?.got !== 1)
        throw new ArchiverError('LEDGER_UNAVAILABLE', 'another program is migrating the ledger')
      try {
        return await apply(connection, database, options)
      } finally {
        await sql`SELECT RELEASE_LOCK(${lock})`.execute(connection)
      }
    })
  return kysely.transaction().execute(async (transaction) => {
    if (dialect === 'postgres') {
      await sql`SELECT pg_advisory_xact_lock(hashtext(${`run-archiver.ledger.${schema ?? ''}`}))`.execute(
        transaction,
      )
      // Asked first: CREATE SCHEMA wants its privilege even where the schema is there already.
      const there = await sql`SELECT 1 FROM pg_namespace WHERE nspname = ${schema}`.execute(transaction)
      if (there.rows.length === 0) await sql.raw(`CREATE SCHEMA ${schema ?? ''}`).execute(transaction)
    }
    return apply(transaction, database, options)
  })
}

/** Whether there is nothing to do: one query, so that starting costs no more than that. */
const isCurrent = async (database: LedgerDatabase, { migrations }: MigrateOptions): Promise<boolean> => {
  const { kysely, dialect, schema } = database
  try {
    const versions = sql.raw(qualified(schema, 'schema_version'))
    const { rows } = await sql<{
      version: number
      name: string
    }>`SELECT version, name FROM ${versions}`.execute(kysely)
    const newest = Math.max(...rows.map(({ version }) => version))
    const views = rows.find(({ version }) => version === VIEWS_ROW)?.name
    return newest === (migrations.at(-1)?.version ?? 0) && views === viewsName(dialect, schema)
  } catch {
    return false // there is no such table; whatever else is wrong, migrating says it
  }
}

/** The row in `schema_version` that says which views there are. */
const VIEWS_ROW = 0

const viewsName = (dialect: DialectName, schema: string | undefined): string => {
  const texts = VIEWS.map((name) => viewQuery(name, dialect, schema)).join()
  return `views ${createHash('sha256').update(texts).digest('hex').slice(0, 16)}`
}

const apply = async (
  kysely: Kysely<LedgerSchema>,
  { dialect, schema }: LedgerDatabase,
  { migrations, now, by }: MigrateOptions,
): Promise<string[]> => {
  const versions = qualified(schema, 'schema_version')
  await sql
    .raw(
      `CREATE TABLE IF NOT EXISTS ${versions} (version INTEGER PRIMARY KEY, name VARCHAR(255) NOT NULL,
        applied_at VARCHAR(30) NOT NULL, applied_by VARCHAR(100) NOT NULL)`,
    )
    .execute(kysely)
  const applied = await sql<{ version: number }>`SELECT version FROM ${sql.raw(versions)}`.execute(kysely)
  const done = new Set(applied.rows.map(({ version }) => version))
  const newest = Math.max(0, ...done)
  const known = migrations.at(-1)?.version ?? 0
  if (newest > known)
    throw new ArchiverError(
      'LEDGER_UNAVAILABLE',
      `the ledger has version ${newest}, made by a newer program than this one, which knows ${known}`,
      { hint: 'upgrade this machine, or give it a ledger of its own (ledger.url)' },
    )
  for (const migration of migrations) {
    if (done.has(migration.version)) continue
    for (const statement of migration.statements(dialect, schema)) await sql.raw(statement).execute(kysely)
    await sql`INSERT INTO ${sql.raw(versions)} (version, name, applied_at, applied_by)
      VALUES (${migration.version}, ${migration.name}, ${timeText(now())}, ${by})`.execute(kysely)
  }
  const taken = await makeViews(kysely, dialect, schema)
  await sql`DELETE FROM ${sql.raw(versions)} WHERE version = ${VIEWS_ROW}`.execute(kysely)
  await sql`INSERT INTO ${sql.raw(versions)} (version, name, applied_at, applied_by)
    VALUES (${VIEWS_ROW}, ${viewsName(dialect, schema)}, ${timeText(now())}, ${by})`.execute(kysely)
  return taken
}

/**
 * Views follow the code, not the version: the seeds' words are made from tracking/ledger/status-words.ts. They are in the first schema of
 * the search path, where the seeds' queries look for them, or, where a user may make nothing there (`public` since PostgreSQL 15) or another
 * ledger has its own there, beside the tables. Something else with the name is left alone.
 */
const makeViews = async (
  kysely: Kysely<LedgerSchema>,
  dialect: DialectName,
  schema: string | undefined,
): Promise<string[]> => {
  const taken: string[] = []
  const place = dialect === 'postgres' ? await viewSchema(kysely, schema) : undefined
  const others = await takenNames(kysely, dialect, place)
  for (const name of VIEWS) {
    if (others.has(name)) {
      taken.push(name)
      continue
    }
    const query = viewQuery(name, dialect, schema)
    const view = qualified(place, name)
    const statements =
      dialect === 'sqlite'
        ? [`DROP VIEW IF EXISTS ${view}`, `CREATE VIEW ${view} AS ${query}`]
        : [`CREATE OR REPLACE VIEW ${view} AS ${query}`]
    for (const statement of statements) await sql.raw(statement).execute(kysely)
  }
  return taken
}

const viewSchema = async (
  kysely: Kysely<LedgerSchema>,
  own: string | undefined,
): Promise<string | undefined> => {
  const { rows } = await sql<{ name: string | null; may: boolean | null }>`
    SELECT quote_ident(current_schema()) AS name, has_schema_privilege(current_schema(), 'CREATE') AS may`.execute(
    kysely,
  )
  const [first] = rows
  if (first?.may !== true || first.name === null) return own
  return (await isOfAnother(kysely, first.name, own)) ? own : first.name
}

/** Whether a view of a seed's name there reads tables of another schema: of another ledger in this database, or somebody's own. */
const isOfAnother = async (
  kysely: Kysely<LedgerSchema>,
  place: string,
  own: string | undefined,
): Promise<boolean> => {
  const { rows } = await sql`
    SELECT 1 FROM pg_class v JOIN pg_rewrite r ON r.ev_class = v.oid
      JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
      JOIN pg_class t ON t.oid = d.refobjid AND t.oid <> v.oid
    WHERE v.relkind = 'v' AND v.relname IN (${sql.join([...VIEWS])}) AND v.relnamespace::regnamespace::text = ${place}
      AND t.relnamespace::regnamespace::text <> ${own ?? ''} LIMIT 1`.execute(kysely)
  return rows.length > 0
}

/** Tables, not views, that have a seed's name where the views would be: a site may have run the seeds' own programs. */
const takenNames = async (
  kysely: Kysely<LedgerSchema>,
  dialect: DialectName,
  place: string | undefined,
): Promise<Set<string>> => {
  const query = {
    sqlite: sql<{ name: string }>`SELECT name FROM sqlite_master WHERE type = 'table'`,
    postgres: sql<{
      name: string
    }>`SELECT tablename AS name FROM pg_tables WHERE quote_ident(schemaname) = ${place ?? ''}`,
    mysql: sql<{ name: string }>`SELECT table_name AS name FROM information_schema.tables
      WHERE table_schema = DATABASE() AND table_type <> 'VIEW'`,
  }[dialect]
  const { rows } = await query.execute(kysely)
  return new Set(rows.map(({ name }) => name))
}
