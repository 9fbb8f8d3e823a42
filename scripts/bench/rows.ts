/**
 * Rows against pt-archiver's fastest mode and the bare SQL, in turn, on the same tables: npx tsx scripts/bench/rows.ts [rows] [rounds].
 * Each figure is rows a second over the wall time of the client process. The servers are those of the tests.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSession } from '../../src/sql/open-session.ts'
import type { Session } from '../../src/sql/session.ts'
import { postgresPlace } from '../../test/postgres.ts'

const ROWS = Number(process.argv[2] ?? 100_000)
const ROUNDS = Number(process.argv[3] ?? 3)
const BATCH = 2200
const DATABASE = 'rows_bench'
const folder = mkdtempSync(join(tmpdir(), 'archiver-bench-rows-'))
const ids = join(folder, 'ids.csv')
writeFileSync(ids, `${Array.from({ length: ROWS }, (_, at) => at + 1).join('\n')}\n`)

const place = postgresPlace()
const URLS = {
  mysql: `mysql://root@127.0.0.1:3306/${DATABASE}`,
  postgres: `postgres://${place.user}@${place.host}:${place.port}/${DATABASE}`,
}
type Server = keyof typeof URLS

const open = (url: string): Promise<Session> => openSession({ url, password: undefined, timeout: 50_000 })

const COLUMNS =
  'a INT, b INT, c INT, d VARCHAR(40), e VARCHAR(40), f VARCHAR(64), g DECIMAL(12,2), h DOUBLE PRECISION, i TIMESTAMP NULL'

const fill = async (session: Session, server: Server): Promise<void> => {
  const run = (sql: string) => session.run(sql)
  await run('DROP TABLE IF EXISTS r')
  await run('DROP TABLE IF EXISTS ra')
  for (const table of ['batch_processing_logs', 'file_processing_logs', 'row_conflicts', 'process_logs'])
    await run(`DROP TABLE IF EXISTS ${table}`)
  for (const table of ['r', 'ra']) {
    await run(`CREATE TABLE ${table} (id BIGINT PRIMARY KEY, ${COLUMNS})`)
    await run(`CREATE INDEX ${table}_a ON ${table} (a)`)
    await run(`CREATE INDEX ${table}_d ON ${table} (d)`)
  }
  await run(
    server === 'mysql'
      ? `INSERT INTO r SELECT seq, seq MOD 1000, seq MOD 77, seq, MD5(seq), MD5(seq + 1), CONCAT(MD5(seq), MD5(seq)), seq / 3, seq / 7, NOW() FROM seq_1_to_${ROWS}`
      : `INSERT INTO r SELECT s, s % 1000, s % 77, s, md5(s::text), md5((s + 1)::text), md5(s::text) || md5(s::text), s / 3.0, s / 7.0, now() FROM generate_series(1, ${ROWS}) s`,
  )
  if (server === 'postgres') await run('CHECKPOINT')
}

const batches = (): number[][] => {
  const all: number[][] = []
  for (let from = 1; from <= ROWS; from += BATCH)
    all.push(Array.from({ length: Math.min(BATCH, ROWS - from + 1) }, (_, at) => from + at))
  return all
}

const floor = async (server: Server): Promise<void> => {
  const session = await open(URLS[server])
  for (const batch of batches()) {
    const list = batch.join(',')
    if (server === 'mysql') {
      await session.run('START TRANSACTION')
      await session.run(`INSERT INTO ra SELECT * FROM r WHERE id IN (${list})`)
      await session.run(`DELETE FROM r WHERE id IN (${list})`)
      await session.run('COMMIT')
    } else
      await session.run(
        'WITH x AS (DELETE FROM r WHERE id = ANY($1::bigint[]) RETURNING *) INSERT INTO ra SELECT * FROM x',
        [batch.map(String)],
      )
  }
  await session.close()
}

const ours = (server: Server): void => {
  const config = join(folder, `${server}.yaml`)
  const rows = { source: URLS[server], table: 'r', archive_table: 'ra', files: ids, batch_size: BATCH }
  writeFileSync(
    config,
    JSON.stringify({ app: { work_dir: join(folder, 'work') }, ledger: { url: 'off' }, rows }),
    { mode: 0o600 },
  )
  const { status, stderr } = spawnSync(process.execPath, ['dist/main.js', 'rows', 'run', config, '--json'], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
}

const ptArchiver = (): void => {
  const dsn = `h=127.0.0.1,P=3306,u=root,D=${DATABASE}`
  const words = [
    '--source',
    `${dsn},t=r,L=1`,
    '--dest',
    `${dsn},t=ra,L=1`,
    '--where',
    '1=1',
    '--limit',
    String(BATCH),
    '--bulk-insert',
    '--bulk-delete',
    '--commit-each',
    '--no-check-charset',
    '--nosafe-auto-increment',
  ]
  const { status, stderr, error } = spawnSync('pt-archiver', words, { encoding: 'utf8' })
  if (status !== 0) throw new Error(error ? error.message : stderr)
}

const hasPtArchiver = spawnSync('pt-archiver', ['--version']).status === 0
if (!hasPtArchiver) console.log('pt-archiver is not installed (percona-toolkit): not compared')

const WAYS: readonly { name: string; server: Server; work: () => Promise<void> | void }[] = [
  { name: 'MariaDB bare SQL', server: 'mysql', work: () => floor('mysql') },
  { name: 'MariaDB rows run', server: 'mysql', work: () => ours('mysql') },
  ...(hasPtArchiver
    ? [{ name: 'MariaDB pt-archiver bulk', server: 'mysql' as const, work: ptArchiver }]
    : []),
  { name: 'PostgreSQL bare CTE', server: 'postgres', work: () => floor('postgres') },
  { name: 'PostgreSQL rows run', server: 'postgres', work: () => ours('postgres') },
]

const admins = {
  mysql: await open(URLS.mysql.replace(DATABASE, 'mysql')),
  postgres: await open(URLS.postgres.replace(DATABASE, 'postgres')),
}
for (const admin of Object.values(admins)) {
  await admin.run(`DROP DATABASE IF EXISTS ${DATABASE}`)
  await admin.run(`CREATE DATABASE ${DATABASE}`)
}
const sessions = { mysql: await open(URLS.mysql), postgres: await open(URLS.postgres) }
const figures = new Map<string, number[]>()
for (let round = 0; round < ROUNDS; round++)
  for (const { name, server, work } of WAYS) {
    await fill(sessions[server], server)
    const began = performance.now()
    await work()
    const rate = (ROWS * 1000) / (performance.now() - began)
    const left = Number((await sessions[server].run('SELECT count(*) AS n FROM r')).rows[0]?.['n'])
    if (left !== 0) throw new Error(`${name} left ${left} rows`)
    figures.set(name, [...(figures.get(name) ?? []), rate])
  }
const median = (name: string): number =>
  (figures.get(name) ?? [0]).toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0
for (const [name, rates] of figures)
  console.log(
    `${name.padEnd(26)} ${rates.map((rate) => Math.round(rate)).join(' / ')}  median ${Math.round(median(name))} rows/s`,
  )
const ratio = (name: string, base: string): string => (median(name) / median(base)).toFixed(2)
console.log(`rows run / bare SQL: ${ratio('MariaDB rows run', 'MariaDB bare SQL')}`)
if (hasPtArchiver)
  console.log(`rows run / pt-archiver: ${ratio('MariaDB rows run', 'MariaDB pt-archiver bulk')}`)
console.log(`rows run / bare CTE: ${ratio('PostgreSQL rows run', 'PostgreSQL bare CTE')}`)
for (const session of Object.values(sessions)) await session.close()
for (const admin of Object.values(admins)) {
  await admin.run(`DROP DATABASE ${DATABASE}`)
  await admin.close()
}
rmSync(folder, { recursive: true, force: true })
