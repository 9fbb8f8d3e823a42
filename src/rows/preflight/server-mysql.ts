import type { Session } from '../../sql/session.ts'
import { describeMysql } from '../dialects/describe-mysql.ts'
import type { Pair, Table } from '../table.ts'
import type { Problem } from './problem.ts'

const variable = async (session: Session, name: string): Promise<string> =>
  (await session.run(`SELECT @@GLOBAL.${name} AS value`).catch(() => ({ rows: [] as const }))).rows[0]?.[
    'value'
  ] ?? ''

/** How the server logs and what it takes. `bytes` is the length of the longest statement. */
export async function* serverMysql(session: Session, bytes: number): AsyncGenerator<Problem> {
  if (
    (await variable(session, 'log_bin')) === '1' &&
    (await variable(session, 'binlog_format')) === 'STATEMENT'
  )
    yield {
      message:
        'the server writes its binary log in the format STATEMENT, which READ COMMITTED does not allow',
      cure: "SET GLOBAL binlog_format = 'ROW' (or MIXED)",
      forceable: 'binlog',
    }
  const packet = Number((await variable(session, 'max_allowed_packet')) || Infinity)
  if (bytes > packet)
    yield {
      message: `a batch is a statement of up to ${bytes} bytes, and max_allowed_packet is ${packet}`,
      cure: 'make rows.batch_size smaller, or max_allowed_packet larger',
      forceable: 'packet-size',
    }
  if ((await variable(session, 'read_only')) === '1' && !(await mayWrite(session)))
    yield { message: 'the server is read-only', cure: 'name the primary server' }
}

const mayWrite = async (session: Session): Promise<boolean> => {
  const { rows } = await session.run('SHOW GRANTS').catch(() => ({ rows: [] as Record<string, string>[] }))
  return rows.some((row) =>
    /ALL PRIVILEGES ON \*\.\*|\bSUPER\b|READ_ONLY ADMIN/.test(Object.values(row).join(' ')),
  )
}

/** The archive's server must keep what it committed when its machine dies: the source deletes right after. */
export async function* durabilityMysql(archive: Session): AsyncGenerator<Problem> {
  if ((await variable(archive, 'innodb_flush_log_at_trx_commit')) !== '1')
    yield {
      message:
        "the archive's server does not write each commit to disk (innodb_flush_log_at_trx_commit is not 1)",
      cure: 'SET GLOBAL innodb_flush_log_at_trx_commit = 1',
    }
  // With a binary log it is that log which decides, after a crash, which transactions were committed.
  const synced = await variable(archive, 'sync_binlog')
  if ((await variable(archive, 'log_bin')) === '1' && synced !== '1')
    yield {
      message: `the archive's server does not write its binary log to disk with each commit (sync_binlog is ${synced}): after a power cut it would undo what it had committed`,
      cure: 'SET GLOBAL sync_binlog = 1',
    }
}

/** Whether both connections lead to one server, whatever its names are: a lock of one is seen by the other. */
export const sameServerMysql = async (one: Session, other: Session, token: string): Promise<boolean> => {
  await one.run('SELECT GET_LOCK(?, 0)', [token])
  try {
    const { rows } = await other.run('SELECT IS_USED_LOCK(?) AS holder', [token])
    return rows[0]?.['holder'] !== null
  } finally {
    await one.run('SELECT RELEASE_LOCK(?)', [token])
  }
}

/** What the server says of the changes that it is given by others; undefined: the user may not ask. */
const replicaStatus = async (session: Session): Promise<readonly object[] | undefined> => {
  for (const sql of ['SHOW ALL SLAVES STATUS', 'SHOW REPLICA STATUS', 'SHOW SLAVE STATUS']) {
    const answer = await session.run(sql).catch(() => undefined)
    if (answer) return answer.rows
  }
  return undefined
}

