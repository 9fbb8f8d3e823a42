import { describe, expect, it } from 'vitest'
import { RunSet } from '../../../src/common/run-set.ts'
import { compareQueue, queueDiscrepancies, type QueuedStage } from '../../../src/runs/report/compare-queue.ts'

const runs = (text: string): RunSet => (text === '' ? RunSet.EMPTY : RunSet.parse(text))
const queued = (
  changes: Partial<Record<'pending' | 'claimed' | 'done' | 'failed', string>>,
): QueuedStage => ({
  pending: runs(changes.pending ?? ''),
  claimed: runs(changes.claimed ?? ''),
  done: runs(changes.done ?? ''),
  failed: runs(changes.failed ?? ''),
  attemptedUpTo: 5,
  paused: false,
  blockedReason: undefined,
})
const beside = (source: string, stored: string, failureLog = '', lastAttemptedRun = 5, notReady = '') => ({
  source: runs(source),
  stored: runs(stored),
  failureLog: runs(failureLog),
  notReady: runs(notReady),
  lastAttemptedRun,
})

/** What differs, as texts, and what `--check` says while nobody works. */
const compare = (stage: QueuedStage, around: ReturnType<typeof beside>, running = 0) => {
  const comparison = compareQueue(stage, around)
  const sets = { ...comparison, queued: undefined }
  return {
    sets: Object.fromEntries(
      Object.entries(sets).flatMap(([name, set]) =>
        set === undefined || set.isEmpty ? [] : [[name, set.toString()]],
      ),
    ),
    amiss: queueDiscrepancies('import', comparison, around, { running, config: 'c.yaml' }).map(
      ({ text }) => text,
    ),
  }
}

describe('a queue beside its files and stores', () => {
  it.each([
    {
      what: 'agrees',
      stage: queued({ done: '1-4', failed: '5', pending: '6', claimed: '7' }),
      around: beside('1-7', '1-4', '5'),
      sets: {},
      amiss: [],
    },
    {
      what: 'does not have runs yet: those that are ready come with the next scan',
      stage: queued({ done: '1-3' }),
      around: beside('1-6', '1-3', '', 5, '4-5'),
      sets: { unknown: '6' },
      amiss: [],
    },
    {
      what: 'has runs as done that the destination lost',
      stage: queued({ done: '1-5' }),
      around: beside('1-5', '1-3'),
      sets: { unstored: '4-5' },
      amiss: ['2 run(s) are done in the import queue and not in artdaqDB (4-5)'],
    },
    {
      what: 'has failures that are not in the failure log',
      stage: queued({ done: '1-3', failed: '4-5' }),
      around: beside('1-5', '1-3', '4'),
      sets: { unlogged: '5' },
      amiss: ['1 run(s) failed in the import queue and are not in the import failure log (5)'],
    },
    {
      what: 'does not know failures of the log',
      stage: queued({ done: '1-3' }),
      around: beside('1-5', '1-3', '4-5'),
      sets: { unqueued: '4-5' },
      amiss: ['2 run(s) are in the import failure log, and the import queue does not say so (4-5)'],
    },
    {
      what: 'tries logged failures again: their lines stay until they are archived',
      stage: queued({ done: '1-3', pending: '4', claimed: '5' }),
      around: beside('1-5', '1-3', '4-5'),
      sets: {},
      amiss: [],
    },
    {
      what: 'lacks a run that came, and has one open that its worker stored before it died',
      stage: queued({ done: '1-3', claimed: '4' }),
      around: beside('1-6', '1-4'),
      sets: { unsettled: '4', unknown: '5-6' },
      amiss: [],
    },
    {
      what: 'is ahead of the state file',
      stage: queued({ done: '1-5' }),
      around: beside('1-5', '1-5', '', 3),
      sets: {},
      amiss: ['import state says last attempted run 3, the queue says 5'],
    },
  ])('that $what', ({ stage, around, sets, amiss }) => {
    expect(compare(stage, around)).toEqual({ sets, amiss })
  })

  it('is not blamed for files that lag behind while instances work; for lost runs it is', () => {
    const stage = queued({ done: '1-3', failed: '4-5' })
    expect(compare(stage, beside('1-5', '1-2', '', 3), 2).amiss).toEqual([
      '1 run(s) are done in the import queue and not in artdaqDB (3)',
    ])
  })
})
