import { describe, expect, it } from 'vitest'
import { ALERT_RULES, ruleKey, type RuleName } from '../../../src/common/alert-rules.ts'
import { NO_SETTINGS, RuleSettings } from '../../../src/tracking/alerts/rule-settings.ts'
import { parse, problemsOf, withSection } from '../../config/given.ts'

describe('the settings of rules', () => {
  it('say most where they name most of the subject', () => {
    const threshold = new Map([
      ['kills', 2],
      ['kills:DAILY_*', 4],
      ['kills:DAILY_01*', 5],
      ['kills:DAILY_01_x', 6],
    ])
    const rules = new RuleSettings({ ...NO_SETTINGS, threshold })
    expect(
      ['other', 'DAILY_2', 'DAILY_01_y', 'DAILY_01_x'].map((task) => rules.threshold('kills', task)),
    ).toEqual([2, 4, 5, 6])
    expect(rules.threshold('disk', '/data')).toBe(ALERT_RULES.disk.threshold)
  })
  it('take a subject as it is, whatever characters it has', () => {
    const rules = new RuleSettings({ ...NO_SETTINGS, off: ['disk:/data (1).*', 'failed:C:\\x'] })
    expect(rules.isOn('disk', '/data (1).a')).toBe(false)
    expect(rules.isOn('disk', '/data 1xa')).toBe(true)
    expect(rules.isOn('failed', 'C:\\x')).toBe(false)
    expect(ruleKey('nothing:x')).toBeUndefined()
  })
  it('leave every rule on but the message of a good end', () => {
    const off = (Object.keys(ALERT_RULES) as RuleName[]).filter((rule) => !new RuleSettings().isOn(rule, 'T'))
    expect(off).toEqual(['finished'])
    const on = new RuleSettings({ ...NO_SETTINGS, on: ['finished:DAILY_*'] })
    expect([on.isOn('finished', 'DAILY_1'), on.isOn('finished', 'STATIC_1')]).toEqual([true, false])
    expect([new RuleSettings().text('finished'), on.text('disk')]).toEqual([
      'an execution of a task ended well (off)',
      'less than 10 % free',
    ])
  })

  it('stand in the configuration, by rule or by rule and subject', () => {
    const { rules } = parse(
      withSection(
        'reporting',
        'rules:',
        '    on: ["finished:DAILY_*"]',
        '    off: partial',
        '    threshold: { disk: 5, "duration:NIGHT": 2.5 }',
        '    severity: { late: warning }',
        '    channels: { finished: "webhook, email" }',
      ),
    ).reporting
    expect(rules).toEqual({
      on: ['finished:DAILY_*'],
      off: ['partial'],
      threshold: new Map([
        ['disk', 5],
        ['duration:NIGHT', 2.5],
      ]),
      severity: new Map([['late', 'warning']]),
      channels: new Map([['finished', ['webhook', 'email']]]),
    })
  })
  it.each([
    ['off: [nothing]', 'must begin with the name of a rule'],
    ['threshold: { failed: 3 }', 'failed has no threshold'],
    ['threshold: { disk: much }', 'must be a number'],
    ['severity: { disk: bad }', 'must be one of info, warning, critical'],
    ['channels: { disk: pigeon }', 'must be one of email, slack'],
  ])('are refused by name where they cannot be meant: %s', (line, why) => {
    expect(problemsOf(withSection('reporting', 'rules:', `    ${line}`)).join(' ')).toContain(why)
  })
})
