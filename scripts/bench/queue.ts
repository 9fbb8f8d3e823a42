/**
 * The shared backlog. `npx tsx scripts/bench/queue.ts fetch|two|enqueue`
 *   fetch    claim and settle on PostgreSQL beside bare pg-boss (`fetch` and `complete`), in turns
 *   two      two workers of one thread beside one, on work that needs a processor, SQLite, in turns; seconds of CPU beside them
 *   enqueue  adds 1,000,000 items to each engine: time and memory
 * PostgreSQL: PGHOST, PGPORT, PGUSER, PGPASSWORD; 127.0.0.1:5432.
 */
import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { PgBoss } from 'pg-boss'
import { runStage } from '../../src/engine/engine.ts'
import type { ClaimStore, QueueItem } from '../../src/engine/claim-store.ts'
import { identity, monotonic, now, sinceBoot, startTicks } from '../../src/platform/host.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { QueueBacklog } from '../../src/queue/queue-backlog.ts'
import { SqliteQueue } from '../../src/queue/sqlite/sqlite-queue.ts'

const LEASE = 60_000
const env = process.env
const SERVER = `postgres://${env['PGUSER'] ?? 'postgres'}:${env['PGPASSWORD'] ?? ''}@${env['PGHOST'] ?? '127.0.0.1'}:${env['PGPORT'] ?? '5432'}/postgres`

const common = () => ({
  instance: randomUUID(),
  identity: identity(),
  lease: LEASE,
  monotonic,
  works: true,
})
const onPostgres = (schema: string, migrate = false): Promise<PostgresQueue> =>
  PostgresQueue.open({
    ...common(),
    server: SERVER,
    password: undefined,
    schema,
    lookEvery: 900,
    works: !migrate,
    migrate,
  })
const onSqlite = (path: string): Promise<SqliteQueue> =>
  SqliteQueue.open({ ...common(), path, now, sinceBoot, startTicksOf: startTicks })

const itemsFrom = function* (first: number, count: number): Generator<QueueItem> {
  for (let i = first; i < first + count; i++) yield { key: String(i), ordinal: i }
}
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
const load = (): string => loadavg()[0]?.toFixed(1) ?? '?'

const dropped = async (schema: string): Promise<void> => {
  const client = new pg.Client({ connectionString: SERVER })
  await client.connect()
  await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  await client.end()
}

const BATCH = 64
const LANES = 4
const JOBS = 64 * 40
const ROUNDS = Number(env['ROUNDS'] ?? 9)

/** Milliseconds of processor time of this process and of the server's sessions, which must be on this machine. */
const processorTime = async (): Promise<number> => {
  const client = new pg.Client({ connectionString: SERVER })
  await client.connect()
  const { rows } = await client.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = current_database()",
  )
  await client.end()
  const { user, system } = process.cpuUsage()
  let all = (user + system) / 1000
  for (const { pid } of rows) {
    const file = `/proc/${pid}/stat`
    if (!existsSync(file)) continue
    const fields = readFileSync(file, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    all += (Number(fields[11]) + Number(fields[12])) * 10
  }
  return all
}

interface Drained {
  /** Items a second. */
  readonly rate: number
  /** Milliseconds of processor time a batch. */
  readonly cost: number
}

/** Runs lanes until each finds nothing. */
const drain = async (count: number, lane: (number: number) => Promise<number>): Promise<Drained> => {
  const used = await processorTime()
  const began = monotonic()
  let done = 0
  await Promise.all(
    Array.from({ length: LANES }, async (_, at) => {
      for (let some = await lane(at); some > 0; some = await lane(at)) done += some
    }),
  )
  if (done !== count) throw new Error(`${done} of ${count}`)
  const rate = (done / (monotonic() - began)) * 1000
  return { rate, cost: ((await processorTime()) - used) / (count / BATCH) }
}

