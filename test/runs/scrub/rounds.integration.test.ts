import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openArchiver } from '../../../src/app/open-archiver.ts'
import { mainCommand } from '../../../src/commands/main-command.ts'
import { RunSet } from '../../../src/common/run-set.ts'
import type { Archiver } from '../../../src/runs/archiver.ts'
import { now } from '../../../src/platform/host.ts'
import { planPass } from '../../../src/runs/plan-pass.ts'
import type { Plan } from '../../../src/runs/plan.ts'
import { IdleScrub } from '../../../src/runs/scrub/idle-scrub.ts'
import { provenOf } from '../../../src/runs/scrub/proven.ts'
import { scrub } from '../../../src/runs/scrub/scrub.ts'
import { contextOf } from '../../context.ts'
import { filesBelow } from '../../damage/damages.ts'
import { Site } from '../../site.ts'

const RUNS = 6
const { signal } = new AbortController()
let site: Site
beforeEach(async () => {
  site = new Site({ more: 'scrub: {share: 50%}' })
  for (let run = 1; run <= RUNS; run++) site.record(run)
  expect(await mainCommand({ config: site.config }, contextOf())).toBe(0)
})
afterEach(() => site.remove())

const rot = (run: number): void => {
  const blob = filesBelow(site.path('archive')).find((path) => path.endsWith(`/${run}.txt`))!
  chmodSync(blob, 0o644)
  const bytes = readFileSync(blob)
  bytes[bytes.length - 3] = bytes[bytes.length - 3]! ^ 4
  writeFileSync(blob, bytes)
}
const open = (): Promise<Archiver> => openArchiver(site.config, contextOf())

describe('the scrub of passes that are over in no time', () => {
  it.each(
    [1, 4, RUNS].flatMap((rotten) => [
      { rotten, every: 'hour', step: 3_600_000 },
      // What was compared in the same hour is one in the file.
      { rotten, every: 'second', step: 1000 },
    ]),
  )(
    'compares one run every $every, and finds rot in run $rotten within one round',
    async ({ rotten, step }) => {
      rot(rotten)
      const archiver = await open()
      const held = RunSet.of(Array.from({ length: RUNS }, (_, i) => i + 1))
      const found: number[] = []
      for (let pass = 0; pass < RUNS; pass++) {
        const later = (): number => now() + (pass + 1) * step
        const proven = await provenOf(archiver).load(later())
        const options = {
          held,
          budget: 0,
          least: 1,
          signal,
          monotonic: () => 0,
          now: later,
        }
        const { compared, damaged } = await scrub(archiver, proven, options)
        expect(compared).toBe(1)
        found.push(...damaged.keys())
        await proven.save()
        if (found.length > 0) break
      }
      expect(found).toEqual([rotten])
    },
  )

  it('takes no more than its share: it begins no run when the time is over', async () => {
    const archiver = await open()
    const held = RunSet.of(Array.from({ length: RUNS }, (_, i) => i + 1))
    let time = 0
    // Each look at the clock is 10 ms later: the beginning, and one before each run after the first.
    const options = { held, budget: 25, least: 1, signal, monotonic: () => (time += 10), now: () => 0 }
    expect((await scrub(archiver, await provenOf(archiver).load(), options)).compared).toBe(3)
  })
})

describe('the scrub of a daemon that has nothing to archive', () => {
  const warnings: string[] = []
  const damaged: number[] = []
  const conditions = {
    stop: signal,
    warn: (message: string) => void warnings.push(message),
    damaged: (found: ReadonlyMap<number, string>) => void damaged.push(...found.keys()),
  }
  const plansOf = async (archiver: Archiver): Promise<readonly Plan[]> => {
    const request = { mode: 'incremental', stages: ['migrate'] } as const
    return [await planPass(archiver, 'migrate', request, await archiver.peek('migrate'))]
  }
  beforeEach(() => {
    warnings.length = 0
    damaged.length = 0
  })

  it('finds rot in its share of the time, and warns of it once', async () => {
    rot(5)
    const archiver = await open()
    const idle = new IdleScrub()
    const plans = await plansOf(archiver)
    // On a busy machine a run takes a second, and its share twice as long.
    const deadline = now() + 45_000
    while (now() < deadline && damaged.length === 0) {
      await pause(20)
      await idle.turn(archiver, plans, conditions)
    }
    expect(damaged).toEqual([5])
    await pause(100)
    await idle.turn(archiver, plans, conditions)
    expect(warnings).toEqual([expect.stringContaining('DAMAGED: run 5')])
    expect([...(await provenOf(archiver).load()).damaged.keys()]).toEqual([5])
  })

  it('that is off compares nothing', async () => {
    rot(5)
    writeFileSync(site.config, readFileSync(site.config, 'utf8').replace('50%', 'off'))
    const archiver = await open()
    const idle = new IdleScrub()
    await pause(50)
    await idle.turn(archiver, await plansOf(archiver), conditions)
    expect(warnings).toEqual([])
  })
})
