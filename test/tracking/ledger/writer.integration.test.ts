import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Log } from '../../../src/common/log.ts'
import { redact } from '../../../src/common/redact.ts'
import type { Row } from '../../../src/tracking/ledger/row.ts'
import { Spool } from '../../../src/tracking/ledger/spool.ts'
import type { Gap, LedgerStore } from '../../../src/tracking/ledger/writer-options.ts'
import { LedgerWriter } from '../../../src/tracking/ledger/writer.ts'

let folder = ''
let spool: Spool
let warnings: string[] = []
let time = 0
const quiet = (): void => undefined
const log: Log = { debug: quiet, info: quiet, warn: (text) => void warnings.push(text), error: quiet }
const row = (run: number, revision: number, transient = false): Row => ({
  table: 'files',
  cells: {
    run_id: 'a',
    stage: 'import',
    file_name: String(run),
    state: transient ? 'running' : 'done',
    revision,
  },
  transient,
})
/** What waits; it waits no more. */
const waiting = async (of: Spool): Promise<Row[]> => {
  const rows: Row[] = []
  await of.replay((some) => Promise.resolve(void rows.push(...some)))
  return rows
}
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writer-'))
  spool = new Spool(join(folder, 'spool.jsonl'))
  warnings = []
  time = 0
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A ledger that is there or not, or hangs, and what it was given. */
class Switch implements LedgerStore {
  state: 'up' | 'down' | 'hung' = 'up'
  readonly written: Row[] = []
  readonly writeNow = undefined
  async write(rows: readonly Row[]): Promise<void> {
    await this.answer()
    this.written.push(...rows)
  }
  async answer(): Promise<void> {
    if (this.state === 'down') throw new Error('connect ECONNREFUSED postgres://u:hunter22@h/db')
    if (this.state === 'hung') await new Promise(() => undefined)
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
}

const opened = (store: Switch, ownFirst = false) => {
  const pending: Row[] = []
  const gaps: Gap[] = []
  const writer = new LedgerWriter<Switch>({
    connect: async () => {
      await store.answer()
      return store
    },
    spool,
    drain: () => pending.splice(0),
    now: () => time,
    log,
    redact,
    flushEvery: 5,
    ownFirst,
    retryEvery: 30_000,
    timeout: 50,
    onOpen: () => Promise.resolve(),
    onRecovered: (gap) => gaps.push(gap),
  })
  return { writer, pending, gaps }
}

describe('a ledger that goes away', () => {
  it('gets everything later, in spite of a process that ended meanwhile, and the gap is told', async () => {
    const store = new Switch()
    const { writer, pending, gaps } = opened(store)
    pending.push(row(1, 1))
    await writer.flush()
    store.state = 'down'
    for (const run of [2, 3, 4]) {
      pending.push(row(run, run))
      await writer.flush()
      time += 10_000
    }
    expect(writer.failures).toBe(1)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).not.toContain('hunter22')
    store.state = 'up'
    time += 10_000
    pending.push(row(5, 5))
    await writer.flush()
    expect(store.written.map(({ cells }) => cells['file_name']).sort()).toEqual(['1', '2', '3', '4', '5'])
    expect(gaps).toEqual([{ from: 0, to: 40_000, spooled: 3, lost: 0 }])
    expect(spool.size).toBe(0)
    expect(await waiting(spool)).toEqual([])
  })

  it('is warned of once a minute at most', async () => {
    const store = new Switch()
    store.state = 'down'
    const { writer, pending } = opened(store)
    for (let i = 0; i < 8; i++) {
      pending.push(row(i, i))
      await writer.flush()
      time += 31_000
    }
    expect(writer.failures).toBe(8)
    expect(warnings).toHaveLength(4)
  })

  it('says that what is missing is lost where its spool cannot be written either, and that it is kept when it is', async () => {
    const store = new Switch()
    store.state = 'down'
    writeFileSync(join(folder, 'a file'), '')
    spool = new Spool(join(folder, 'a file', 'spool.jsonl'))
    const { writer, pending, gaps } = opened(store)
    const wait = async (): Promise<void> => {
      for (let i = 0; i < 2; i++) {
        pending.push(row(i, i))
        await writer.flush()
        time += 31_000
      }
    }
    await wait()
    expect(warnings).toEqual([
      expect.stringContaining(
        `The ledger: what is missing cannot be kept in ${spool.path} either, and is lost: E`,
      ),
      expect.stringMatching(/^The ledger cannot be written; archiving goes on: connect ECONNREFUSED/),
    ])
    warnings = []
    rmSync(join(folder, 'a file'))
    await wait()
    expect(warnings).toEqual([expect.stringContaining(`, and what is missing is kept in ${spool.path}: `)])
    store.state = 'up'
    await writer.flush()
    expect(gaps).toMatchObject([{ spooled: 2, lost: 2 }])
  })

  it('is tried again, and warned of, though the clock was set back by a day meanwhile', async () => {
    const store = new Switch()
    store.state = 'down'
    const { writer, pending, gaps } = opened(store)
    const writeRow = async (run: number): Promise<void> => {
      pending.push(row(run, run))
      await writer.flush()
    }
    await writeRow(1)
    time -= 86_400_000
    await writeRow(2)
    expect([writer.failures, warnings.length]).toEqual([2, 2])
    store.state = 'up'
    time -= 86_400_000
    await writeRow(3)
    expect(store.written).toHaveLength(3)
    expect(gaps).toHaveLength(1)
  })

  it('holds nobody up when it hangs', async () => {
    const store = new Switch()
    store.state = 'hung'
    const { writer, pending } = opened(store)
    pending.push(row(1, 1))
    await writer.close(500)
    expect(await waiting(spool)).toHaveLength(1)
  })

  it('loses nothing that was on its way to it when the process has to end', async () => {
    const store = new Switch()
    const { writer, pending } = opened(store)
    pending.push(row(1, 1))
    await writer.flush()
    store.state = 'hung'
    pending.push(row(2, 2))
    void writer.flush()
    await new Promise((resolve) => setTimeout(resolve, 10))
    pending.push(row(3, 3))
    await writer.close(20)
    expect((await waiting(spool)).map(({ cells }) => cells['file_name'])).toEqual(['2', '3'])
  })

  it('leaves one spool and no other file, however often what waits cannot be written', async () => {
    spool.append([row(1, 1)])
    const store = new Switch()
    store.write = () => Promise.reject(new Error('database or disk is full'))
    const { writer, pending } = opened(store)
    for (let i = 2; i < 5; i++) {
      pending.push(row(i, 1))
      await writer.flush()
      time += 31_000
    }
    expect(readdirSync(folder)).toEqual(['spool.jsonl'])
    expect((await waiting(spool)).map(({ cells }) => cells['file_name'])).toEqual(['1', '2', '3', '4'])
  })

  it('is given what this process says before and between what others left, and the rest by the next process', async () => {
    for (let i = 0; i < 1200; i++) spool.append([row(i, 1)])
    const store = new Switch()
    const { writer, pending } = opened(store, true)
    pending.push(row(5000, 1))
    store.write = async (rows) => {
      if (store.written.length > 501) await new Promise(() => undefined) // hangs in the second portion
      if (store.written.length === 1) pending.push(row(5001, 1))
      store.written.push(...rows)
    }
    await writer.close(2000)
    const names = store.written.map(({ cells }) => Number(cells['file_name']))
    expect([names[0], names.length]).toEqual([5000, 502])
    time += 31_000
    const next = new Switch()
    await opened(next).writer.close(1000)
    const rest = next.written.map(({ cells }) => Number(cells['file_name']))
    expect(rest.filter((name) => name < 500)).toEqual([])
    expect(new Set([...names, ...rest]).size).toBe(1202)
    expect(readdirSync(folder)).toEqual([])
  })

  it('loses what is unwritten when there is no spool: the control', async () => {
    const store = new Switch()
    store.state = 'down'
    const { writer, pending } = opened(store)
    pending.push(row(1, 1))
    await writer.flush()
    rmSync(join(folder, 'spool.jsonl'))
    store.state = 'up'
    time += 31_000
    await writer.flush()
    expect(store.written).toEqual([])
  })

  it('that was never installed is off, with the way to turn it on', async () => {
    const store = new Switch()
    const missing = Object.assign(new Error("Cannot find package 'libsql'"), {
      code: 'ERR_MODULE_NOT_FOUND',
    })
    store.answer = () => Promise.reject(missing)
    const { writer, pending } = opened(store)
    pending.push(row(1, 1))
    await writer.flush()
    pending.push(row(2, 2))
    await writer.flush()
    expect(warnings).toEqual([expect.stringContaining('The ledger is off: its driver is missing')])
    expect(spool.size).toBe(0)
  })
})

describe('what changed', () => {
  it('is written within the flush time without being asked for', async () => {
    const store = new Switch()
    const { writer, pending } = opened(store)
    pending.push(row(1, 1))
    writer.wake()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(store.written).toHaveLength(1)
    expect(() => readFileSync(join(folder, 'spool.jsonl'))).toThrow()
  })
})
