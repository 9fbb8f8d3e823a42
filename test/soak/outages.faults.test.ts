import { resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { growthOf, kindsText, mostOf, type Sample } from './process-samples.ts'
import { type Soak, soak } from './outage-site.ts'

/** `OUTAGE_SOAK_MINUTES=30 npx vitest run --project faults test/soak` has 20,000 records trickle in. */
const MINUTES = Number(process.env['OUTAGE_SOAK_MINUTES'] ?? 1.2)
const SECONDS = MINUTES * 60
const RECORDS = Math.round((MINUTES * 20_000) / 30)
const PERIOD = Math.min(60, SECONDS / 6)

/** MB, and descriptors, by which the last third of a soak may exceed the second. A daemon of a minute is still warming up. */
const LIMITS = { memory: MINUTES >= 10 ? 30 : 60, descriptors: 4 }

const isFlat = (samples: readonly Sample[]): { memory: boolean; descriptors: boolean } => ({
  memory: growthOf(samples, 'rss') <= LIMITS.memory,
  descriptors: growthOf(samples, 'descriptors') <= LIMITS.descriptors,
})

const figures = ({ samples, outages, stored }: Soak): string =>
  `${outages} outages, ${stored.size} runs; ${growthOf(samples, 'rss').toFixed(1)} MB and ${growthOf(samples, 'descriptors')} descriptors more, ` +
  `at most ${mostOf(samples, 'rss').toFixed(0)} MB, ${mostOf(samples, 'descriptors')} descriptors (${kindsText(samples)}), ` +
  `${mostOf(samples, 'threads')} threads, ${mostOf(samples, 'children')} children; MB over time: ${courseOf(samples)}`

const courseOf = (samples: readonly Sample[]): string =>
  Array.from({ length: 12 }, (_, i) => samples[Math.floor((i * (samples.length - 1)) / 11)])
    .map((one) => `${one?.rss.toFixed(0) ?? '?'}/${one?.descriptors ?? '?'}`)
    .join(' ')

describe(`a daemon, ${RECORDS} records that trickle in for ${MINUTES} min, and an archive that goes away every ${PERIOD} s`, () => {
  let result: Soak
  beforeAll(
    async () => {
      result = await soak({ seconds: SECONDS, records: RECORDS, period: PERIOD })
      console.log(`soak: ${figures(result)}`)
    },
    2 * SECONDS * 1000 + 240_000,
  )

  it('stays one process, and leaves none behind that it started', () => {
    expect(result.ownEnd, result.messages).toBeUndefined()
    // `flock` takes the lock for it, for a moment.
    expect(mostOf(result.samples, 'children')).toBeLessThanOrEqual(1)
    expect(result.samples.at(-1)?.children).toBe(0)
  })
  it('archives every record once', () => {
    expect([...result.stored.keys()].sort()).toEqual(result.written.toSorted())
    expect([...result.stored.values()].filter((count) => count !== 1)).toEqual([])
  })
  it('leaves nothing amiss', () => {
    expect(result.outages).toBeGreaterThan(3)
    expect(result.messages).not.toContain('this is a bug')
    expect(result.audit.text).toContain(`archived: ${RECORDS}`)
    expect(result.audit.status).toBe(0)
  })
  it('keeps its memory and its descriptors', () => {
    expect(isFlat(result.samples), figures(result)).toEqual({ memory: true, descriptors: true })
  })
})

describe('control: a daemon that keeps what each of its connections took', () => {
  it('is found to grow', async () => {
    const seconds = Math.min(SECONDS, 72)
    const result = await soak({
      seconds,
      records: Math.round((seconds * 20_000) / 1800),
      period: seconds / 6,
      env: { NODE_OPTIONS: `--import ${resolve('test/soak/leak.mjs')}` },
    })
    console.log(`control: ${figures(result)}`)
    expect(isFlat(result.samples)).toEqual({ memory: false, descriptors: false })
  }, 400_000)
})
