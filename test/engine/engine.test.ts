import { describe, expect, it } from 'vitest'
import { RunSet } from '../../src/common/run-set.ts'
import { ArchiverError } from '../../src/errors.ts'
import { type EngineOptions, runStage } from '../../src/engine/engine.ts'
import type { EngineEvent, Stage } from '../../src/engine/stage.ts'
import { type Recorder, RunBacklog, runOutcome } from '../../src/runs/run-backlog.ts'

const done = { result: 'stored', bytes: 10, counts: { documents: 1 }, notes: [] } as const
type Checkpoint = Parameters<Recorder['checkpoint']>[0]

/** A destination in memory that behaves as `faults` says, and everything that was told while it worked. */
const scene = (
  runs: string,
  faults: (run: number, attempt: number) => Error | undefined = () => undefined,
) => {
  const events: EngineEvent[] = []
  const checkpoints: Checkpoint[] = []
  const attempts = new Map<number, number>()
  const stop = new AbortController()
  const stored: number[] = []
  let inFlight = 0
  let widest = 0
  const stage: Stage<number> = {
    name: 'migrate',
    process: async (run) => {
      widest = Math.max(widest, ++inFlight)
      const attempt = (attempts.get(run) ?? 0) + 1
      attempts.set(run, attempt)
      await new Promise((resolve) => setImmediate(resolve))
      inFlight--
      const fault = faults(run, attempt)
      if (fault) throw fault
      stored.push(run)
      return done
    },
  }
  const recorder: Recorder = { checkpoint: (progress) => (checkpoints.push(progress), Promise.resolve()) }
  const options: EngineOptions = {
    mode: 'full',
    waiting: 0,
    workers: 3,
    attempts: 3,
    retryDelay: 0,
    stop: stop.signal,
    abandon: new AbortController().signal,
    listener: (event) => events.push(event),
    monotonic: () => performance.now(),
    random: Math.random,
    checkpointEvery: 0,
  }
  const work = {
    runs: RunSet.parse(runs),
    stored: RunSet.EMPTY,
    unproven: RunSet.EMPTY,
    lastAttempted: 0,
  }
  const pass = (
    changes: {
      stage?: Stage<number>
      recorder?: Recorder
      options?: Partial<EngineOptions>
      work?: Partial<typeof work>
    } = {},
  ) => {
    const backlog = new RunBacklog({ ...work, ...changes.work }, changes.recorder ?? recorder)
    return runStage(changes.stage ?? stage, backlog, { ...options, ...changes.options }).then((outcome) =>
      runOutcome('migrate', changes.work?.runs ?? work.runs, outcome),
    )
  }
  return { events, checkpoints, attempts, stop, stored, stage, recorder, pass, widest: () => widest }
}

describe('a pass over runs that all succeed', () => {
  it('processes each once, in ascending order, and records them all', async () => {
    const { pass, stored, checkpoints, widest } = scene('100-120,130')
    const outcome = await pass()
    expect(outcome.succeeded.toString()).toBe('100-120,130')
    expect(stored).toEqual([...stored].sort((a, b) => a - b))
    expect(checkpoints.at(-1)).toMatchObject({ attemptedUpTo: 130, lastContiguous: 120 })
    expect(widest()).toBe(3)
  })
  it('reads last_contiguous off what the destination held and what was added, not off what this pass did', async () => {
    const { pass, checkpoints } = scene('103-104,110')
    await pass({ work: { stored: RunSet.parse('100-102,105-107') } })
    expect(checkpoints.at(-1)).toMatchObject({ lastContiguous: 107, attemptedUpTo: 110 })
  })
})

