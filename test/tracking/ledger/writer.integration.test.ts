import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Log } from '../../../src/common/log.ts'
import { redact } from '../../../src/common/redact.ts'
import type { Row } from '../../../src/tracking/ledger/row.ts'
import { Spool } from '../../../src/tracking/ledger/spool.ts'
import { LedgerWriter, type Gap, type LedgerStore } from '../../../src/tracking/ledger/writer.ts'

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

const opened = (store: Switch) => {
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
    expect(spool.take().rows).toEqual([])
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
    expect(spool.take().rows).toHaveLength(1)
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
    expect(spool.take().rows.map(({ cells }) => cells['file_name'])).toEqual(['2', '3'])
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
    expect(spool.take().rows.map(({ cells }) => cells['file_name'])).toEqual(['1', '2', '3', '4'])
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

describe('the spool', () => {
  it('gives back the newest row of each key, and forgets only what is done', () => {
    spool.append([row(1, 1), row(2, 1)])
    spool.append([row(1, 3)])
    spool.append([row(1, 2)])
    expect(spool.take().rows.map(({ cells }) => cells['revision'])).toEqual([3, 1])
    const again = new Spool(join(folder, 'spool.jsonl')).take()
    expect(again.rows).toHaveLength(2)
    again.done()
    expect(spool.take().rows).toEqual([])
  })

  it('survives a line that a kill cut short, and lines that are not its own', () => {
    spool.append([row(1, 1)])
    appendFileSync(
      join(folder, 'spool.jsonl'),
      '{"t":"users","c":{}}\n{"t":"files","c":{"file_name":"9","DROP TABLE":1,"revision":{}}}\n{"t":"files","c":{"fi',
    )
    const { rows, unreadable } = spool.take()
    expect(unreadable).toBe(2)
    expect(rows).toHaveLength(2)
    expect(rows[1]?.cells).toEqual({ file_name: '9' })
  })

  it('keeps beginnings and ends when it is full, and says how much it gave up', () => {
    const small = new Spool(join(folder, 'spool.jsonl'), 20_000)
    for (let i = 0; i < 300; i++) small.append([row(i, 1, true)])
    for (let i = 1000; i < 1050; i++) small.append([row(i, 1)])
    expect(statSync(join(folder, 'spool.jsonl')).size).toBeLessThan(30_000)
    expect(small.takeLost()).toBeGreaterThan(0)
    const names = small.take().rows.map(({ cells }) => Number(cells['file_name']))
    expect(names.filter((name) => name >= 1000)).toHaveLength(50)
  })

  it('is not read again for every row when it is full of what is kept', () => {
    const small = new Spool(join(folder, 'spool.jsonl'), 10_000)
    for (let i = 0; small.size <= 20_000; i++) small.append([row(i, 1)])
    const files = new Set<number>()
    for (let revision = 2; revision < 12; revision++) {
      small.append([row(1, revision)]) // an older row of this key is there to be dropped: that makes a new file
      files.add(statSync(join(folder, 'spool.jsonl')).ino)
    }
    expect(files.size).toBe(1)
    for (let revision = 12; revision < 100; revision++) small.append([row(1, revision)])
    expect(small.size).toBeLessThan(26_000)
    expect(small.take().rows[1]?.cells['revision']).toBe(99)
  })

  it('never throws, wherever it is', () => {
    const nowhere = new Spool('/dev/null/spool.jsonl')
    nowhere.append([row(1, 1)])
    expect(nowhere.takeLost()).toBe(1)
    expect(nowhere.take().rows).toEqual([])
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
