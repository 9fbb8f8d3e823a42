import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'

/** More than are compared before threads are started. */
const RUNS = Array.from({ length: 46 }, (_, n) => n + 1)
const LARGE = 40

let site: Site
beforeAll(() => {
  site = new Site({ app: '  memory_mb: 128\n  parallel_workers: 2\n  batch_size: 0' })
  for (const run of RUNS) site.record(run)
  // With its documents it takes more than its share of the memory.
  site.record(LARGE, { files: { 'large.bin': Buffer.alloc(14_000_000, 255) } })
  expect(site.archiver().status).toBe(0)
})
afterAll(() => site.remove())

/** Changes one byte of a run's document. */
const damageDocument = (run: number): void => {
  const folder = site.path('db', 'RunHistory')
  const path = readdirSync(folder)
    .map((name) => join(folder, name))
    .find((one) => !one.endsWith('index.json') && readFileSync(one, 'utf8').includes(`"${run}/demo"`))!
  const bytes = readFileSync(path)
  bytes[bytes.length >> 1]! ^= 1
  writeFileSync(path, bytes)
}

describe('runs that are compared on threads', () => {
  it('are all compared, a large one too', () => {
    expect(site.command('verify').stdout).toBe(
      `Verified ${RUNS.length} of ${RUNS.length} archived runs, ${3 * RUNS.length} copies read back: 0 with differences\n`,
    )
    const { status, stdout } = site.command('audit --deep', '--json')
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      holds: true,
      stages: [{ read_back: RUNS.length }, { read_back: RUNS.length }],
    })
    expect(site.command('scrub').stdout).toContain(`Compared ${RUNS.length} of ${RUNS.length}`)
  })

  it('differ as they do when they are compared one by one, in the order of their numbers', () => {
    for (const run of [3, 37, LARGE]) damageDocument(run)
    const all = site.command('verify')
    const few = site.command('verify', '--runs', `3,37,${LARGE}`)
    expect([all.status, few.status]).toEqual([1, 1])
    const runsIn = (text: string): string => text.slice(0, text.indexOf('Verified'))
    expect(runsIn(all.stdout)).toBe(runsIn(few.stdout))
    expect([...all.stdout.matchAll(/^Run (\d+):/gm)].map(([, run]) => Number(run))).toEqual([3, 37, LARGE])
    const { status, stdout } = site.command('audit --deep')
    expect(status).toBe(1)
    for (const run of [3, 37, LARGE]) expect(stdout).toContain(`VIOLATION: run ${run} is`)
    expect(site.command('scrub').stdout).toContain('3 damaged')
  })
})
