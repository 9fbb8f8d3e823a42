import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Message } from '../../src/tracking/alerts/alerts.ts'
import type { Closed } from '../../src/tracking/ledger/close-dead.ts'
import { NO_SETTINGS, type RulesConfig } from '../../src/tracking/alerts/rule-settings.ts'
import { Reporting } from '../../src/tracking/reporter.ts'
import { databasePlace } from '../../src/sql/database-url.ts'
import { Secret } from '../../src/common/secret.ts'
import { silence } from '../../src/tracking/alerts/alert-store.ts'
import type { Silence } from '../../src/tracking/alerts/reconcile.ts'
import { standingSilences } from '../../src/tracking/alerts/standing-silences.ts'
import { openStore } from '../../src/tracking/ledger/ledger-database.ts'
import { passEvents, series } from './events.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reporter-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const MIDNIGHT = Date.UTC(2026, 10, 28)

interface Sent {
  readonly channel: string
  readonly message: Message
}

const quiet = (): void => undefined
let warnings: string[] = []
beforeEach(() => {
  warnings = []
})

/** What a pass of `NIGHTLY` sends by e-mail and Slack when `happens` has happened in it. */
const sentBy = async (
  rules: Partial<RulesConfig>,
  happens: (reporting: Reporting) => void,
  exitCode = 0,
  staleAfterHours = 0,
  silences?: () => Promise<readonly Silence[]>,
): Promise<Sent[]> => {
  const sent: Sent[] = []
  const channels = ['e-mail', 'Slack'].map((name) => ({
    name,
    send: (message: Message) => Promise.resolve(void sent.push({ channel: name, message })),
  }))
  let time = MIDNIGHT
  const reporting = new Reporting({
    ...{ task: 'NIGHTLY', version: '1', workDir: folder, host: 'daq01', pid: 7, now: () => time },
    log: { debug: quiet, info: quiet, error: quiet, warn: (line) => void warnings.push(line) },
    redact: (text) => text,
    ...{ channels, staleAfterHours, carbon: undefined, textfile: undefined, channelTimeout: 1000 },
    ...{ isPass: false, rules: { ...NO_SETTINGS, ...rules }, silences },
  })
  happens(reporting)
  const end = { exitCode, isPass: true, signal: undefined, standings: [], ledgerFailures: 0, spoolBytes: 0 }
  await reporting.end(end)
  if (staleAfterHours > 0) {
    time += staleAfterHours * 3_600_000
    await reporting.end(end)
  }
  return sent
}

const wordsOf = (sent: readonly Sent[]): string[] =>
  sent.map(({ channel, message: { severity, title } }) => `${channel}: ${severity}: ${title}`)

const execution = (runId: string, more: Partial<Closed> = {}): Closed => ({
  ...{ runId, task: 'NIGHTLY', pid: 1, host: 'h', status: 'TERMINATED', reason: 'gone' },
  ...{ startedAt: 0, endedAt: 1, attempted: 0 },
  ...more,
})

/** Everything that has a rule: the name, what happens, and the title. */
const CASES = [
  ['failed', (to) => to.unbegun('import', new Error('away')), 'The import stage was stopped', 'critical'],
  [
    'partial',
    (to) => {
      for (const event of passEvents('import', series(1, 3), { failing: [2] })) to.listener(event)
    },
    '1 run failed',
    'warning',
  ],
  ['kills', (to) => to.killed('SIGTERM'), 'The archiver was stopped by SIGTERM', 'warning'],
  ['terminated', (to) => to.closed([execution('a')]), 'An execution disappeared: TERMINATED', 'critical'],
  [
    'reboot',
    (to) => to.closed([execution('a', { status: 'SYSTEM_REBOOT' })]),
    'An execution disappeared: SYSTEM_REBOOT',
    'critical',
  ],
  ['damaged', (to) => to.damaged(new Map([[7, 'cut short']])), 'An archived run is damaged', 'critical'],
] as const satisfies readonly (readonly [string, (to: Reporting) => void, string, string])[]

