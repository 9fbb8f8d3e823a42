import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { timeText } from '../../../src/sql/timestamps.ts'
import { listAlerts, listSilences, silence } from '../../../src/tracking/alerts/alert-store.ts'
import type { Channel, Message } from '../../../src/tracking/alerts/alerts.ts'
import { alertFacts } from '../../../src/tracking/api/alert-reads.ts'
import { NO_SETTINGS, RuleSettings, type RulesConfig } from '../../../src/tracking/alerts/rule-settings.ts'
import { taskFacts } from '../../../src/tracking/alerts/gather-facts.ts'
import { checkAlerts } from '../../../src/tracking/alerts/check-alerts.ts'
import { migrateLedger } from '../../../src/tracking/ledger/migrate-ledger.ts'
import type { LedgerDatabase } from '../../../src/tracking/ledger/schema-types.ts'
import { writeRows } from '../../../src/tracking/ledger/upsert.ts'
import { engines, freshPlace, type Place } from '../ledger/engines.ts'

const NOW = Date.parse('2026-11-28T12:00:00Z')
const RUN = 'a0000000-0000-4000-8000-000000000001'

describe.each(await engines())('alerts on %s', (dialect) => {
  let place: Place
  let database: LedgerDatabase
  let sent: Message[]
  let isAway: boolean
  beforeEach(async () => {
    place = await freshPlace(dialect)
    database = await place.open()
    await migrateLedger(database, { now: () => NOW, by: 'test' })
    sent = []
    isAway = false
  })
  afterEach(async () => {
    await database.close()
    await place.drop()
  })

  const ended = (status: 'FAILED' | 'FINISHED', revision: number, reason?: string): Promise<void> =>
    writeRows(
      database.kysely,
      [
        {
          table: 'executions',
          transient: false,
          cells: {
            run_id: RUN,
            task_name: 'nightly',
            hostname: 'daq01',
            process_id: 7,
            execution_start: timeText(NOW - 60_000),
            execution_end: timeText(NOW - 30_000),
            last_update: timeText(NOW - 30_000),
            execution_status: status,
            end_reason: reason ?? (status === 'FAILED' ? 'error' : 'ok'),
            error_message: 'disk on fire',
            revision,
          },
        },
        {
          table: 'daily_stats',
          transient: false,
          cells: { task_name: 'nightly', day: '2026-11-28', executions: 1 },
        },
      ],
      dialect,
      database.schema,
    )
  /** Items of an execution, by key, and how each of them ended. */
  const items = (
    runId: string,
    at: number,
    states: Readonly<Record<string, 'failed' | 'done'>>,
  ): Promise<void> =>
    writeRows(
      database.kysely,
      Object.entries(states).map(([key, state]) => ({
        table: 'files',
        transient: false,
        cells: {
          ...{ run_id: runId, stage: 'import', file_name: key, state, revision: 1 },
          ...{ run: /^\d+$/.test(key) ? Number(key) : null, started_at: timeText(at) },
        },
      })),
      dialect,
      database.schema,
    )
  const channel = (name: string, into: Message[]): Channel => ({
    name,
    send: (message) => {
      if (isAway) return Promise.reject(new Error('away'))
      into.push(message)
      return Promise.resolve()
    },
  })
  const check = (
    now = NOW,
    through = database,
    isHeard = true,
    rules: Partial<RulesConfig> = {},
    more: readonly Channel[] = [],
  ) =>
    checkAlerts(through, {
      now,
      rules: new RuleSettings({ ...NO_SETTINGS, ...rules }),
      channels: isHeard ? [channel('Slack', sent), ...more] : [],
      host: 'daq01',
      redact: (text) => text,
      timeout: 1000,
      warn: () => undefined,
      site: { stages: [], disks: [], logs: [], damaged: new Map() },
    })
  const titles = (): string[] => sent.map(({ title }) => title)

  it('end for a task with failed items when later executions have done each of them', async () => {
    const later = (digit: number): string => `b000000${digit}-0000-4000-8000-000000000001`
    const partial = async (): Promise<boolean> =>
      (await taskFacts(database, NOW)).some(
        ({ latest, isRepaired }) => latest?.state === 'partial' && !isRepaired,
      )
    await ended('FINISHED', 1, 'partial')
    expect(await partial()).toBe(true)
    await items(RUN, NOW - 50_000, { 12: 'failed', 'a.xml': 'failed', 13: 'done' })
    await items(later(1), NOW - 90_000, { 12: 'done', 'a.xml': 'done' })
    await items(later(2), NOW - 20_000, { 12: 'done', 'a.xml': 'failed' })
    expect(await partial()).toBe(true)
    await items(later(3), NOW - 10_000, { 'a.xml': 'done' })
    expect(await partial()).toBe(false)
  })

  it('fire once and resolve once, however often they are checked, by two at once', async () => {
    await ended('FAILED', 1)
    const other = await place.open()
    await Promise.all([check(), check(NOW, other)])
    await other.close()
    await check(NOW + 1000)
    expect(titles()).toEqual(['nightly failed'])
    expect(sent[0]?.lines).toEqual(['disk on fire'])
    await ended('FINISHED', 2)
    await check(NOW + 2000)
    await check(NOW + 3000)
    expect(titles()).toEqual(['nightly failed', 'Resolved: failed of nightly'])
    expect(await listAlerts(database, { all: false, limit: 9 })).toEqual([])
    expect(await listAlerts(database, { all: true, limit: 9 })).toMatchObject([
      { rule: 'failed', firedAt: NOW, sentAt: NOW, resolvedAt: NOW + 2000 },
    ])
  })
  it('say once that an execution of a task ended well, where the site wants it, and never that this is over', async () => {
    await ended('FINISHED', 1)
    await check()
    expect(titles()).toEqual([])
    const rules = { on: ['finished:night*'] }
    const other = await place.open()
    await Promise.all([check(NOW, database, true, rules), check(NOW, other, true, rules)])
    await other.close()
    await check(NOW + 1000, database, true, rules)
    expect(titles()).toEqual(['nightly finished'])
    expect(sent[0]).toMatchObject({ severity: 'info', lines: ['It took 30 s.'] })
    expect(await listAlerts(database, { all: false, limit: 9 })).toEqual([])
    expect(await listAlerts(database, { all: true, limit: 9 })).toMatchObject([
      { rule: 'finished', subject: RUN },
    ])
  })
  it('say it by the next check when no channel took it, and not while it is silent, or an hour later', async () => {
    await ended('FINISHED', 1)
    const rules = { on: ['finished'] }
    isAway = true
    expect((await check(NOW, database, true, rules)).unsent).toHaveLength(1)
    isAway = false
    const by = { user: 'shift', reason: undefined, now: NOW }
    await silence(database, { rule: 'finished', subject: 'nightly', until: NOW + 5000 }, by)
    await check(NOW + 1000, database, true, rules)
    expect(titles()).toEqual([])
    expect((await check(NOW + 3_600_000, database, true, rules)).sent).toEqual([])
    await check(NOW + 6000, database, true, rules)
    expect(titles()).toEqual(['nightly finished'])
  })
  it('go to the channels that the site chose for the rule and task, and to all where none of these is turned on', async () => {
    await ended('FAILED', 1)
    const mails: Message[] = []
    const mail = [channel('e-mail', mails)]
    const rules = { channels: new Map([['failed:nightly', ['email'] as const]]) }
    await check(NOW, database, true, rules, mail)
    expect([sent.length, mails.length]).toEqual([0, 1])
    await ended('FINISHED', 2)
    await check(NOW + 1000, database, true, rules, mail)
    expect([sent.length, mails.map(({ title }) => title)]).toEqual([
      0,
      ['nightly failed', 'Resolved: failed of nightly'],
    ])
    await ended('FAILED', 3)
    await check(NOW + 2000, database, true, { channels: new Map([['failed', ['ntfy'] as const]]) }, mail)
    expect([sent.length, mails.length]).toEqual([1, 3])
  })
  it('are sent by the next check when no channel took them', async () => {
    await ended('FAILED', 1)
    isAway = true
    expect((await check()).unsent).toHaveLength(1)
    isAway = false
    await check(NOW + 1000)
    expect(titles()).toEqual(['nightly failed'])
  })
  it('count as sent to nobody where no channel is turned on, and are sent by the first check that has one', async () => {
    await ended('FAILED', 1)
    expect(await check(NOW, database, false)).toMatchObject({ sent: [], unsent: [] })
    expect(await listAlerts(database, { all: false, limit: 9 })).toMatchObject([{ sentAt: undefined }])
    await check(NOW + 1000)
    expect(titles()).toEqual(['nightly failed'])
  })
  it('are shown with what was recorded, sent and silenced of them', async () => {
    await ended('FAILED', 1)
    const nothing = {
      site: { stages: [], disks: [], logs: [], damaged: new Map() },
      byPasses: { 'stopped:import': { at: NOW - 5000, held: 2 } },
      channels: ['test'],
    }
    const before = await alertFacts(database, NOW, nothing)
    expect(before.firing).toMatchObject([{ rule: 'failed', subject: 'nightly', since: undefined }])
    await check()
    const by = { user: 'shift', reason: 'known', now: NOW }
    await silence(database, { rule: 'failed', subject: 'nightly', until: NOW + 5000 }, by)
    const facts = await alertFacts(database, NOW + 1000, nothing)
    expect(facts.firing).toMatchObject([{ since: NOW, sentAt: NOW, silence: { why: 'known', by: 'shift' } }])
    expect(facts.sent).toMatchObject([
      { at: NOW, title: 'nightly failed', by: 'check' },
      { at: NOW - 5000, by: 'pass', held: 2 },
    ])
    const rule = facts.rules.find((one) => one.rule === 'failed')
    expect(rule).toMatchObject({ firing: 1, silence: undefined })
    expect(rule?.days.at(-1)).toBe(1)
    expect(rule?.days).toHaveLength(30)
  })
  it('are silent for a time, listed all the same, and sent after it', async () => {
    await ended('FAILED', 1)
    const by = { user: 'shift', reason: 'known', now: NOW }
    await silence(database, { rule: 'failed', subject: '*', until: NOW + 5000 }, by)
    expect(await listSilences(database, NOW)).toEqual([{ rule: 'failed', subject: '*', until: NOW + 5000 }])
    await check()
    expect(titles()).toEqual([])
    expect(await listAlerts(database, { all: false, limit: 9 })).toHaveLength(1)
    await check(NOW + 5000)
    expect(titles()).toEqual(['nightly failed'])
  })
})
