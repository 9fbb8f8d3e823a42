import { createHash } from 'node:crypto'
import { sql, type Kysely } from 'kysely'
import type { Refresh } from '../../sql/migrate.ts'
import type { DialectName } from '../../sql/database-url.ts'
import { qualified } from './table-types.ts'
import { OWN_VIEWS, ownViewQuery } from './own-views.ts'
import { VIEWS, viewQuery } from './views.ts'

/** A name of older programs too, so it is where they look, as well as beside the tables. */
const HISTORY = 'pipeline_status_history'

/** Makes the views anew when their text changed. `onTaken` gets the names that something else has. */
export const viewsRefresh = (
  dialect: DialectName,
  schema: string | undefined,
  onTaken: (name: string) => void,
): Refresh => {
  const texts = [
    ...VIEWS.map((name) => viewQuery(name, dialect, schema)),
    ...OWN_VIEWS.map((name) => ownViewQuery(name, dialect, schema)),
    HISTORY,
  ]
  return {
    fingerprint: `views ${createHash('sha256').update(texts.join()).digest('hex').slice(0, 16)}`,
    run: async (kysely) => {
      for (const name of await makeViews(kysely, dialect, schema)) onTaken(name)
    },
  }
}

/**
 * Views follow the code, not the version: the older words are made from tracking/ledger/status-words.ts. They are in the first schema of
 * the search path, where older programs' queries look for them, or, where a user may make nothing there (`public` since PostgreSQL 15) or another
 * ledger has its own there, beside the tables. Something else with the name is left alone.
 */
const makeViews = async (
  kysely: Kysely<never>,
  dialect: DialectName,
  schema: string | undefined,
): Promise<string[]> => {
  const taken: string[] = []
  const place = dialect === 'postgres' ? await viewSchema(kysely, schema) : undefined
  const make = async (name: string, at: string | undefined, query: string, others: Set<string>) => {
    if (others.has(name)) {
      taken.push(name)
      return
    }
    const view = qualified(at, name)
    // A view whose columns change cannot be replaced in place by PostgreSQL.
    await sql.raw(`DROP VIEW IF EXISTS ${view}`).execute(kysely)
    await sql.raw(`CREATE VIEW ${view} AS ${query}`).execute(kysely)
  }
  const others = await takenNames(kysely, dialect, place)
  for (const name of VIEWS) await make(name, place, viewQuery(name, dialect, schema), others)
  if (place !== schema) await make(HISTORY, place, ownViewQuery(HISTORY, dialect, schema), others)
  const beside = await takenNames(kysely, dialect, schema)
  for (const name of OWN_VIEWS) await make(name, schema, ownViewQuery(name, dialect, schema), beside)
  return taken
}

const viewSchema = async (kysely: Kysely<never>, own: string | undefined): Promise<string | undefined> => {
  const { rows } = await sql<{ name: string | null; may: boolean | null }>`
    SELECT quote_ident(current_schema()) AS name, has_schema_privilege(current_schema(), 'CREATE') AS may`.execute(
    kysely,
  )
  const [first] = rows
  if (first?.may !== true || first.name === null) return own
  return (await isOfAnother(kysely, first.name, own)) ? own : first.name
}

/** Whether a view of such a name there reads tables of another schema: of another ledger in this database, or somebody's own. */
const isOfAnother = async (
  kysely: Kysely<never>,
  place: string,
  own: string | undefined,
): Promise<boolean> => {
  const { rows } = await sql`
    SELECT 1 FROM pg_class v JOIN pg_rewrite r ON r.ev_class = v.oid
      JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
      JOIN pg_class t ON t.oid = d.refobjid AND t.oid <> v.oid
    WHERE v.relkind = 'v' AND v.relname IN (${sql.join([...VIEWS, HISTORY])}) AND v.relnamespace::regnamespace::text = ${place}
      AND t.relnamespace::regnamespace::text <> ${own ?? ''} LIMIT 1`.execute(kysely)
  return rows.length > 0
}

/** Tables, not views, that have such a name where the views would be: a site may have run the older programs themselves. */
const takenNames = async (
  kysely: Kysely<never>,
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