const fetchBeside = async (): Promise<void> => {
  const schema = `bench_${process.pid}`
  await (await onPostgres(schema, true)).close()
  // As many instances as lanes: an instance claims and settles one after the other.
  const stores: PostgresQueue[] = []
  for (let lane = 0; lane < LANES; lane++) stores.push(await onPostgres(schema))
  const [first] = stores as [PostgresQueue]
  const pool = new pg.Pool({ connectionString: SERVER, max: LANES })
  const db = {
    executeSql: async (text: string, values?: unknown[]) => {
      const { rows, rowCount } = await pool.query<Record<string, unknown>>(text, values)
      return { rows, rowCount: rowCount ?? 0 }
    },
  }
  const boss = new PgBoss({ db, schema, migrate: false, schedule: false, supervise: false })
  boss.on('error', () => undefined)
  await boss.start()
  await boss.createQueue('bare', { retryLimit: 1000, deleteAfterSeconds: 0 })
  let next = 1
  const bare = async (): Promise<Drained> => {
    const jobs = [...itemsFrom(next, JOBS)].map(({ key, ordinal }) => ({
      id: randomUUID(),
      data: { key, ordinal },
      priority: -ordinal,
    }))
    next += JOBS
    await boss.insert('bare', jobs)
    return drain(JOBS, async () => {
      const fetched = await boss.fetch('bare', { batchSize: BATCH })
      if (fetched.length > 0) await boss.complete('bare', fetched)
      return fetched.length
    })
  }
  const ours = async (): Promise<Drained> => {
    await first.enqueue('import', itemsFrom(next, JOBS), 0)
    next += JOBS
    return drain(JOBS, async (lane) => {
      const store = stores[lane] ?? first
      const claims = await store.claim('import', BATCH)
      if (claims.length > 0) await store.settle(claims, [])
      return claims.length
    })
  }
  const [ratios, costs]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    const isFirst = round % 2 === 0
    const [a, b] = [isFirst ? await bare() : await ours(), isFirst ? await ours() : await bare()]
    const [theirs, mine] = isFirst ? [a, b] : [b, a]
    ratios.push(mine.rate / theirs.rate)
    costs.push(theirs.cost / mine.cost)
    console.log(
      `round ${round + 1}: bare ${theirs.rate.toFixed(0)}/s, ours ${mine.rate.toFixed(0)}/s, ${(mine.rate / theirs.rate).toFixed(2)}; processor a batch ${theirs.cost.toFixed(1)} and ${mine.cost.toFixed(1)} ms`,
    )
  }
  console.log(
    `median ${median(ratios).toFixed(2)} of bare pg-boss by the clock, ${median(costs).toFixed(2)} by the processor, load ${load()}`,
  )
  await boss.stop({ graceful: false })
  await pool.end()
  for (const store of stores) await store.close()
  await dropped(schema)
}

/** Milliseconds of CPU that an item needs. */
const COST = 4
const BUSY = 500

/** One worker process: one item at a time, each of which needs a processor for a while. */
const workBusily = async (path: string): Promise<void> => {
  const store = await onSqlite(path)
  const backlog = new QueueBacklog<number>(store, {
    stage: 'import',
    itemOf: Number,
    lease: LEASE,
    laterAfter: 1000,
    monotonic,
  })
  process.send?.('ready')
  await new Promise((go) => process.once('message', go))
  const used = process.cpuUsage()
  const burn = (): void => {
    const until = process.cpuUsage()
    for (;;) {
      const { user, system } = process.cpuUsage(until)
      if (user + system >= COST * 1000) return
    }
  }
  const processed = { result: 'stored', bytes: 0, counts: {}, notes: [] } as const
  const none = new AbortController().signal
  const { succeeded } = await runStage(
    { name: 'import', process: () => (burn(), Promise.resolve(processed)) },
    backlog,
    {
      ...{ mode: 'bench', workers: 1, waiting: 0, attempts: 1, retryDelay: 0, stop: none, abandon: none },
      ...{ listener: () => undefined, monotonic, random: Math.random, checkpointEvery: 250 },
    },
  )
  const { user, system } = process.cpuUsage(used)
  process.send?.({ done: succeeded.length, cpu: (user + system) / 1000 })
  await store.close()
  process.disconnect()
}

