import { describe, expect, it } from 'vitest'
import { interpret } from '../../src/config/load-config.ts'
import type { SectionName } from '../../src/config/settings.ts'
import { ArchiverError } from '../../src/errors.ts'

const read = (text: string, needs?: readonly SectionName[]) =>
  interpret(text, { env: {}, path: '/etc/site/config.yaml', readFile: () => ({ text: '', mode: 0 }), needs })

const problemOf = (text: string, needs?: readonly SectionName[]): string => {
  try {
    read(text, needs)
    return ''
  } catch (error) {
    return error instanceof ArchiverError ? error.message : String(error)
  }
}

describe('a configuration for a command that uses only some sections', () => {
  it('may leave the others out, required settings and all', () => {
    const { config } = read('app: {work_dir: /srv/work}\n', ['app', 'ledger'])
    expect(config.app.workDir).toBe('/srv/work')
    expect(config.ledger.url.reveal()).toMatch(/^sqlite:/)
  })
  it('is refused where a section that is used lacks what it requires', () => {
    expect(problemOf('app: {work_dir: /srv/work}\n')).toMatch(/source_files\.run_records_dir: must be set/)
    expect(problemOf('app: {work_dir: /srv/work}\n', ['artdaq_db'])).toMatch(
      /^\S+ artdaq_db\.database_uri: must be set$/,
    )
  })
  it('is refused where a section that is given is not whole, used or not', () => {
    expect(problemOf('source_files: {settle_seconds: 5}\n', ['app'])).toMatch(/run_records_dir: must be set/)
  })
})

describe('references that double with every line', () => {
  it('are refused at the first value that is too long, at once', () => {
    const names = ['import_state_file', 'import_failure_log', 'migrate_state_file', 'migrate_failure_log']
    const lines = names.map((name, i) => `  ${name}: "${`\${${names[i + 1] ?? 'log_file'}}`.repeat(200)}"`)
    expect(problemOf(`app:\n${lines.join('\n')}\n  log_file: /a/long/path\n`, ['app'])).toMatch(
      /longer than 65536 characters once its references are replaced/,
    )
  })
})

describe('a merge key', () => {
  it.each([
    { what: 'a section', text: 'x: {<<: {batch_size: 7, log_level: DEBUG}, log_level: ERROR}' },
    { what: 'a list of sections', text: 'x: {<<: [{batch_size: 7}, {batch_size: 8}], log_level: ERROR}' },
  ])('takes the keys of $what; a key of the section itself, and the earlier one, win', ({ text }) => {
    const { config } = read(text.replace(/^x/, 'app'), ['app'])
    expect(config.app).toMatchObject({ batchSize: 7, logLevel: 'ERROR' })
  })
  it('that names no section is refused', () => {
    expect(problemOf('app: {<<: 5}\n', ['app'])).toMatch(/merge key \(<<\) takes a section/)
  })
})

describe('an invisible character', () => {
  it.each([
    { what: 'before a key', text: 'app:\n  work_dir: /a\n \u00a0batch_size: 5\n', code: 'U+00A0' },
    { what: 'in a value', text: 'app:\n  batch_size: 5\u200b\n', code: 'U+200B' },
    { what: 'in a key', text: 'app:\n  batch\u00ad_size: 5\n', code: 'U+00AD' },
  ])('$what is named, with its column', ({ text, code }) => {
    expect(problemOf(text, ['app'])).toMatch(
      new RegExp(`invisible character, ${code.replace('+', '\\+')} in column \\d+`),
    )
  })
})

describe('rows.archive', () => {
  const archive = (text: string) =>
    read(`app: {work_dir: /srv/work}\nrows:\n  archive: ${text}\n`, ['app', 'rows']).config.rows.archive
  it('may be its URL alone', () => {
    expect(archive('file:///var/archive').url?.reveal()).toBe('file:///var/archive')
    expect(archive('mysql://a@b/c').url?.reveal()).toBe('mysql://a@b/c')
    expect(archive('{url: file:///var/archive, format: csv}').format).toBe('csv')
  })
  it.each([
    ['file://host/var/archive', 'must be file:///folder'],
    ['file:var/archive', 'must be file:///folder'],
    ['file:////var', 'must be file:///folder'],
    ['file:///var?x=1', 'must be file:///folder'],
    ['/var/archive', 'must be mysql://'],
    ['[a, b]', 'must be a section'],
  ])('%s is refused', (text, said) => {
    expect(problemOf(`app: {work_dir: /srv/work}\nrows:\n  archive: ${text}\n`, ['app', 'rows'])).toContain(
      said,
    )
  })
})
