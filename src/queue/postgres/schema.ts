import type { PgBoss } from 'pg-boss'
import { ArchiverError, messageOf } from '../../errors.ts'
import { makeOnce } from '../../sql/make.ts'
import { type Connections, MIGRATE } from './connection.ts'

/** The version of our tables, in the comment of `archiver_instances`. */
const VERSION = '2'

/**
 * What is ours beside pg-boss's own tables: who holds what until when, who works, what is paused. `archiver_tallies` counts for each
 * instance apart, so that two instances never wait for one row.
 */
const tablesOf = (schema: string): string => `
CREATE TABLE IF NOT EXISTS ${schema}.archiver_held (
  stage text NOT NULL, id uuid NOT NULL, epoch integer NOT NULL, instance text, claimed_at timestamptz, lease_until timestamptz,
  lost integer NOT NULL DEFAULT 0, uncounted integer NOT NULL DEFAULT 0, message text, PRIMARY KEY (stage, id)) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS archiver_held_by ON ${schema}.archiver_held (instance, lease_until) WHERE instance IS NOT NULL;
CREATE TABLE IF NOT EXISTS ${schema}.archiver_stages (
  stage text PRIMARY KEY, paused_at timestamptz, blocked_until timestamptz, blocked_reason text);
CREATE TABLE IF NOT EXISTS ${schema}.archiver_instances (
  id text PRIMARY KEY, host text NOT NULL, pid integer NOT NULL, status text NOT NULL, started_at timestamptz NOT NULL,
  heartbeat_at timestamptz NOT NULL, ended_at timestamptz, done bigint NOT NULL DEFAULT 0, failed bigint NOT NULL DEFAULT 0,
  fenced bigint NOT NULL DEFAULT 0, recovered bigint NOT NULL DEFAULT 0);
${['claims', 'workers', 'processors', 'minute', 'ended_in_minute', 'ended_before']
  .map(
    (column) =>
      `ALTER TABLE ${schema}.archiver_instances ADD COLUMN IF NOT EXISTS ${column} bigint NOT NULL DEFAULT 0;`,
  )
  .join('\n')}
CREATE TABLE IF NOT EXISTS ${schema}.archiver_tallies (
  stage text NOT NULL, instance text NOT NULL, added bigint NOT NULL, done bigint NOT NULL, failed bigint NOT NULL,
  PRIMARY KEY (stage, instance)) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS ${schema}.archiver_leaders (
  role text PRIMARY KEY, holder text NOT NULL, epoch bigint NOT NULL, expires_at timestamptz NOT NULL,
  scan_wanted_at timestamptz, scan_began_at timestamptz, scan_added bigint);
CREATE INDEX IF NOT EXISTS archiver_finished ON ${schema}.job (name, ((data->>'ordinal')::bigint))
  WHERE state IN ('completed', 'failed');
CREATE OR REPLACE VIEW ${schema}.processing_queue AS
  SELECT j.data->>'key' AS app_id, h.instance AS claimed_by, h.claimed_at FROM ${schema}.archiver_held h
  JOIN ${schema}.job j ON j.name = h.stage AND j.id = h.id WHERE h.instance IS NOT NULL;
CREATE OR REPLACE VIEW ${schema}.processing_log AS
  SELECT data->>'key' AS app_id,
    CASE state WHEN 'completed' THEN 'success' WHEN 'active' THEN 'processing' WHEN 'failed' THEN 'failed' ELSE 'pending' END AS status,
    output->>'message' AS failure_reason, name AS stage, completed_on AS processed_at FROM ${schema}.job;
COMMENT ON TABLE ${schema}.archiver_instances IS '${VERSION}';
`

/** Makes the tables, pg-boss's and ours, or brings them up to date. Only `queue migrate` does this; it may run while workers work. */
export const migrateTables = async (
  boss: PgBoss,
  connections: Connections,
  schema: string,
): Promise<void> => {
  try {
    await boss.start()
    await boss.stop({ graceful: false })
    await makeOnce(async () => {
      await connections.transaction((sql) => sql.executeSql(tablesOf(schema)))
    })
  } catch (error) {
    throw connections.unavailable(error)
  }
}

/** Starts pg-boss on tables that are there and of this version. Throws QUEUE_UNAVAILABLE, which names `queue migrate`, otherwise. */
export const startOnTables = async (
  boss: PgBoss,
  connections: Connections,
  schema: string,
): Promise<void> => {
  const { rows } = await connections.executeSql(
    `SELECT obj_description(to_regclass($1), 'pg_class') AS version`,
    [`${schema}.archiver_instances`],
  )
  const version = rows[0]?.['version'] as string | null | undefined
  if (version !== VERSION)
    throw new ArchiverError(
      'QUEUE_UNAVAILABLE',
      version === null || version === undefined
        ? `the schema ${schema} has no tables of the queue`
        : `the tables of the queue in the schema ${schema} are of version ${version}, this program knows ${VERSION}`,
      { hint: MIGRATE },
    )
  try {
    await boss.start()
  } catch (error) {
    if (error instanceof Error && /schema|migrat|version/i.test(error.message))
      throw new ArchiverError('QUEUE_UNAVAILABLE', `pg-boss: ${messageOf(error)}`, {
        hint: MIGRATE,
        cause: error,
      })
    throw connections.unavailable(error)
  }
}

/** pg-boss on our connections. It only hands out and settles: nothing of it runs by a timer but the look at its list of queues. */
export const bossOf = async (connections: Connections, schema: string, migrate: boolean): Promise<PgBoss> => {
  const { PgBoss } = await import('pg-boss')
  const boss = new PgBoss({
    db: connections,
    schema,
    migrate,
    createSchema: migrate,
    schedule: false,
    supervise: false,
    registerInstance: false,
    openTelemetry: { enabled: false },
  })
  // Without a listener an error in the background would end the process; the statement that needs the server says it.
  boss.on('error', () => undefined)
  boss.on('warning', () => undefined)
  return boss
}