describe.each(CASES)('an alert of a pass that is %s', (rule, happens, title, severity) => {
  const subject = rule === 'damaged' ? 'run 7' : 'NIGHTLY'
  it('goes to every channel where the site chose nothing', async () => {
    expect(wordsOf(await sentBy({}, happens))).toEqual([
      `e-mail: ${severity}: ${title}`,
      `Slack: ${severity}: ${title}`,
    ])
  })
  it('is not sent where the site turned its rule off, for all or for this one', async () => {
    expect(await sentBy({ off: [rule] }, happens)).toEqual([])
    expect(await sentBy({ off: [`${rule}:${subject}`] }, happens)).toEqual([])
    expect(await sentBy({ off: [rule], on: [`${rule}:${subject}`] }, happens)).toHaveLength(2)
  })
  it('is sent where the site turned off the rule of another', async () => {
    expect(await sentBy({ off: [`${rule}:other`] }, happens)).toHaveLength(2)
  })
  it('has the severity and goes to the channels that the site chose', async () => {
    const rules = {
      severity: new Map([[`${rule}:${subject}`, 'info' as const]]),
      channels: new Map([[rule, ['slack' as const]]]),
    }
    expect(wordsOf(await sentBy(rules, happens))).toEqual([`Slack: info: ${title}`])
  })
  it('goes to the channels chosen for this one before those of its rule', async () => {
    const channels = new Map([
      [rule, ['slack' as const]],
      [`${rule}:${subject}`, ['email' as const]],
    ])
    expect((await sentBy({ channels }, happens)).map(({ channel }) => channel)).toEqual(['e-mail'])
  })
  it('goes to all where no chosen channel is turned on', async () => {
    expect(await sentBy({ channels: new Map([[rule, ['ntfy' as const]]]) }, happens)).toHaveLength(2)
  })
  it('does not name its rule in the message, which is the JSON of the webhook', async () => {
    for (const { message } of await sentBy({}, happens)) expect(message).not.toHaveProperty('rule')
  })
})

/** A silence in a ledger of this machine, and how a pass reads it. */
const silencedBy = async (rule: string, subject: string, hours = 1) => {
  const place = databasePlace('sqlite:ledger.db', folder)
  if (!place) throw new Error('no place')
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  const facts = { schema: undefined, password: undefined, timeout: 1000, version: '1', onRefused: quiet }
  const store = await openStore({ ...facts, place, now: () => MIDNIGHT, log })
  const until = MIDNIGHT + hours * 3_600_000
  await silence(
    store.database,
    { rule, subject, until },
    { user: 'ops', reason: undefined, now: Math.min(MIDNIGHT, until - 1) },
  )
  await store.close()
  const ledger = { url: new Secret('sqlite:ledger.db'), password: undefined, schema: 'tasker' }
  return standingSilences({ workDir: folder, ledger, now: () => MIDNIGHT })
}

describe.each(CASES)('an alert of a pass that is %s, before silences of the ledger', (rule, happens) => {
  const subject = rule === 'damaged' ? 'run 7' : 'NIGHTLY'
  it.each([
    ['this rule and subject', rule, subject, 1, 0],
    ['this rule', rule, '*', 1, 0],
    ['this subject', '*', subject, 1, 0],
    ['everything', '*', '*', 1, 0],
    ['another subject', rule, 'other', 1, 2],
    ['another rule', 'disk', subject, 1, 2],
    ['this rule, until an hour ago', rule, subject, -1, 2],
  ])('with a silence of %s', async (_, of, whom, hours, messages) => {
    expect(await sentBy({}, happens, 0, 0, await silencedBy(of, whom, hours))).toHaveLength(messages)
    expect(warnings).toEqual([])
  })
  it('is sent where the ledger cannot be read, and says so', async () => {
    const away = { url: new Secret('postgres://u@127.0.0.1:1/x'), password: undefined, schema: 'tasker' }
    const silences = standingSilences({ workDir: folder, ledger: away, now: () => MIDNIGHT })
    expect(await sentBy({}, happens, 0, 0, silences)).toHaveLength(2)
    expect(warnings).toEqual([
      expect.stringContaining('Which alerts are silenced cannot be read, so none is'),
    ])
  })
})

describe('a ledger that does not answer', () => {
  it('holds an alert back for two seconds, and no longer', async () => {
    const silences = (): Promise<never> => new Promise(quiet)
    expect(await sentBy({}, (to) => to.killed('SIGTERM'), 0, 0, silences)).toHaveLength(2)
  })
})

