import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RunSet } from '../../../src/common/run-set.ts'
import { Proven } from '../../../src/runs/scrub/proven.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proven-'))
  path = join(folder, '.proven.json')
})
afterEach(() => rmSync(folder, { recursive: true }))

const HOUR = 3_600_000

describe('what was compared', () => {
  it('is compared again longest ago first, after what is damaged and what never was', async () => {
    const proven = await new Proven(path).load()
    proven.good(RunSet.parse('3-4'), 5 * HOUR)
    proven.good(RunSet.parse('1-2'), 2 * HOUR)
    proven.bad(6, 'rot')
    expect([...proven.order(RunSet.parse('1-6'))]).toEqual([6, 5, 1, 2, 3, 4])
    await proven.save()
    const again = await new Proven(path).load()
    expect([...again.order(RunSet.parse('1-6'))]).toEqual([6, 5, 1, 2, 3, 4])
    expect(again.oldest(RunSet.parse('3-9'))).toBe(5 * HOUR)
    expect([again.comparedAt(1), again.comparedAt(5), again.comparedAt(6)]).toEqual([
      2 * HOUR,
      undefined,
      undefined,
    ])
    const about = again.about(RunSet.parse('1-2,5-6'))
    expect([about.compared.toString(), about.oldest, [...about.damaged.keys()]]).toEqual([
      '1-2',
      2 * HOUR,
      [6],
    ])
    again.good(RunSet.parse('6'), 6 * HOUR)
    expect([...again.damaged]).toEqual([])
  })

  it('is not compared, and comes first, where the comparison is dated in the future', async () => {
    const proven = new Proven(path)
    proven.good(RunSet.parse('1-2'), 5 * HOUR)
    proven.good(RunSet.parse('3-4'), 9 * HOUR)
    await proven.save()
    const after = await new Proven(path).load(6 * HOUR)
    expect(after.runs.toString()).toBe('1-2')
    expect(after.comparedAt(3)).toBeUndefined()
    expect([...after.order(RunSet.parse('1-4'))]).toEqual([3, 4, 1, 2])
  })

  it('is not known where the system does not give the file, which is not "nothing"', async () => {
    mkdirSync(path)
    await expect(new Proven(path).load()).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
  })

  it('is forgotten where the file was damaged: it costs a comparison, and never calls anything compared', async () => {
    const proven = new Proven(path)
    proven.good(RunSet.parse('1-9'), HOUR)
    await proven.save()
    const text = readFileSync(path, 'utf8')
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 0, max: 6 }), (at, bit) => {
        const harmed = Buffer.from(text)
        harmed[at] = harmed[at]! ^ (1 << bit)
        writeFileSync(path, harmed)
      }),
      { numRuns: 1 },
    )
    expect((await new Proven(path).load()).runs.isEmpty).toBe(true)
  })
})
