import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { type ByStage, type LoopParts, type PassSummary, runLoop } from '../../../src/runs/daemon/daemon.ts'
import { RunSet } from '../../../src/common/run-set.ts'
import { ArchiverError } from '../../../src/errors.ts'

const NONE = RunSet.EMPTY
const QUIET: PassSummary = {
  waiting: NONE,
  failed: { import: NONE, migrate: NONE },
  archived: 3,
  pending: 0,
  attempted: 0,
  succeeded: 0,
  retried: { import: NONE, migrate: NONE },
  more: false,
  trouble: undefined,
}
/** As `retried`: none of the runs was ready. */
const NOT_READY: ByStage = { import: NONE, migrate: NONE }
const away = new ArchiverError('STORE_UNAVAILABLE', 'UconDB does not answer')

let stop = new AbortController()
let ended: Promise<void> = Promise.resolve()
afterEach(async () => {
  stop.abort()
  await ended.catch(() => undefined)
})

/** Starts a loop whose passes answer with these summaries in turn, and then with the last of them. */
const start = (summaries: (PassSummary | Promise<PassSummary>)[], options: Partial<LoopParts> = {}) => {
  const began = performance.now()
  const passes: { at: number; retries: ByStage }[] = []
  const seen = { status: '', followed: '', warnings: [] as string[], alive: 0, closed: false }
  let hear: Parameters<LoopParts['openWatch']>[0] | undefined
  let most = 0
  let running = 0
  stop = new AbortController()
  ended = runLoop(
    {
      pass: async (retries) => {
        passes.push({ at: performance.now() - began, retries })
        most = Math.max(most, ++running)
        const summary = await (summaries.length > 1 ? summaries.shift()! : summaries[0]!)
        running--
        return summary.retried === NOT_READY ? summary : { ...summary, retried: retries }
      },
      openWatch: (listen) => {
        hear = listen
        return Promise.resolve({
          polls: false,
          follow: (names) => (seen.followed = [...names].join()),
          close: () => {
            seen.closed = true
            return Promise.resolve()
          },
        })
      },
      directoriesOf: (runs) => Promise.resolve(new Set([...runs].map(String))),
      confirmIdle: () => Promise.resolve(),
      notifier: {
        ready: () => undefined,
        status: (text) => (seen.status = text),
        alive: () => seen.alive++,
        reloading: () => undefined,
        stopping: () => undefined,
        close: () => Promise.resolve(),
        watchdog: undefined,
      },
      monotonic: () => performance.now(),
      random: () => 0.5,
      timeOfDay: () => '12:03',
      warn: (message) => seen.warnings.push(message),
      settleMs: 100,
      scanMs: 60_000,
      retry: { first: 100, factor: 2, max: 1000, attempts: 2 },
      ...options,
    },
    stop.signal,
  )
  return { passes, seen, most: () => most, hear: () => hear! }
}

const until = async (holds: () => boolean): Promise<void> => {
  for (let i = 0; i < 400 && !holds(); i++) await pause(10)
  expect(holds()).toBe(true)
}

describe('a daemon', () => {
  it('makes a pass when it starts, and one more when an entry comes into the directory', async () => {
    const { passes, hear, seen } = start([QUIET])
    await until(() => passes.length === 1)
    await pause(100)
    expect(passes).toHaveLength(1)
    hear().onDirectory()
    await until(() => passes.length === 2)
    expect(seen.status).toBe('archived 3, 0 pending, 0 failed')
  })
  it('looks at a record when it has been quiet for the settle time, within a second', async () => {
    const { passes, hear, seen } = start([{ ...QUIET, waiting: RunSet.of([7]) }, QUIET])
    await until(() => seen.followed === '7')
    let changed = 0
    for (let i = 0; i < 4; i++) {
      await pause(60)
      hear().onRun(7)
      changed = passes[0]!.at
    }
    expect(passes).toHaveLength(1)
    await until(() => passes.length === 2)
    expect(passes[1]!.at - changed).toBeGreaterThan(4 * 60 + 90)
    expect(passes[1]!.at - changed).toBeLessThan(4 * 60 + 1100)
    expect(seen.followed).toBe('')
  })
  it('looks again, less and less often, at a record of which it hears nothing', async () => {
    const { passes } = start([{ ...QUIET, waiting: RunSet.of([7]) }])
    await until(() => passes.length === 4)
    const gaps = passes.slice(1).map(({ at }, i) => at - passes[i]!.at)
    expect(gaps[1]!).toBeGreaterThan(gaps[0]! * 1.5)
    expect(gaps[2]!).toBeGreaterThan(gaps[1]! * 1.5)
  })
  it('never makes two passes at once, and takes up what came during one', async () => {
    const { passes, hear, most } = start([pause(200).then(() => QUIET), QUIET])
    await until(() => passes.length === 1)
    for (let i = 0; i < 10; i++) {
      hear().onDirectory()
      await pause(5)
    }
    await until(() => passes.length === 2)
    await pause(200)
    expect(passes).toHaveLength(2)
    expect(most()).toBe(1)
  })
  it('goes on at once while there is more than one pass takes', async () => {
    const more = { ...QUIET, more: true, attempted: 5, succeeded: 5 }
    const { passes, seen } = start([more, more, { ...QUIET, succeeded: 0 }])
    await until(() => passes.length === 3)
    expect(passes[2]!.at).toBeLessThan(1000)
    expect(seen.status).toBe('archived 3, 0 pending, 0 failed, last success 12:03')
  })
})

