import { appendFileSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Row } from '../../../src/tracking/ledger/row.ts'
import { Spool } from '../../../src/tracking/ledger/spool.ts'

let folder = ''
let path = ''
const spoolOf = (largest?: number): Spool =>
  new Spool(path, { ...(largest === undefined ? {} : { largest }), now: () => 1000 })
/** A file of an execution: with `transient`, how far it is. */
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
const replayed = async (spool: Spool): Promise<Row[]> => {
  const rows: Row[] = []
  await spool.replay((some) => Promise.resolve(void rows.push(...some)))
  return rows
}
const namesOf = (rows: readonly Row[]): number[] => rows.map(({ cells }) => Number(cells['file_name']))

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spool-'))
  path = join(folder, 'spool.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the spool', () => {
  it('gives back the newest row of each key, in order, and forgets what was written', async () => {
    const spool = spoolOf()
    spool.append([row(1, 1), row(2, 1)])
    spool.append([row(1, 3)])
    spool.append([row(1, 2)])
    const rows = await replayed(spool)
    expect(rows.map(({ cells }) => [cells['file_name'], cells['revision']])).toEqual([
      ['1', 3],
      ['2', 1],
    ])
    expect(readdirSync(folder)).toEqual([])
  })

  it('goes on where a process that ended in the middle stopped, one portion back at most', async () => {
    const spool = spoolOf()
    for (let i = 0; i < 1300; i++) spool.append([row(i, 1)])
    const before: Row[] = []
    const broken = spool.replay((rows) => {
      if (before.length >= 1000) return Promise.reject(new Error('away'))
      before.push(...rows)
      return Promise.resolve()
    })
    await expect(broken).rejects.toThrow('away')
    spool.append([row(2000, 1)])
    const after = namesOf(await replayed(spoolOf()))
    expect(namesOf(before)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    expect(after).toEqual([...Array.from({ length: 300 }, (_, i) => 1000 + i), 2000])
    expect(readdirSync(folder)).toEqual([])
  })

  it('takes what earlier versions and other clients left under their names', async () => {
    const spool = spoolOf()
    for (const [i, name] of ['replay-123', 'replay-0f8fad5b-d9cb-469f-a165-70867728950e'].entries()) {
      spool.append([row(i, 1)])
      renameSync(path, `${path}.${name}`)
    }
    expect(namesOf(await replayed(spool)).sort()).toEqual([0, 1])
    expect(readdirSync(folder)).toEqual([])
  })

  it('survives a line that a kill cut short, and lines that are not its own', async () => {
    const spool = spoolOf()
    spool.append([row(1, 1)])
    appendFileSync(
      path,
      '{"t":"users","c":{}}\n{"t":"files","c":{"file_name":"9","DROP TABLE":1,"revision":{}}}\n{"t":"files","c":{"fi',
    )
    const rows = await replayed(spool)
    expect(rows).toHaveLength(2)
    expect(rows[1]?.cells).toEqual({ file_name: '9' })
  })

  it('never throws, wherever it is', async () => {
    const nowhere = new Spool('/dev/null/spool.jsonl')
    nowhere.append([row(1, 1)])
    expect(nowhere.takeLost()).toBe(1)
    expect(await replayed(nowhere)).toEqual([])
  })

  it('holds a line longer than what is read at once, and characters that lie across', async () => {
    const text = 'ä€'.repeat(200_000)
    const spool = spoolOf()
    spool.append([{ ...row(1, 1), cells: { ...row(1, 1).cells, error_message: text } }, row(2, 1)])
    expect((await replayed(spool)).map(({ cells }) => cells['error_message'])).toEqual([text, undefined])
  })
})

describe('a spool that is full', () => {
  const LARGEST = 20_000

  it('gives up the oldest progress, keeps beginnings and ends, and says how much it gave up', async () => {
    const spool = spoolOf(LARGEST)
    spool.append([row(0, 1)])
    for (let i = 1; i <= 300; i++) spool.append([row(i, 1, true)])
    for (let i = 1000; i < 1050; i++) spool.append([row(i, 1)])
    expect(spool.size).toBeLessThan(LARGEST * 1.2)
    const lost = spool.takeLost()
    const rows = await replayed(spool)
    const names = namesOf(rows.filter(({ table }) => table === 'files'))
    expect(names.filter((name) => name === 0 || name >= 1000)).toHaveLength(51)
    const progress = names.filter((name) => name > 0 && name <= 300)
    expect(progress.length).toBeGreaterThan(0)
    expect(progress).toEqual(Array.from({ length: progress.length }, (_, i) => 301 - progress.length + i))
    expect(lost).toBe(300 - progress.length)
  })

  it('keeps the beginning of what still runs, though newer progress of it is given up', async () => {
    const spool = spoolOf(LARGEST)
    spool.append([row(1, 1)])
    for (let revision = 2; revision < 400; revision++) spool.append([row(1, revision, true)])
    for (let i = 1000; i < 1300; i++) spool.append([row(i, 1)])
    const [first] = (await replayed(spool)).filter(({ cells }) => cells['file_name'] === '1')
    expect(first?.cells['revision']).toBe(1)
  })

  it('leaves an event in each execution that lost something, with the number', async () => {
    const spool = spoolOf(LARGEST)
    for (let i = 1; i <= 400; i++) spool.append([row(i, 1, true)])
    const lost = spool.takeLost()
    const events = (await replayed(spool)).filter(({ table }) => table === 'events')
    const numbers = events.map(
      ({ cells }) => (JSON.parse(String(cells['detail'])) as { given_up: number }).given_up,
    )
    expect(events.every(({ cells }) => cells['run_id'] === 'a' && cells['kind'] === 'spool-full')).toBe(true)
    expect(new Set(events.map(({ cells }) => cells['seq'])).size).toBe(events.length)
    expect(numbers.reduce((sum, count) => sum + count, 0)).toBe(lost)
  })

  it('of nothing but beginnings and ends keeps them all, and is not rewritten for every row', () => {
    const spool = spoolOf(LARGEST)
    for (let i = 0; spool.size <= LARGEST * 2; i++) spool.append([row(i, 1)])
    const before = readdirSync(folder).filter((name) => name.endsWith('.ends'))
    spool.append([row(1, 2)])
    spool.append([row(1, 3, true)])
    expect(readdirSync(folder).filter((name) => name.endsWith('.ends'))).toEqual(before)
    expect(spool.takeLost()).toBe(1)
  })

  it('removes what a killed process left half written, in an hour', async () => {
    writeFileSync(`${path}.replay-x.1.tmp`, '')
    await replayed(new Spool(path, { now: () => Date.now() + 4_000_000 }))
    expect(readdirSync(folder)).toEqual([])
  })
})
