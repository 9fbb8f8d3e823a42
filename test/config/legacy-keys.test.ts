import { describe, expect, it } from 'vitest'
import { CANARY, LEAST, parse, problemsOf, read, withSection } from './given.ts'

describe('a configuration of the Python original', () => {
  it('may have the old mail settings, with their old defaults', () => {
    const { email } = parse(
      `${LEAST}reporting:\n    send_email_on_error: true\n    smtp_host: mail\n    recipient_email: shift@example.org\n    sender_email: daq@example.org\n`,
    ).reporting
    expect(email).toMatchObject({
      enabled: true,
      smtpHost: 'mail',
      smtpPort: 587,
      smtpUseTls: true,
      recipientEmails: ['shift@example.org'],
    })
  })
  it('may not have both', () => {
    expect(problemsOf(`${LEAST}reporting: {smtp_host: a, email: {enabled: false}}\n`)[0]).toContain(
      'keep one of them',
    )
  })
  it.each(['{files: [boot.txt, RunHistory.fcl]}', '[boot, RunHistory]'])(
    'may list the documents as %s',
    (list) => {
      expect(parse(`${LEAST}fhiclize_generate: ${list}\n`).fhiclizeGenerate).toEqual(['boot', 'RunHistory'])
    },
  )
  it('with an unknown document is refused', () => {
    expect(problemsOf(`${LEAST}fhiclize_generate: [boots]\n`)[0]).toContain(
      'fhiclize_generate: must be one of boot,',
    )
  })
  it('gets the remote host from ARTDAQ_DATABASE_REMOTEHOST', () => {
    expect(parse(LEAST, { ARTDAQ_DATABASE_REMOTEHOST: 'gate' }).artdaqDb.remoteHost).toBe('gate')
  })
})

describe('the defects of the original', () => {
  it('no password of a database URI is shown', () => {
    const { answers } = read(
      withSection('artdaq_db', `database_uri: mongodb://daq:${CANARY}@h/d`, 'use_tools: true'),
      {},
      'config.yaml',
    )
    const shown = answers
      .map(({ setting, value }) => (value === undefined ? '' : setting.key.kind.show(value)))
      .join('\n')
    expect(shown).toContain('mongodb://daq:[secret]@h/d')
    expect(shown).not.toContain(CANARY)
  })
  it('an unknown key is an error, the text "false" is false, batch_size 0 is no limit', () => {
    expect(problemsOf(`${LEAST}ap: {work_dir: x}\n`)).toEqual([
      'config.yaml:7:1 ap: there is no such setting; did you mean app?',
    ])
    expect(parse(`${LEAST}carbon: {enabled: "false"}\n`).carbon.enabled).toBe(false)
    expect(parse(withSection('app', 'batch_size: 0')).app.batchSize).toBe(0)
  })
  it('fault injection is refused, and ignored with a warning where it injects nothing', () => {
    expect(problemsOf(`${LEAST}app_fuzz: {random_skip_percent: 10}\n`)).toEqual([
      'config.yaml:7:1 app_fuzz: faults are not injected into a program that archives; take this section out',
    ])
    const { warnings } = read(
      `${LEAST}app_fuzz: {random_skip_percent: 0, random_skip_retry: false}\n`,
      {},
      'config.yaml',
    )
    expect(warnings).toEqual(['config.yaml:7:1 app_fuzz: injects nothing and is ignored; take it out'])
  })
  it('what --validate looks for can be named', () => {
    expect([...parse(LEAST).uconDb.metadataParameters]).toEqual([
      ['components', 'components'],
      ['configuration', 'config_name'],
      ['projectversion', 'sbndaq_commit_or_version'],
    ])
    const other = withSection(
      'ucon_db',
      'server_url: file:///a',
      'metadata_parameters: {projectversion: mu2e_commit}',
    )
    expect([...parse(other).uconDb.metadataParameters]).toEqual([['projectversion', 'mu2e_commit']])
  })
})
