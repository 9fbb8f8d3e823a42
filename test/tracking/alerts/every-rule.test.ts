import { describe, expect, it } from 'vitest'
import { ruleOf } from '../../../src/common/alert-rules.ts'
import { reconcile } from '../../../src/tracking/alerts/reconcile.ts'
import { NO_SETTINGS, RuleSettings, type RulesConfig } from '../../../src/tracking/alerts/rule-settings.ts'
import {
  findings,
  RULES,
  type StageFacts,
  type TaskFacts,
  type WatchFacts,
} from '../../../src/tracking/alerts/watch-rules.ts'

const NOW = Date.parse('2026-11-28T12:00:00Z')
const MINUTE = 60_000
const running = {
  runId: 'r',
  state: 'running',
  startedAt: NOW - 60 * MINUTE,
  heartbeatAt: NOW,
  progressAt: NOW,
} as const
const task = (more: Partial<TaskFacts>): Partial<WatchFacts> => ({
  tasks: [
    {
      task: 'T',
      latest: undefined,
      past: undefined,
      kills: 0,
      reboots: 0,
      terminated: 0,
      conflicts: 0,
      ...more,
    },
  ],
})
const stage = (more: Partial<StageFacts>): Partial<WatchFacts> => ({
  stages: [
    {
      stage: 'import',
      lastContiguousRun: 5,
      lastAttemptedRun: 5,
      failedRuns: 0,
      gapAge: undefined,
      left: [],
      ...more,
    },
  ],
})
const ended = { ...running, endedAt: NOW }
const IDLE = { lost: [], fenced: 0, poison: [] }

/** What makes each rule fire. */
const TROUBLE: Readonly<Record<keyof typeof RULES, Partial<WatchFacts>>> = {
  failed: task({ latest: { ...ended, state: 'failed' } }),
  partial: task({ latest: { ...ended, state: 'partial' } }),
  duration: task({ latest: { ...ended, state: 'done' }, past: { count: 20, p50: 60, p95: 90 } }),
  hung: task({ latest: { ...running, progressAt: NOW - 11 * MINUTE } }),
  lost: task({ latest: { ...running, heartbeatAt: NOW - 2 * MINUTE } }),
  late: task({ schedule: '30', graceMinutes: 5, latest: { ...ended, state: 'done' } }),
  kills: task({ kills: 3 }),
  reboot: task({ reboots: 1 }),
  terminated: task({ terminated: 1 }),
  conflicts: task({ conflicts: 1 }),
  throttled: task({ latest: { ...running, subState: 'THROTTLED', progressAt: NOW - 16 * MINUTE } }),
  lag_unknown: task({
    latest: { ...running, subState: 'THROTTLED', message: 'Held back: replica_lag unknown' },
  }),
  failure_log: stage({ failedRuns: 51 }),
  gap: stage({ gapAge: 25 * 60 * MINUTE }),
  backlog_growing: stage({ left: [2, 3, 5, 9] }),
  distance: stage({ lastAttemptedRun: 1006 }),
  damaged: { damaged: new Map([[7, 'rot']]) },
  disk: { disks: [{ path: '/data', free: 0.09 }] },
  log_size: { logs: [{ path: '/log', bytes: 2 ** 30 + 1 }] },
  instance_lost: { backlog: { ...IDLE, lost: [{ instance: 'daq01-7', silent: 5 * MINUTE }] } },
  fenced: { backlog: { ...IDLE, fenced: 1 } },
  poison: { backlog: { ...IDLE, poison: [{ stage: 'import', key: '7' }] } },
}
const WELL: WatchFacts = { now: NOW, tasks: [], stages: [], disks: [], logs: [], damaged: new Map() }

describe.each(Object.keys(RULES) as (keyof typeof RULES)[])('the alert rule %s', (rule) => {
  const found = findings({ ...WELL, ...TROUBLE[rule] })
  const subject = found[0]?.subject ?? ''
  it('finds its trouble and nothing else, and nothing where all is well', () => {
    expect(found.map((one) => one.rule)).toEqual([rule])
    expect(findings(WELL)).toEqual([])
    expect(findings({ ...WELL, ...task({ latest: { ...running, startedAt: NOW } }), ...stage({}) })).toEqual(
      [],
    )
  })
  it('says more than its title', () => {
    expect(found[0]?.detail).toMatch(/\w{3}/)
  })
  it('fires once, and resolves once', () => {
    const began = reconcile(found, [], [], NOW)
    expect([began.fire, began.send, began.resolve]).toEqual([found, found, []])
    const open = [{ rule, subject, isSent: true }]
    expect(reconcile(found, open, [], NOW)).toEqual({ fire: [], send: [], resolve: [] })
    expect(reconcile([], open, [], NOW)).toEqual({ fire: [], send: [], resolve: open })
    expect(reconcile([], [], [], NOW)).toEqual({ fire: [], send: [], resolve: [] })
  })
  it('is off, or of another severity, where the site says so, for one subject or for all', () => {
    const foundBy = (more: Partial<RulesConfig>) =>
      findings({ ...WELL, ...TROUBLE[rule] }, new RuleSettings({ ...NO_SETTINGS, ...more }))
    expect(foundBy({ off: [rule] })).toEqual([])
    expect(foundBy({ off: [rule], on: [`${rule}:${subject}`] })).toHaveLength(1)
    expect(foundBy({ off: [`${rule}:${subject}`] })).toEqual([])
    expect(foundBy({ off: [`${rule}:another`] })).toHaveLength(1)
    expect(foundBy({ severity: new Map([[rule, 'info']]) })[0]?.severity).toBe('info')
  })
  if (ruleOf(rule).threshold !== undefined)
    it('has the threshold that the site gives it', () => {
      // Of a full disk more is better, of everything else less.
      const threshold = new Map([[`${rule}:${subject}`, rule === 'disk' ? 1 : 1_000_000]])
      const settings = new RuleSettings({ ...NO_SETTINGS, threshold })
      expect(findings({ ...WELL, ...TROUBLE[rule] }, settings)).toEqual([])
      const other = new RuleSettings({ ...NO_SETTINGS, threshold: new Map([[`${rule}:other`, 1_000_000]]) })
      expect(findings({ ...WELL, ...TROUBLE[rule] }, other)).toHaveLength(1)
    })
  it('is recorded and not sent while it is silenced, and sent when the silence ends', () => {
    const silence = { rule, subject: '*', until: NOW + 1 }
    expect(reconcile(found, [], [silence], NOW)).toMatchObject({ fire: found, send: [] })
    expect(
      reconcile(found, [{ rule, subject, isSent: false }], [{ ...silence, until: NOW }], NOW).send,
    ).toEqual(found)
  })
})