describe('a run that ends last', () => {
  it('without a result holds the numbers down as long as it is in hand, and not any longer', async () => {
    const { pass, stage, checkpoints } = scene('1-9')
    const slow: Stage<number> = {
      ...stage,
      process: async (run, signal) => {
        if (run !== 1) return stage.process(run, signal)
        while (checkpoints.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
        throw new ArchiverError('RECORD_CHANGING', 'moved')
      },
    }
    await pass({ stage: slow, work: { stored: RunSet.parse('12') }, options: { attempts: 1 } })
    expect(checkpoints[0]?.attemptedUpTo).toBe(0)
    expect(checkpoints.at(-1)?.attemptedUpTo).toBe(12)
  })
})

describe('a run that fails', () => {
  it('does not block the others, and is in the checkpoint as failed', async () => {
    const { pass, checkpoints } = scene('1-9', (run) =>
      run === 4 ? new ArchiverError('RECORD_INVALID', 'too large') : undefined,
    )
    const outcome = await pass()
    expect(outcome.failed.toString()).toBe('4')
    expect(outcome.succeeded.toString()).toBe('1-3,5-9')
    expect(checkpoints.some(({ failed }) => failed.has(4))).toBe(true)
    expect(checkpoints.at(-1)).toMatchObject({ attemptedUpTo: 9, lastContiguous: 3 })
  })
  it('is tried again only when its error says that another try may succeed', async () => {
    const { pass, attempts } = scene('1-3', (run, attempt) =>
      run === 1
        ? new ArchiverError('CONFLICT', 'other content')
        : run === 2 && attempt < 3
          ? new ArchiverError('VERIFY_MISMATCH', 'not what was written')
          : undefined,
    )
    const outcome = await pass()
    expect([...attempts]).toEqual([
      [1, 1],
      [2, 3],
      [3, 1],
    ])
    expect(outcome.failed.toString()).toBe('1')
  })
  it('because its record moved meanwhile stays pending and is not blamed', async () => {
    const { pass, attempts } = scene('1-3', (run) =>
      run === 2 ? new ArchiverError('RECORD_CHANGING', 'moved') : undefined,
    )
    const outcome = await pass()
    expect([outcome.failed.toString(), outcome.pending.toString(), attempts.get(2)]).toEqual(['', '2', 3])
  })
})

describe('a destination that goes away', () => {
  it('stops the pass and leaves the runs pending: none of them is in the failure log', async () => {
    const { pass, checkpoints, attempts } = scene('1-1000', (run) =>
      run > 10 ? new ArchiverError('STORE_UNAVAILABLE', 'connection refused') : undefined,
    )
    const outcome = await pass()
    expect(outcome).toMatchObject({ stopped: 'unavailable', error: { code: 'STORE_UNAVAILABLE' } })
    expect([outcome.succeeded.toString(), outcome.failed.toString(), outcome.pending.toString()]).toEqual([
      '1-10',
      '',
      '11-1000',
    ])
    expect(checkpoints.every(({ failed }) => failed.isEmpty)).toBe(true)
    expect(attempts.size).toBeLessThan(20)
  })
})

describe('a destination that does not keep what it acknowledges', () => {
  const mismatch = () => new ArchiverError('VERIFY_MISMATCH', 'not what was written')

  it('fails no run: the second mismatch in a row ends the pass, and both are pending', async () => {
    const { pass, checkpoints, attempts } = scene('1-30', mismatch)
    const outcome = await pass()
    expect(outcome).toMatchObject({ stopped: 'unavailable', error: { code: 'STORE_UNAVAILABLE' } })
    expect(outcome.failed.toString()).toBe('')
    expect(checkpoints.every(({ failed }) => failed.size === 0)).toBe(true)
    expect(attempts.size).toBeLessThanOrEqual(6)
  })

  it('fails a run whose mismatch stands alone, whether others follow or not', async () => {
    const between = scene('1-10', (run) => (run === 4 || run === 8 ? mismatch() : undefined))
    const outcome = await between.pass({ options: { workers: 1 } })
    expect(outcome.failed.toString()).toBe('4,8')
    expect(outcome.stopped).toBeUndefined()
    const last = scene('1-3', (run) => (run === 3 ? mismatch() : undefined))
    expect((await last.pass({ options: { workers: 1 } })).failed.toString()).toBe('3')
  })
})

describe('a destination that refuses without a reason of the item', () => {
  const refusal = () => new ArchiverError('STORE_REFUSED', 'an error of its own', { doubtful: true })

  it('fails no item where it takes none: the third in a row ends the pass', async () => {
    const { pass, attempts, checkpoints } = scene('1-30', refusal)
    const outcome = await pass({ options: { workers: 1 } })
    expect(outcome).toMatchObject({ stopped: 'unavailable', error: { code: 'STORE_UNAVAILABLE' } })
    expect(outcome.pending.toString()).toBe('1-30')
    expect(attempts.size).toBe(3)
    expect(checkpoints.every(({ failed }) => failed.size === 0)).toBe(true)
  })

  it('fails no item where it was given one alone', async () => {
    const { pass, events } = scene('7', refusal)
    const outcome = await pass()
    expect(outcome).toMatchObject({ stopped: 'unavailable', error: { code: 'STORE_UNAVAILABLE' } })
    expect(outcome.failed.isEmpty).toBe(true)
    expect(events.map(({ type }) => type)).not.toContain('item-failed')
  })

  it('fails two items beside each other where it takes what comes after or came before', async () => {
    const bad = (run: number) => (run === 1 || run === 2 || run === 9 ? refusal() : undefined)
    const outcome = await scene('1-9', bad).pass({ options: { workers: 1 } })
    expect(outcome).toMatchObject({ stopped: undefined })
    expect(outcome.failed.toString()).toBe('1-2,9')
  })

  it('and that is away with the next item has failed none', async () => {
    const { pass } = scene('1-9', (run) =>
      run === 1 ? refusal() : new ArchiverError('STORE_UNAVAILABLE', 'gone'),
    )
    const outcome = await pass({ options: { workers: 1, attempts: 1 } })
    expect(outcome.failed.isEmpty).toBe(true)
    expect(outcome.error?.message).toBe('gone')
  })
})

describe('an error that is not ours', () => {
  it('ends the pass and is handed out as it is, with the run pending', async () => {
    const { pass } = scene('1-100', (run) => (run === 5 ? new TypeError('x is not a function') : undefined))
    const outcome = await pass()
    expect(outcome.error).toBeInstanceOf(TypeError)
    expect(outcome.pending.has(5)).toBe(true)
    expect(outcome.failed.isEmpty).toBe(true)
  })
})

describe('a request to stop', () => {
  it('takes no new run, finishes those in hand and records them', async () => {
    const { pass, stop, checkpoints, attempts } = scene('1-1000', (run) =>
      run === 20 ? (stop.abort(), undefined) : undefined,
    )
    const outcome = await pass()
    expect(outcome.stopped).toBe('signal')
    expect(attempts.size).toBeLessThan(25)
    expect(outcome.succeeded.size).toBe(attempts.size)
    expect(checkpoints.at(-1)?.attemptedUpTo).toBe(outcome.succeeded.last)
  })
})

describe('runs that finish out of order', () => {
  it('never move last_attempted past one that is still in flight', async () => {
    const { pass, checkpoints, stage } = scene('1-12')
    let release: () => void = () => undefined
    const slow: Stage<number> = {
      name: 'import',
      process: async (run, signal) => {
        if (run === 2) await new Promise<void>((resolve) => (release = resolve))
        else if (run === 12) release()
        return stage.process(run, signal)
      },
    }
    await pass({ stage: slow })
    const before = checkpoints.filter(({ resolved }) => !resolved.has(2)).slice(0, -1)
    expect(before.length).toBeGreaterThan(5)
    expect(before.every(({ attemptedUpTo }) => attemptedUpTo < 2)).toBe(true)
    expect(checkpoints.at(-1)?.attemptedUpTo).toBe(12)
  })
})

describe('a stage that commits', () => {
  it('has nothing recorded or called done before the commit that made it durable returned', async () => {
    const { pass, stage, checkpoints, events } = scene('1-10')
    const committed = new Set<number>()
    let uncommitted: number[] = []
    const batching: Stage<number> = {
      ...stage,
      process: async (run, signal) => {
        const result = await stage.process(run, signal)
        uncommitted.push(run)
        return result
      },
      commitDue: () => uncommitted.length >= 4,
      commit: () => {
        for (const run of uncommitted) committed.add(run)
        uncommitted = []
        return Promise.resolve()
      },
    }
    const recorder: Recorder = {
      checkpoint: (progress) => {
        for (const run of progress.resolved) expect(committed.has(run)).toBe(true)
        checkpoints.push(progress)
        return Promise.resolve()
      },
    }
    const outcome = await pass({ stage: batching, recorder })
    expect(outcome.succeeded.toString()).toBe('1-10')
    expect(events.filter(({ type }) => type === 'batch-committed').length).toBeLessThanOrEqual(4)
  })
  it('has all of a batch pending when the commit fails', async () => {
    const { pass, stage, checkpoints } = scene('1-3')
    const failing: Stage<number> = {
      ...stage,
      commitDue: () => false,
      commit: () => Promise.reject(new ArchiverError('STORE_UNAVAILABLE', 'disk full')),
    }
    const outcome = await pass({ stage: failing })
    expect([outcome.succeeded.toString(), outcome.failed.toString(), outcome.pending.toString()]).toEqual([
      '',
      '',
      '1-3',
    ])
    expect(checkpoints).toEqual([])
  })
})

describe('a run of which nobody knows what became', () => {
  const away = new ArchiverError('STORE_UNAVAILABLE', 'connection refused')
  /** The lowest run that no checkpoint may have passed. */
  const passed = (checkpoints: readonly Checkpoint[]): number =>
    Math.max(0, ...checkpoints.map(({ attemptedUpTo }) => attemptedUpTo))

  it('is not passed by last_attempted_run when the store went away under it and others were done', async () => {
    const { pass, stage, checkpoints } = scene('1-9')
    const slow: Stage<number> = {
      ...stage,
      process: async (run, signal) => {
        if (run !== 4) return stage.process(run, signal)
        await new Promise((resolve) => setTimeout(resolve, 20))
        throw away
      },
    }
    const outcome = await pass({ stage: slow, options: { attempts: 1 } })
    expect(outcome.stopped).toBe('unavailable')
    expect(outcome.succeeded.has(5)).toBe(true)
    expect(outcome.pending.has(4)).toBe(true)
    expect(passed(checkpoints)).toBe(3)
  })

  it('is not passed when it was stored before, perhaps uncompared, and is not among the runs of this pass', async () => {
    const { pass, checkpoints } = scene('1-3')
    await pass({ work: { stored: RunSet.parse('5-6'), unproven: RunSet.parse('5') } })
    expect(passed(checkpoints)).toBe(3)
  })

  it('is not passed when its commit failed and a later one did not', async () => {
    const { pass, stage, checkpoints } = scene('1-9')
    let commits = 0
    const failing: Stage<number> = {
      ...stage,
      commitDue: () => true,
      commit: () => (commits++ === 0 ? Promise.reject(away) : Promise.resolve()),
    }
    const outcome = await pass({ stage: failing })
    expect(outcome.pending.has(1)).toBe(true)
    expect(passed(checkpoints)).toBe(0)
  })

  it('is not passed when its failure could not be written down and what came after could', async () => {
    const { pass } = scene('1-50', (run) =>
      run === 3 ? new ArchiverError('RECORD_INVALID', 'bad') : undefined,
    )
    const checkpoints: Checkpoint[] = []
    const recorder: Recorder = {
      checkpoint: (progress) => {
        if (!progress.failed.isEmpty) return Promise.reject(new ArchiverError('STATE_UNWRITABLE', 'no space'))
        checkpoints.push(progress)
        return Promise.resolve()
      },
    }
    const outcome = await pass({ recorder })
    expect(outcome.pending.has(3)).toBe(true)
    expect(passed(checkpoints)).toBeLessThan(3)
  })
})

describe('a failure that cannot be written down', () => {
  it('leaves its run pending and ends the pass', async () => {
    const { pass } = scene('1-50', (run) =>
      run === 3 ? new ArchiverError('RECORD_INVALID', 'bad') : undefined,
    )
    const recorder: Recorder = {
      checkpoint: ({ failed }) =>
        failed.isEmpty
          ? Promise.resolve()
          : Promise.reject(new ArchiverError('STATE_UNWRITABLE', 'no space')),
    }
    const outcome = await pass({ recorder })
    expect(outcome.failed.isEmpty).toBe(true)
    expect(outcome.pending.has(3)).toBe(true)
    expect(outcome).toMatchObject({ stopped: 'unavailable', error: { code: 'STATE_UNWRITABLE' } })
  })
})
