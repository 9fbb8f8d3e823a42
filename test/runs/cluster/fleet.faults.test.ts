import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { randomFrom } from '../../crash/random.ts'
import { FaultProxy } from '../../fakes/fault-proxy.ts'
import { UconServer } from '../../fakes/ucon-server.ts'
import { OwnPostgres } from '../../postgres.ts'
import { Machines } from './machines.ts'
import { clockMovedBy, Fleet, type Started, until } from './fleet.ts'

/** Runs of a test. */
const RUNS = Number(process.env['ARCHIVER_QUEUE_RUNS'] ?? 40)

/** Kills, stops, cuts and restarts of a test: `ARCHIVER_QUEUE_FAULTS=200` for a night. */
const EVENTS = Number(process.env['ARCHIVER_QUEUE_FAULTS'] ?? 4)
const SEED = Number(process.env['ARCHIVER_QUEUE_SEED'] ?? 16)
const LONG = 240_000 + EVENTS * 12_000 + RUNS * 200

const HOUR = 3_600_000

let server: OwnPostgres | undefined
let fleet: Fleet | undefined
let schemas = 0
const proxies: { close(): Promise<void> }[] = []

beforeAll(async () => {
  server = await OwnPostgres.start()
  if (!server) console.warn('SKIPPED: workers on a PostgreSQL that is restarted, because none can be started')
}, 600_000)
afterAll(() => server?.stop())
afterEach(async () => {
  await fleet?.close()
  for (const one of proxies.splice(0)) await one.close()
})

const ENGINES = [{ engine: 'SQLite' }, { engine: 'PostgreSQL' }] as const

/** A fleet on an engine; `port` and `host` where it goes through something. */
const open = async (
  engine: string,
  more: { host?: string; port?: number; ucon?: string } = {},
): Promise<Fleet> => {
  const { host = '127.0.0.1', port = server?.port ?? 0, ucon } = more
  const url =
    engine === 'SQLite'
      ? 'sqlite:queue.db'
      : `postgres://postgres:${server?.password ?? ''}@${host}:${port}/postgres`
  fleet = await Fleet.open({ url, schema: `fleet_${++schemas}`, ...(ucon === undefined ? {} : { ucon }) })
  return fleet
}

/** Works until nothing is left, whatever became of those before; what killers made poison of is tried again. */
const finish = async (fleet: Fleet): Promise<void> => {
  for (let round = 0; round < 5; round++) {
    await fleet.start(['--until-empty']).ended
    if (!(await fleet.status()).stages.some(({ failed }) => failed > 0)) return
    const { stdout } = await fleet.command('queue', 'list', '--status', 'failed', '--json')
    const codes = (JSON.parse(stdout) as { code: string }[]).map(({ code }) => code)
    expect(codes.filter((code) => code !== 'QUEUE_POISON')).toEqual([])
    await fleet.command('queue', 'retry')
  }
}

const endAll = async (workers: readonly Started[]): Promise<void> => {
  for (const { child } of workers) child.kill('SIGTERM')
  await Promise.all(workers.map(({ ended }) => ended))
}

const skipWithout = (engine: string, skip: () => void): void => {
  if (engine === 'PostgreSQL' && !server) skip()
}

describe.each(ENGINES)('workers on $engine', ({ engine }) => {
  it('killed, stopped and cut off from their backlog at random', { timeout: LONG }, async ({ skip }) => {
    skipWithout(engine, skip)
    const fleet = await open(engine)
    const random = randomFrom(SEED)
    fleet.records(RUNS)
    const alive = [fleet.start(), fleet.start(), fleet.start(), fleet.start()]
    const counts = { kills: 0, stops: 0, restarts: 0 }
    for (let event = 0; event < EVENTS; event++) {
      // Work goes on to come in, so that every fault meets some.
      fleet.records(5)
      await sleep(200 + 800 * random())
      const at = Math.floor(random() * alive.length)
      const victim = alive[at]!
      const dice = random()
      if (engine === 'PostgreSQL' && dice > 0.85) {
        counts.restarts++
        await server?.restart(500 * random())
      } else if (dice < 0.5) {
        counts.kills++
        victim.child.kill('SIGKILL')
        await victim.ended
        alive[at] = fleet.start()
      } else {
        counts.stops++
        // Longer than its lease now and then.
        victim.child.kill('SIGSTOP')
        await sleep(random() < 0.7 ? 500 : 6000)
        victim.child.kill('SIGCONT')
      }
    }
    await endAll(alive)
    await finish(fleet)
    const { instances } = await fleet.status()
    const sum = (of: 'fenced' | 'recovered') => instances.reduce((total, one) => total + one[of], 0)
    console.log(
      `${engine}: ${JSON.stringify(counts)}, fenced ${sum('fenced')}, recovered ${sum('recovered')}`,
    )
    await fleet.expectAllArchivedOnce({ again: true })
  })

  it(
    'whose destination is away: nobody is blamed, and no attempt counts',
    { timeout: LONG },
    async ({ skip }) => {
      skipWithout(engine, skip)
      const ucon = await UconServer.start()
      const proxy = await FaultProxy.before(ucon)
      proxies.push(proxy, ucon)
      const fleet = await open(engine, {
        ucon: `  server_url: ${proxy.urlFor(ucon)}\n  timeout_seconds: 2\n  folder_name: test01\n  object_name: configuration\n  writer_user: writer\n  writer_password: secret`,
      })
      fleet.records(RUNS)
      proxy.always({ kind: 'refuse' })
      const workers = [fleet.start(), fleet.start(), fleet.start()]
      const migrate = async () => (await fleet.status()).stages.find(({ stage }) => stage === 'migrate')
      await until(async () => (await migrate())?.blockedReason !== undefined, 100)
      await sleep(3000)
      expect(await migrate()).toMatchObject({ done: 0, failed: 0 })
      expect(fleet.site.failures('migrate')).toBe('')
      const list = ['--stage', 'migrate', '--status', 'pending', '--json', '--limit', '1000']
      const { stdout } = await fleet.command('queue', 'list', ...list)
      const items = JSON.parse(stdout) as { attempts: number; lost: number }[]
      expect(new Set(items.map(({ attempts, lost }) => attempts + lost))).toEqual(new Set([0]))
      proxy.always({ kind: 'none' })
      await until(async () => (await migrate())?.done === RUNS, 100)
      await endAll(workers)
      expect(fleet.site.failures('migrate')).toBe('')
    },
  )
})