describe('a run that failed', () => {
  it('is tried again so many times, and then left to people', async () => {
    const { passes, seen } = start([{ ...QUIET, failed: { import: RunSet.of([9]), migrate: NONE } }])
    await until(() => passes.length === 3)
    await pause(500)
    expect(passes.map(({ retries }) => retries.import.toString())).toEqual(['', '9', '9'])
    expect(seen.status).toBe('archived 3, 0 pending, 1 failed (1 need a person)')
    expect(seen.warnings).toEqual([
      'import: run 9 has been tried again 2 times in vain and is left to people; when the cause is gone, --retry-failed-import takes it again',
    ])
  })
})

describe('a failed run that is still going on', () => {
  it('loses none of its retries by it', async () => {
    const failed = { import: RunSet.of([9]), migrate: NONE }
    const { passes } = start([{ ...QUIET, failed, retried: NOT_READY }])
    await until(() => passes.length === 6)
    expect(passes.slice(1).every(({ retries }) => retries.import.has(9))).toBe(true)
  })
})

describe('a store that is away', () => {
  it('is left alone for a while, events or not, and told of once', async () => {
    const { passes, hear, seen } = start(
      [
        { ...QUIET, trouble: away },
        { ...QUIET, trouble: away },
      ],
      { random: () => 0 },
    )
    await until(() => passes.length === 1)
    hear().onDirectory()
    await pause(500)
    expect(passes).toHaveLength(1)
    expect(seen.status).toMatch(/^UconDB does not answer \(next try in \d s\), archived 3/)
    expect(seen.warnings).toEqual(['UconDB does not answer; trying again until it works'])
  })
  it('leaves what was known before as it was', async () => {
    const unknown = { ...QUIET, archived: undefined, pending: undefined, trouble: away }
    const { passes, hear, seen } = start([QUIET, unknown])
    await until(() => passes.length === 1)
    hear().onDirectory()
    await until(() => seen.status.startsWith('UconDB does not answer'))
    expect(seen.status).toContain('archived 3, 0 pending')
  })
  it('costs a failed run none of its retries', async () => {
    const failed = { ...QUIET, failed: { import: NONE, migrate: RunSet.of([9]) } }
    // The retry did not come to it: the pass says that it attempted nothing.
    const trouble = { ...failed, trouble: away, retried: NOT_READY }
    const { passes } = start([failed, trouble, failed], { random: () => 0 })
    await until(() => passes.length >= 3)
    expect(passes.slice(0, 3).map(({ retries }) => retries.migrate.toString())).toEqual(['', '9', '9'])
  })
  it('does not have a run of the other stage tried again and again', async () => {
    const failed = { ...QUIET, failed: { import: RunSet.of([9]), migrate: NONE } }
    const retry = { first: 100, factor: 1000, max: 600_000, attempts: 9 }
    const { passes } = start([failed, { ...failed, trouble: away }], { random: () => 0, retry })
    await until(() => passes.length >= 3)
    expect(passes.map(({ retries }) => retries.import.toString())).toEqual(['', '9', ''])
  })
  it('is told of once when it is back', async () => {
    const { passes, seen } = start([{ ...QUIET, trouble: away }, QUIET], { random: () => 0 })
    await until(() => passes.length === 2)
    await until(() => seen.warnings.at(-1) === 'working again')
  })
})

describe('the watchdog', () => {
  const notifier = (alive: () => void) => ({
    ready: () => undefined,
    status: () => undefined,
    alive,
    reloading: () => undefined,
    stopping: () => undefined,
    close: () => Promise.resolve(),
    watchdog: 100,
  })
  it('hears of a daemon that is idle, and whose source answers', async () => {
    let alive = 0
    start([QUIET], { notifier: notifier(() => alive++) })
    await until(() => alive > 3)
  })
  it('hears nothing while a pass does not move', async () => {
    let alive = 0
    start([pause(400).then(() => QUIET)], { notifier: notifier(() => alive++) })
    await pause(300)
    expect(alive).toBe(0)
  })
  it('hears nothing while the source hangs', async () => {
    let alive = 0
    start([QUIET], { notifier: notifier(() => alive++), confirmIdle: () => new Promise(() => undefined) })
    await pause(300)
    expect(alive).toBe(0)
  })
})

describe('the end', () => {
  it('waits for the pass in hand, and closes the watch', async () => {
    let done = false
    const { passes, seen } = start([
      pause(200).then(() => {
        done = true
        return QUIET
      }),
    ])
    await until(() => passes.length === 1)
    stop.abort()
    await ended
    expect(done).toBe(true)
    expect(seen.closed).toBe(true)
    expect(passes).toHaveLength(1)
  })
  it('comes with the error of a pass that is a bug', async () => {
    start([pause(1).then(() => Promise.reject(new TypeError('bug')))])
    await expect(ended).rejects.toThrow('bug')
  })
  it('comes with the error of the pass in hand, though it was asked to end before that', async () => {
    const { passes } = start([pause(50).then(() => Promise.reject(new TypeError('bug')))])
    await until(() => passes.length === 1)
    stop.abort()
    await expect(ended).rejects.toThrow('bug')
  })
})