/** Databases of the source that come to this server under the name of the archive's: rules say `shop->old` or `(shop,old)`. */
const renamedTo = (status: readonly object[], schema: string): readonly string[] =>
  status.flatMap((row) =>
    Object.entries(row).flatMap(([name, rules]) =>
      /^replicate_rewrite_db$/i.test(name)
        ? [...String(rules).matchAll(/([^\s,()]+?)\s*(?:->|,)\s*([^\s,()]+)/g)]
            .filter(([, , to = '']) => to.toLowerCase() === schema.toLowerCase())
            .map(([, from = '']) => from)
        : [],
    ),
  )

/**
 * An archive that is, or depends on, what its server is given by the source's: what the source deletes vanishes from it. `source` and `archive`
 * are different servers.
 */
export async function* replicatedMysql(
  source: Session,
  archive: Session,
  kept: Table,
): AsyncGenerator<Problem> {
  const status = await replicaStatus(archive)
  if (status?.length === 0) return
  const variables = await archive.run("SHOW VARIABLES LIKE 'replicate_rewrite_db'")
  const rules = [
    ...(status ?? []),
    ...variables.rows.map((row) => ({ replicate_rewrite_db: row['Value'] ?? '' })),
  ]
  const is = status ? 'is a replica' : 'may be a replica, which the user may not see'
  const allow = status ? '' : '; or GRANT REPLICA MONITOR (REPLICATION CLIENT) ON *.* to the user of its URL'
  for (const schema of new Set([kept.schema, ...renamedTo(rules, kept.schema)]))
    if (await describeMysql(source, `${schema}.${kept.name}`))
      yield {
        message: `the archive's server ${is}, and the source's server has a table ${schema}.${kept.name} as well: the archive is a replicated copy, and a delete there would be made here too`,
        cure: `use a table that is not replicated, on a server that is not a replica of the source${allow}`,
      }
  const { rows } = await archive.run(
    `SELECT CONSTRAINT_NAME AS name, REFERENCED_TABLE_NAME AS parent, DELETE_RULE AS rule FROM information_schema.REFERENTIAL_CONSTRAINTS
     WHERE CONSTRAINT_SCHEMA = ? AND TABLE_NAME = ? AND DELETE_RULE NOT IN ('RESTRICT', 'NO ACTION')`,
    [kept.schema, kept.name],
  )
  for (const { name, parent, rule } of rows)
    yield {
      message: `the archive's server ${is}, and ${name ?? ''} is ON DELETE ${rule ?? ''}: archived rows would go with replicated deletes from ${parent ?? ''}`,
      cure: `ALTER TABLE ${kept.name} DROP FOREIGN KEY ${name ?? ''}${allow}`,
    }
}

/** What the nodes of one cluster have in common: Galera's history, or the name of a replication group. */
const clusterOf = async (session: Session): Promise<string | undefined> => {
  const galera = await session.run("SHOW GLOBAL STATUS LIKE 'wsrep_cluster_state_uuid'")
  const history = galera.rows[0]?.['Value'] ?? ''
  if (/[1-9a-f]/.test(history)) return history
  return (await variable(session, 'group_replication_group_name')) || undefined
}

/** Nodes of one cluster hold the same tables, but not the same locks: a row would be its own twin, and no lock would say so. */
export async function* clusterMysql(source: Session, archive: Session): AsyncGenerator<Problem> {
  const cluster = await clusterOf(source)
  if (cluster === undefined || cluster !== (await clusterOf(archive))) return
  yield {
    message: `the servers of source and archive are nodes of one cluster (${cluster}): each holds the tables of the other`,
    cure: 'name the archive by rows.archive_table, so that one node has both, or use a server outside of the cluster',
  }
}

/** Bytes that the ids of a batch have in a statement, at most. */
export const bytesOfIds = ({ key }: Pair, batchSize: number): number =>
  batchSize *
  key.reduce((sum, { column, type }) => sum + (type === 'text' ? 2 * (column.octets ?? 255) + 12 : 40), 8)