describe('workers on PostgreSQL', () => {
  it('whose connections are cut, delayed and silent', { timeout: LONG }, async ({ skip }) => {
    skipWithout('PostgreSQL', skip)
    const proxy = await FaultProxy.before({ port: server!.port })
    proxies.push(proxy)
    const fleet = await open('PostgreSQL', { port: proxy.port })
    const random = randomFrom(SEED)
    fleet.records(RUNS)
    const workers = [fleet.start(), fleet.start(), fleet.start()]
    await fleet.running(3)
    for (let event = 0; event < EVENTS; event++) {
      fleet.records(5)
      await sleep(500 + 500 * random())
      const dice = random()
      if (dice < 0.5) proxy.cut()
      else if (dice < 0.8) await proxy.freeze(random() < 0.6 ? 1500 : 7000)
      else proxy.always(random() < 0.5 ? { kind: 'delay', milliseconds: 100 } : { kind: 'none' })
    }
    proxy.always({ kind: 'none' })
    await endAll(workers)
    await finish(fleet)
    await fleet.expectAllArchivedOnce({ again: true })
    expect(workers.map(({ child }) => child.exitCode)).toEqual([143, 143, 143])
  })

  it(
    'whose clocks are hours apart: only the clock of the server decides',
    { timeout: LONG },
    async ({ skip }) => {
      skipWithout('PostgreSQL', skip)
      const fleet = await open('PostgreSQL')
      fleet.records(RUNS)
      const workers = [0, HOUR, -HOUR].map((by) => fleet.start(['--until-empty'], { env: clockMovedBy(by) }))
      const ends = await Promise.all(workers.map(({ ended }) => ended))
      expect(ends.map(({ status, stderr }) => [status, status === 0 ? '' : stderr])).toEqual([
        [0, ''],
        [0, ''],
        [0, ''],
      ])
      await fleet.expectAllArchivedOnce()
      const { instances } = await fleet.status()
      expect(instances.map(({ fenced, recovered }) => fenced + recovered)).toEqual([0, 0, 0])
    },
  )
})

const allowed = Machines.allowed
if (!allowed) console.warn('SKIPPED: three machines, because network namespaces may not be made here')

describe.skipIf(!allowed)('three machines, one with a clock an hour ahead', () => {
  it(
    'of which one vanishes and comes back: the others have its runs after its lease',
    { timeout: LONG },
    async ({ skip }) => {
      skipWithout('PostgreSQL', skip)
      const machines = new Machines()
      proxies.push(machines)
      machines.start()
      const proxy = await FaultProxy.before({ port: server!.port }, machines.here)
      proxies.push(proxy)
      const fleet = await open('PostgreSQL', { host: machines.here, port: proxy.port })
      fleet.records(RUNS)
      const workers = machines.names.map((name, i) =>
        fleet.start([], { before: machines.on(name), env: i === 1 ? clockMovedBy(HOUR) : {} }),
      )
      await fleet.running(3)
      const victim = async () => (await fleet.status()).instances.find(({ host }) => host === 'machine-c')
      await until(async () => ((await victim())?.held ?? 0) > 0 || fleet.site.archived().length === RUNS, 50)
      machines.cable('c', 'down')
      fleet.records(RUNS)
      await until(() => fleet.site.archived().length === 2 * RUNS, 200)
      machines.cable('c', 'up')
      // It is back, and has its share of what comes then.
      const before = (await victim())?.claims ?? 0
      await until(async () => {
        if (((await victim())?.claims ?? 0) > before) return true
        if (fleet.runs < 40 * RUNS) fleet.records(5)
        return false
      }, 500)
      expect((await victim())?.status).toBe('running')
      await endAll(workers)
      await finish(fleet)
      expect(new Set((await fleet.status()).instances.map(({ host }) => host)).size).toBeGreaterThanOrEqual(3)
      await fleet.expectAllArchivedOnce({ again: true })
    },
  )
})
