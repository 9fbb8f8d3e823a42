/**
 * Rows against pt-archiver's fastest mode and the bare SQL, in turn, on the same tables: npx tsx scripts/bench/rows.ts [rows] [rounds].
 * Each figure is rows a second over the wall time of the client process, with the CPU seconds of that process and of the server beside it: on a
 * busy machine only these say something. The servers are those of the tests; ARCHIVER_BENCH_MYSQL names another one (`mysql://root@host:port`).
 */
import { buildSync } from 'esbuild'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
  mysql: `${process.env['ARCHIVER_BENCH_MYSQL'] ?? 'mysql://root@127.0.0.1:3306'}/${DATABASE}`,
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

/** The bare SQL, a process of its own like the others. */
const floorProgram = join(folder, 'floor.cjs')
buildSync({
  entryPoints: ['scripts/bench/rows-floor.ts'],
  bundle: true,
  platform: 'node',
  format: 'cjs',
  external: ['pg-native'],
  outfile: floorProgram,
})
const floor = (server: Server): number =>
  timed(process.execPath, [floorProgram, URLS[server], String(ROWS), String(BATCH)])

const toTable = { archive_table: 'ra' }
const toFiles = { archive: `file://${join(folder, 'archive')}` }
mkdirSync(join(folder, 'archive'), { mode: 0o700 })
const ours = (server: Server, archive: object = toTable): number => {
  const config = join(folder, `${server}.yaml`)
  const rows = { source: URLS[server], table: 'r', ...archive, files: ids, batch_size: BATCH }
  writeFileSync(
    config,
    JSON.stringify({ app: { work_dir: join(folder, 'work') }, ledger: { url: 'off' }, rows }),
    { mode: 0o600 },
  )
  return timed(process.execPath, ['dist/main.js', 'rows', 'run', config, '--json'])
}

/** Runs a program to its end; gives its CPU seconds. */
const timed = (program: string, words: readonly string[]): number => {
  const script = 'TIMEFORMAT="%U %S"; time "$@"'
  const { status, stderr, error } = spawnSync('bash', ['-c', script, 'bash', program, ...words], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(error ? error.message : stderr)
  return (stderr.trimEnd().split('\n').at(-1) ?? '')
    .split(' ')
    .reduce((sum, seconds) => sum + Number(seconds), 0)
}

/** CPU seconds that the processes of a server have used so far, all that are called so; work of others is among it. */
const serverCpu = (server: Server): number => {
  const place = new URL(URLS.mysql)
  const port = place.port || '3306'
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .reduce((sum, pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        const isIt =
          server === 'mysql'
            ? /^\S*mariadbd/.test(command) &&
              command.includes('--port') === (port !== '3306') &&
              (port === '3306' || command.includes(port))
            : command.startsWith('postgres:') && command.includes(DATABASE)
        if (!isIt) return sum
        const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
        const [user = 0, system = 0] = fields.split(' ').slice(11, 13).map(Number)
        return sum + (user + system) / 100
      } catch {
        return sum // it ended meanwhile
      }
    }, 0)
}

const ptArchiver = (): number => {
  const { hostname, port } = new URL(URLS.mysql)
  const dsn = `h=${hostname},P=${port || 3306},u=root,D=${DATABASE}`
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
  return timed('pt-archiver', words)
}

const hasPtArchiver = spawnSync('pt-archiver', ['--version']).status === 0
if (!hasPtArchiver) console.log('pt-archiver is not installed (percona-toolkit): not compared')

const WAYS: readonly { name: string; server: Server; work: () => Promise<number> | number }[] = [
  { name: 'MariaDB bare SQL', server: 'mysql', work: () => floor('mysql') },
  { name: 'MariaDB rows run', server: 'mysql', work: () => ours('mysql') },
  ...(hasPtArchiver
    ? [{ name: 'MariaDB pt-archiver bulk', server: 'mysql' as const, work: ptArchiver }]
    : []),
  { name: 'MariaDB rows run to files', server: 'mysql', work: () => ours('mysql', toFiles) },
  { name: 'PostgreSQL bare CTE', server: 'postgres', work: () => floor('postgres') },
  { name: 'PostgreSQL rows run', server: 'postgres', work: () => ours('postgres') },
  { name: 'PostgreSQL rows run to files', server: 'postgres', work: () => ours('postgres', toFiles) },
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
interface Figure {
  readonly rate: number
  readonly client: number
  readonly server: number
}
const figures = new Map<string, Figure[]>(WAYS.map(({ name }) => [name, []]))
for (let round = 0; round < ROUNDS; round++)
  for (const { name, server, work } of [
    ...WAYS.slice(round % WAYS.length),
    ...WAYS.slice(0, round % WAYS.length),
  ]) {
    await fill(sessions[server], server)
    const before = serverCpu(server)
    const began = performance.now()
    const client = await work()
    const rate = (ROWS * 1000) / (performance.now() - began)
    const left = Number((await sessions[server].run('SELECT count(*) AS n FROM r')).rows[0]?.['n'])
    if (left !== 0) throw new Error(`${name} left ${left} rows`)
    // A PostgreSQL session's process is gone with what it used.
    figures.get(name)?.push({ rate, client, server: server === 'mysql' ? serverCpu(server) - before : 0 })
  }
const middle = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0
const median = (name: string, of: keyof Figure): number =>
  middle((figures.get(name) ?? []).map((figure) => figure[of]))
for (const [name, all] of figures) {
  const rates = all.map(({ rate }) => Math.round(rate)).join(' / ')
  const cpu = `CPU client ${median(name, 'client').toFixed(2)} s, server ${median(name, 'server').toFixed(2)} s`
  console.log(`${name.padEnd(28)} ${rates}  median ${Math.round(median(name, 'rate'))} rows/s; ${cpu}`)
}
/** The medians, and the median of each round's own ratio, which a load that comes and goes disturbs less. */
const ratio = (name: string, base: string): string => {
  const pairs = (figures.get(name) ?? []).map(({ rate }, at) => rate / (figures.get(base)?.[at]?.rate ?? 1))
  const cpu = (of: string): number => median(of, 'client') + median(of, 'server')
  const isWhole = median(name, 'server') > 0
  return `${(median(name, 'rate') / median(base, 'rate')).toFixed(2)}, by round ${middle(pairs).toFixed(2)}${isWhole ? `, CPU of both ${(cpu(name) / cpu(base)).toFixed(2)} times` : ''}`
}
console.log(`rows run / bare SQL: ${ratio('MariaDB rows run', 'MariaDB bare SQL')}`)
if (hasPtArchiver)
  console.log(`rows run / pt-archiver: ${ratio('MariaDB rows run', 'MariaDB pt-archiver bulk')}`)
for (const server of ['MariaDB', 'PostgreSQL'])
  console.log(
    `${server} to files / to a table: ${ratio(`${server} rows run to files`, `${server} rows run`)}`,
  )
console.log(`rows run / bare CTE: ${ratio('PostgreSQL rows run', 'PostgreSQL bare CTE')}`)
for (const session of Object.values(sessions)) await session.close()
for (const admin of Object.values(admins)) {
  await admin.run(`DROP DATABASE ${DATABASE}`)
  await admin.close()
}
rmSync(folder, { recursive: true, force: true })
