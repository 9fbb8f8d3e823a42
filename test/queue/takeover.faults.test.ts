import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { identity, monotonic } from '../../src/platform/host.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { ClaimStore } from '../../src/engine/claim-store.ts'
import { type HolderPlace, openStore } from './holder.ts'
import { dropSchema, serverUrl } from './postgres-site.ts'

/** A busy machine may take longer than the half second and the three that a quiet one keeps to (docs/SEVERAL_WORKERS.md). */
const SLOWER = Number(process.env['ARCHIVER_QUEUE_PATIENCE'] ?? 10)

const LONG = 600_000
const SHORT = 2000

interface Holder {
  readonly kill: (signal: NodeJS.Signals) => void
  readonly ask: (line: string) => Promise<unknown>
}

let [place, stores, holders]: [HolderPlace, ClaimStore[], Holder[]] = [{ lease: LONG }, [], []]

/** A process of its own. */
const hold = async (lease: number): Promise<Holder> => {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'test/queue/holder.ts', JSON.stringify({ ...place, lease })],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value))
  const holder: Holder = {
    kill: (signal) => void child.kill(signal),
    ask: (line) => {
      child.stdin.write(`${line}\n`)
      return answer()
    },
  }
  holders.push(holder)
  expect(await answer()).toBe('ready')
  return holder
}

const open = async (lease = LONG): Promise<ClaimStore> => {
  const store = await openStore({ ...place, lease }, true)
  stores.push(store)
  return store
}

/** As a worker does it. */
const reapUntil = async (store: ClaimStore, wanted: number): Promise<number> => {
  const began = monotonic()
  for (let taken = 0; taken < wanted;) {
    taken += await store.reap()
    await sleep(50)
  }
  return monotonic() - began
}

const items = (...ordinals: number[]) => ordinals.map((ordinal) => ({ key: String(ordinal), ordinal }))

describe.each([
  { engine: 'SQLite', within: 500 },
  { engine: 'PostgreSQL', within: 3000 },
])('processes on $engine', ({ engine, within }) => {
  const folder = mkdtempSync(join(tmpdir(), 'takeover-'))
  beforeEach(async () => {
    ;[stores, holders] = [[], []]
    if (engine === 'SQLite') {
      place = { path: join(folder, `${Math.random()}.db`), lease: LONG }
      return
    }
    const schema = `takeover_${process.pid}_${Math.random().toString(36).slice(2, 8)}`
    place = { server: serverUrl(), schema, lease: LONG }
    const options = { server: serverUrl(), password: undefined, schema, instance: 'm', identity: identity() }
    const made = await PostgresQueue.open({
      ...options,
      lease: LONG,
      monotonic,
      lookEvery: 0,
      works: false,
      migrate: true,
    })
    await made.close()
  })
  afterEach(async () => {
    for (const holder of holders) holder.kill('SIGKILL')
    for (const store of stores) await store.close()
    if (place.schema !== undefined) await dropSchema(place.schema)
    else rmSync(folder, { recursive: true, force: true })
  })

  it('take over from one that was killed, long before its lease', { timeout: 60_000 }, async () => {
    const other = await open()
    await other.enqueue('import', items(1, 2, 3), 0)
    const victim = await hold(LONG)
    expect(await victim.ask('claim 2')).toEqual(['1', '2'])
    victim.kill('SIGKILL')
    const took = await reapUntil(other, 2)
    console.log(`${engine}: taken over ${Math.round(took)} ms after kill -9`)
    expect(took).toBeLessThan(within * SLOWER)
    expect((await other.claim('import', 9)).map(({ key }) => key)).toEqual(['1', '2', '3'])
  })

  it('refuse what one does that was stopped past its lease', { timeout: 60_000 }, async () => {
    const other = await open()
    await other.enqueue('import', items(1, 2), 0)
    const frozen = await hold(SHORT)
    expect(await frozen.ask('claim 2')).toEqual(['1', '2'])
    frozen.kill('SIGSTOP')
    await reapUntil(other, 2)
    const taken = await other.claim('import', 2)
    frozen.kill('SIGCONT')
    // It finds out by its own clock before it acts, and the backlog refuses it all the same.
    expect(await frozen.ask('settle')).toEqual({ lost: 2, refused: ['1', '2'] })
    expect(await other.settle(taken, [])).toEqual([])
    expect((await other.counts())[0]).toMatchObject({ pending: 0, claimed: 0, done: 2 })
  })

  it('without the epoch they would not: the control', { timeout: 60_000 }, async () => {
    const other = await open()
    await other.enqueue('import', items(1), 0)
    const frozen = await hold(SHORT)
    await frozen.ask('claim 1')
    frozen.kill('SIGSTOP')
    await reapUntil(other, 1)
    expect(await other.claim('import', 1)).toHaveLength(1)
    frozen.kill('SIGCONT')
    expect(await frozen.ask('settle unfenced')).toBe(1) // the item that another has in hand counts as done
  })

  it('fail an item that killed three of them, and go on with the others', { timeout: 60_000 }, async () => {
    const other = await open()
    await other.enqueue('import', items(1, 2), 0)
    // Twice with what is claimed beside it, then alone: only one of the two is to blame.
    for (const claimed of [['1', '2'], ['1', '2'], ['1']]) {
      const victim = await hold(LONG)
      expect(await victim.ask('claim 2')).toEqual(claimed)
      victim.kill('SIGKILL')
      await reapUntil(other, claimed.length)
    }
    expect(await other.show('1')).toMatchObject([{ status: 'failed', code: 'QUEUE_POISON', lost: 3 }])
    expect((await other.claim('import', 9)).map(({ key }) => key)).toEqual(['2'])
  })
})
