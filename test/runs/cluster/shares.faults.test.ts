import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { FaultProxy } from '../../fakes/fault-proxy.ts'
import { UconServer } from '../../fakes/ucon-server.ts'
import { dropSchema, serverUrl } from '../../queue/postgres-site.ts'
import { Fleet, type Started } from './fleet.ts'

/**
 * A run takes as long as its worker's way to UconDB, and hardly any processor: workers are as fast as each other, or five times slower,
 * whatever else the machine does.
 */
const LATENCY = 100
const RUNS = 240
const LONG = 300_000

let fleet: Fleet | undefined
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  await fleet?.close()
  for (const one of opened.splice(0)) await one.close()
})

interface Came {
  readonly done: number
  /** Milliseconds since the first result of any of them. */
  readonly took: number
}

const flagsOf = (stages: string) => ['--until-empty', '--stages', stages]

/** Has three workers migrate all runs, of which the first has this much more of a way to UconDB. */
const migrated = async (url: string, schema: string, delay: number): Promise<Came[]> => {
  const ucon = await UconServer.start({ latency: LATENCY })
  const proxy = await FaultProxy.before(ucon)
  opened.push(proxy, ucon)
  proxy.always({ kind: 'delay', milliseconds: delay })
  const settings = `  server_url: ${ucon.url}\n  folder_name: test01\n  object_name: configuration\n  writer_user: writer\n  writer_password: secret`
  // No scan comes in between: that of a leader would cost it some of its share.
  fleet = await Fleet.open({ url, schema, scanSeconds: 300, ucon: settings })
  const { site } = fleet
  // Nor does the leader compare runs at the end, for a share of the time.
  appendFileSync(site.config, '\nscrub: off\n')
  const farther = site.path('farther.yaml')
  writeFileSync(farther, readFileSync(site.config, 'utf8').replace(ucon.url, proxy.urlFor(ucon)))
  fleet.records(RUNS)
  await fleet.start(flagsOf('import')).ended
  await fleet.command('queue', 'pause', 'migrate')
  const workers = [farther, site.config, site.config].map((config) =>
    fleet!.start(flagsOf('migrate'), { config }),
  )
  await fleet.running(3)
  const began = Date.now()
  await fleet.command('queue', 'resume', 'migrate')
  const ends = await Promise.all(workers.map(({ ended }) => ended))
  expect(ends.map(({ status, stderr }) => (status === 0 ? '' : stderr))).toEqual(['', '', ''])
  const { stages, instances } = await fleet.status()
  expect(stages.find(({ stage }) => stage === 'migrate')).toMatchObject({ done: RUNS, failed: 0 })
  expect(ucon.folder.versions).toHaveLength(RUNS)
  const doneOf = ({ child }: Started) => instances.find(({ pid }) => pid === child.pid)?.done ?? 0
  const came = workers.map((one, i) => ({ done: doneOf(one), took: ends[i]!.at - began }))
  expect(came.reduce((sum, { done }) => sum + done, 0)).toBe(RUNS)
  console.log(came.map(({ done, took }) => `${done} in ${took} ms`).join(', '))
  return came
}

/** All end within a tenth of the whole time. */
const expectOneEnd = (came: readonly Came[]): void => {
  const last = Math.max(...came.map(({ took }) => took))
  expect(Math.min(...came.map(({ took }) => took))).toBeGreaterThan(0.9 * last)
}

describe.each([
  { engine: 'SQLite', url: () => 'sqlite:queue.db' },
  { engine: 'PostgreSQL', url: serverUrl },
])('three workers on $engine', ({ engine, url }) => {
  const schema = `shares_${process.pid}`
  const inTurn = async (delay: number): Promise<Came[]> => {
    try {
      return await migrated(url(), schema, delay)
    } finally {
      if (engine === 'PostgreSQL') await dropSchema(schema)
    }
  }

  it('of equal speed: each has its share, and all end together', { timeout: LONG }, async () => {
    const came = await inTurn(0)
    for (const { done } of came) expect(Math.abs((3 * done) / RUNS - 1)).toBeLessThanOrEqual(0.1)
    expectOneEnd(came)
  })

  it('one of them five times slower: it takes less, and all end together', { timeout: LONG }, async () => {
    const came = await inTurn(2 * LATENCY)
    const [slow, ...others] = came.map(({ done }) => done)
    for (const done of others) expect(slow!).toBeLessThan(done / 2)
    expectOneEnd(came)
  })
})