describe('a threshold', () => {
  const two = [execution('a'), execution('b')]
  it.each<[string, number, (to: Reporting) => void, number]>([
    ['kills', 2, (to) => to.killed('SIGTERM'), 0],
    ['kills', 1, (to) => to.killed('SIGTERM'), 2],
    ['terminated', 3, (to) => to.closed(two), 0],
    ['terminated', 2, (to) => to.closed(two), 2],
    ['reboot', 2, (to) => to.closed([execution('a', { status: 'SYSTEM_REBOOT' })]), 0],
  ])(
    'of %s that a site set to %i is compared with what the pass found',
    async (rule, value, happens, count) => {
      expect(await sentBy({ threshold: new Map([[rule, value]]) }, happens)).toHaveLength(count)
    },
  )
})

describe('executions that disappeared', () => {
  it('are alerts of their own for each task and status', async () => {
    const closed = [
      execution('a'),
      execution('b', { task: 'DAILY' }),
      execution('c', { status: 'SYSTEM_REBOOT' }),
      execution('d'),
    ]
    const rules = { off: ['terminated:DAILY'], channels: new Map([['reboot', ['slack' as const]]]) }
    const sent = await sentBy(rules, (to) => to.closed(closed))
    expect(sent.map(({ channel, message }) => [channel, message.lines.length, message.key])).toEqual([
      ['e-mail', 2, 'closed:a,d'],
      ['Slack', 2, 'closed:a,d'],
      ['Slack', 1, 'closed:c'],
    ])
  })
})

describe('damaged runs', () => {
  const found = new Map([7, 8, 9, 10].map((run) => [run, 'cut short']))
  const damaged = (to: Reporting): void => to.damaged(found)
  it('are one alert where the site chose the same for all', async () => {
    const sent = await sentBy({ channels: new Map([['damaged', ['email']]]) }, damaged)
    expect(wordsOf(sent)).toEqual(['e-mail: critical: 4 archived runs are damaged'])
  })
  it('are named but for those that are silenced', async () => {
    const [first] = await sentBy({}, damaged, 0, 0, await silencedBy('damaged', 'run 8'))
    expect(first?.message.title).toBe('3 archived runs are damaged')
    expect(first?.message.lines.slice(0, 3)).toEqual([7, 9, 10].map((run) => `  run ${run}: cut short`))
  })
  it('are alerts of their own where the site chose otherwise for some', async () => {
    const rules: Partial<RulesConfig> = {
      off: ['damaged:run 7'],
      severity: new Map([['damaged:run 9', 'info']]),
      channels: new Map([['damaged', ['email']]]),
    }
    const sent = await sentBy(rules, damaged)
    expect(wordsOf(sent)).toEqual([
      'e-mail: critical: 2 archived runs are damaged',
      'e-mail: info: An archived run is damaged',
    ])
    expect(sent.map(({ message }) => message.lines[0])).toEqual(['  run 8: cut short', '  run 9: cut short'])
  })
})

describe('alerts without a rule', () => {
  const everything: Partial<RulesConfig> = {
    off: ['failed', 'partial', 'kills', 'terminated', 'reboot', 'damaged'],
    channels: new Map([['failed', ['slack']]]),
  }
  it('go to every channel: a damaged state file', async () => {
    expect(wordsOf(await sentBy(everything, (to) => to.corrupt('a.json', 'a.kept')))).toEqual([
      'e-mail: critical: A state file was damaged',
      'Slack: critical: A state file was damaged',
    ])
  })
  it('are held back by a silence of everything alone', async () => {
    const corrupt = (to: Reporting): void => to.corrupt('a.json', 'a.kept')
    expect(await sentBy({}, corrupt, 0, 0, await silencedBy('*', 'NIGHTLY'))).toHaveLength(2)
    expect(await sentBy({}, corrupt, 0, 0, await silencedBy('*', '*'))).toEqual([])
  })
  it('go to every channel: no success for so long', async () => {
    expect(wordsOf(await sentBy(everything, quiet, 1, 2))).toEqual([
      'e-mail: critical: No pass has ever succeeded, for 2 hours',
      'Slack: critical: No pass has ever succeeded, for 2 hours',
    ])
  })
})

describe('a pass that ended well', () => {
  it('sends nothing, even with finished on: that is left to alerts check', async () => {
    expect(await sentBy({ on: ['finished'] }, quiet)).toEqual([])
  })
})
