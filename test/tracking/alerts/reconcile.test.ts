import { describe, expect, it } from 'vitest'
import { reconcile } from '../../../src/tracking/alerts/reconcile.ts'
import { findings, RULES, type TaskFacts, type WatchFacts } from '../../../src/tracking/alerts/watch-rules.ts'

const NOW = Date.parse('2026-11-28T12:00:00Z')
const HOUR = 3_600_000
const TASK: TaskFacts = {
  task: 'nightly',
  latest: { runId: 'r', state: 'done', startedAt: NOW - HOUR, endedAt: NOW - HOUR + 60_000 },
  past: { count: 20, p50: 60, p95: 90 },
  kills: 0,
  reboots: 0,
  terminated: 0,
  conflicts: 0,
}
const STAGE = {
  stage: 'import',
  lastContiguousRun: 100,
  lastAttemptedRun: 100,
  failedRuns: 0,
  gapAge: undefined,
  left: [],
}
const FINE: WatchFacts = {
  now: NOW,
  tasks: [TASK],
  stages: [STAGE],
  disks: [{ path: '/w', free: 0.5 }],
  logs: [{ path: '/l', bytes: 5 }],
  damaged: new Map(),
}
const latest = (of: object) => ({ ...FINE, tasks: [{ ...TASK, latest: { ...TASK.latest!, ...of } }] })
const task = (of: object) => ({ ...FINE, tasks: [{ ...TASK, ...of }] })
const stage = (of: object) => ({ ...FINE, stages: [{ ...STAGE, ...of }] })
const alive = { state: 'running', endedAt: undefined, heartbeatAt: NOW, progressAt: NOW - 1000 }

/** For each rule the facts that it finds, and facts just short of that. */
const CASES: Record<keyof typeof RULES, readonly [found: WatchFacts, short: WatchFacts]> = {
  failed: [latest({ state: 'failed' }), latest({ state: 'killed' })],
  partial: [latest({ state: 'partial' }), FINE],
  duration: [latest({ endedAt: NOW - HOUR + 136_000 }), latest({ endedAt: NOW - HOUR + 135_000 })],
  hung: [latest({ ...alive, progressAt: NOW - 600_001 }), latest({ ...alive, progressAt: NOW - 600_000 })],
  lost: [latest({ ...alive, heartbeatAt: NOW - 45_001 }), latest({ ...alive, heartbeatAt: NOW - 45_000 })],
  late: [task({ schedule: '30', graceMinutes: 29 }), task({ schedule: '30', graceMinutes: 31 })],
  kills: [task({ kills: 3 }), task({ kills: 2 })],
  reboot: [task({ reboots: 1 }), FINE],
  terminated: [task({ terminated: 1 }), FINE],
  conflicts: [task({ conflicts: 1 }), FINE],
  throttled: [
    latest({ ...alive, subState: 'THROTTLED', progressAt: NOW - 900_001 }),
    latest({ ...alive, subState: 'THROTTLED', progressAt: NOW - 900_000 }),
  ],
  lag_unknown: [
    latest({ ...alive, subState: 'THROTTLED', message: 'Held back: replica_lag unknown' }),
    latest({ ...alive, subState: 'THROTTLED', message: 'Held back: replica_lag 41.2s > 30s' }),
  ],
  failure_log: [stage({ failedRuns: 51 }), stage({ failedRuns: 50 })],
  gap: [stage({ gapAge: 24 * HOUR + 1 }), stage({ gapAge: 24 * HOUR })],
  backlog_growing: [stage({ left: [0, 1, 2, 3] }), stage({ left: [0, 1, 1, 3] })],
  distance: [stage({ lastAttemptedRun: 1101 }), stage({ lastAttemptedRun: 1100 })],
  damaged: [{ ...FINE, damaged: new Map([[7, 'rot']]) }, FINE],
  disk: [
    { ...FINE, disks: [{ path: '/w', free: 0.09 }] },
    { ...FINE, disks: [{ path: '/w', free: 0.1 }] },
  ],
  log_size: [
    { ...FINE, logs: [{ path: '/l', bytes: 2 ** 30 + 1 }] },
    { ...FINE, logs: [{ path: '/l', bytes: 2 ** 30 }] },
  ],
  instance_lost: [
    { ...FINE, backlog: { lost: [{ instance: 'a', silent: 1 }], fenced: 0, poison: [] } },
    { ...FINE, backlog: { lost: [], fenced: 0, poison: [] } },
  ],
  fenced: [
    { ...FINE, backlog: { lost: [], fenced: 1, poison: [] } },
    { ...FINE, backlog: { lost: [], fenced: 0, poison: [] } },
  ],
  poison: [
    { ...FINE, backlog: { lost: [], fenced: 0, poison: [{ stage: 'import', key: '7' }] } },
    { ...FINE, backlog: undefined },
  ],
}

describe('an alert rule', () => {
  it('finds nothing where nothing is wrong', () => expect(findings(FINE)).toEqual([]))
  it.each(Object.entries(CASES))(
    '"%s" finds its trouble, and not what falls just short of it',
    (rule, [found, short]) => {
      const rules = (facts: WatchFacts): string[] => findings(facts).map((finding) => finding.rule)
      expect(rules(found)).toContain(rule)
      expect(rules(short)).not.toContain(rule)
    },
  )
})

describe('alerts', () => {
  const finding = findings(CASES.failed[0])[0]!
  it('fire once, and are sent once', () => {
    expect(reconcile([finding, finding], [], [], NOW)).toEqual({
      fire: [finding],
      send: [finding],
      resolve: [],
    })
    const open = { rule: 'failed', subject: 'nightly', isSent: true }
    expect(reconcile([finding], [open], [], NOW)).toEqual({ fire: [], send: [], resolve: [] })
    expect(reconcile([], [open], [], NOW)).toEqual({ fire: [], send: [], resolve: [open] })
  })
  it.each([
    [{ rule: '*', subject: '*' }, true],
    [{ rule: 'failed', subject: '*' }, true],
    [{ rule: 'failed', subject: 'nightly' }, true],
    [{ rule: 'late', subject: '*' }, false],
    [{ rule: '*', subject: 'other' }, false],
  ])('under the silence %o are recorded and not sent: %s', (of, silent) => {
    const changes = reconcile([finding], [], [{ ...of, until: NOW + 1 }], NOW)
    expect(changes.fire).toEqual([finding])
    expect(changes.send).toEqual(silent ? [] : [finding])
  })
  it('are sent when their silence has ended and the trouble has not', () => {
    const open = { rule: 'failed', subject: 'nightly', isSent: false }
    expect(reconcile([finding], [open], [{ rule: '*', subject: '*', until: NOW }], NOW).send).toEqual([
      finding,
    ])
  })
})

describe('an alert whose trouble could not be looked at', () => {
  const open = [
    { rule: 'damaged', subject: 'run 7', isSent: true },
    { rule: 'gap', subject: 'import', isSent: true },
    { rule: 'gap', subject: 'migrate', isSent: true },
  ]
  it('stays; others end', () => {
    const notKnown = [{ rule: 'damaged' as const }, { rule: 'gap' as const, subject: 'import' }]
    expect(reconcile([], open, [], NOW, notKnown)).toEqual({ fire: [], send: [], resolve: [open[2]] })
    expect(reconcile([], open, [], NOW).resolve).toEqual(open)
  })
})