const timeOf = async (workers: number): Promise<{ wall: number; cpu: number; shares: number[] }> => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-queue-'))
  const path = join(folder, 'queue.db')
  const store = await onSqlite(path)
  await store.enqueue('import', itemsFrom(1, BUSY), 0)
  await store.close()
  const children = Array.from({ length: workers }, () =>
    fork(fileURLToPath(import.meta.url), ['worker', path], { execArgv: ['--import', 'tsx'] }),
  )
  const ended = Promise.all(children.map((child) => new Promise((end) => child.once('exit', end))))
  await Promise.all(children.map((child) => new Promise((ready) => child.once('message', ready))))
  const began = monotonic()
  const results = await Promise.all(
    children.map(
      (child) =>
        new Promise<{ done: number; cpu: number }>((end) => {
          child.once('message', (message) => end(message as { done: number; cpu: number }))
          child.send('go')
        }),
    ),
  )
  const wall = monotonic() - began
  await ended
  rmSync(folder, { recursive: true, force: true })
  return {
    wall,
    cpu: results.reduce((sum, { cpu }) => sum + cpu, 0),
    shares: results.map(({ done }) => done),
  }
}

const twoBesideOne = async (): Promise<void> => {
  const [walls, costs]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    const one = await timeOf(1)
    const two = await timeOf(2)
    walls.push(one.wall / two.wall)
    costs.push(two.cpu / one.cpu)
    console.log(
      `round ${round + 1}: one ${one.wall.toFixed(0)} ms, two ${two.wall.toFixed(0)} ms (${two.shares.join(' and ')} items): ${(one.wall / two.wall).toFixed(2)} times; CPU ${one.cpu.toFixed(0)} and ${two.cpu.toFixed(0)} ms`,
    )
  }
  console.log(
    `median ${median(walls).toFixed(2)} times as fast, with ${median(costs).toFixed(2)} times the CPU in all (2 / that = ${(2 / median(costs)).toFixed(2)} on two idle processors), load ${load()}`,
  )
}

const enqueueMany = async (): Promise<void> => {
  const count = Number(env['ITEMS'] ?? 1_000_000)
  const folder = mkdtempSync(join(tmpdir(), 'bench-queue-'))
  const schema = `bench_${process.pid}`
  await (await onPostgres(schema, true)).close()
  const engines: readonly (readonly [string, () => Promise<ClaimStore>])[] = [
    ['SQLite', () => onSqlite(join(folder, 'queue.db'))],
    ['PostgreSQL', () => onPostgres(schema)],
  ]
  for (const [name, open] of engines) {
    const store = await open()
    const before = process.resourceUsage().maxRSS
    const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
      const [began, used] = [monotonic(), process.cpuUsage()]
      const result = await work()
      const { user, system } = process.cpuUsage(used)
      console.log(
        `${name}: ${what}: ${((monotonic() - began) / 1000).toFixed(2)} s, ${((user + system) / 1e6).toFixed(2)} s of CPU here`,
      )
      return result
    }
    await timed(`add ${count}`, () => store.enqueue('import', itemsFrom(1, count), 0))
    await timed('add the same again', () => store.enqueue('import', itemsFrom(1, count), 0))
    const claims = await timed('claim 64', () => store.claim('import', 64))
    await timed('settle 64', () => store.settle(claims, [], 'migrate'))
    await timed('counts, as for queue status', () => store.counts())
    await timed('attempted up to', () => store.attemptedUpTo('import'))
    await timed('ranges, as for the report', () => store.ranges('import', 'pending'))
    console.log(
      `${name}: ${Math.round((process.resourceUsage().maxRSS - before) / 1000)} MB more at most than before, load ${load()}`,
    )
    await store.close()
  }
  rmSync(folder, { recursive: true, force: true })
  await dropped(schema)
}

const [what, path = ''] = process.argv.slice(2)
if (what === 'fetch') await fetchBeside()
else if (what === 'two') await twoBesideOne()
else if (what === 'enqueue') await enqueueMany()
else if (what === 'worker') await workBusily(path)
else console.error('fetch, two or enqueue')
