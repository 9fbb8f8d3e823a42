import { describe, expect, it } from 'vitest'
import { RepeatFilter } from '../../src/platform/log/repeat-filter.ts'

/** What a daemon logs in each pass while UconDB is away. */
const PASS = [
  (minute: number) => `Process started with PID: ${4000 + minute}`,
  () => '[Import] 0 runs to process, 0 not ready (incremental)',
  (minute: number) =>
    `[Import] Finished: 0 successful, 0 failed, 0 pending in ${minute % 7}.1 s (0.0 runs/s)`,
  () => '[Migrate] not started: UconDB: connect ECONNREFUSED 10.1.2.3:9443 [STORE_UNAVAILABLE]',
]

const logged = (isFiltered: boolean): string[] => {
  let minute = 0
  const lines: string[] = []
  const say = (line: string): void => void lines.push(line)
  const filter = new RepeatFilter(() => minute * 60_000)
  for (; minute < 1440; minute++) {
    const open = { debug: say, info: say, warn: say, error: say, close: () => Promise.resolve() }
    const log = filter.over(open)
    filter.active = isFiltered && minute > 0
    for (const line of PASS) log.warn(line(minute))
    if (minute === 700) log.info('[Import] [Run 77] ✓ Run 77 imported successfully')
  }
  return lines
}

describe('the log of a daemon whose store is away for a day', () => {
  const lines = logged(true)
  it('repeats what goes on once an hour, and says how often it was', () => {
    expect(lines.length).toBeLessThan(110)
    expect(lines.filter((line) => line.includes('ECONNREFUSED')).length).toBeGreaterThanOrEqual(23)
    expect(lines.find((line) => line.includes('59 times more'))).toContain('Process started')
  })
  it('has what is new at once', () => {
    expect(lines.filter((line) => line.includes('Run 77'))).toHaveLength(1)
  })
  it('has every line of passes that work (the control)', () => {
    expect(logged(false)).toHaveLength(4 * 1440 + 1)
  })
})

it('a line that was left out a single time was so once', () => {
  let now = 0
  const lines: string[] = []
  const say = (line: string): void => void lines.push(line)
  const filter = new RepeatFilter(() => now)
  const log = filter.over({ debug: say, info: say, warn: say, error: say, close: () => Promise.resolve() })
  filter.active = true
  for (now of [0, 1000, 2 * 3_600_000]) log.warn('the disk is away')
  expect(lines).toEqual(['the disk is away', 'the disk is away (once more since it was logged)'])
})
