import { describe, expect, it } from 'vitest'
import {
  readRunOptions,
  requireRange,
  type SelectionOptions,
} from '../../src/commands/records/run-selection.ts'
import { runCommand } from '../../src/commands/records/run.ts'
import { printing } from './databases.ts'

const usage = (message: RegExp | string) =>
  expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(message) as string }) as Error

describe('the flags of a run that cannot hold together', () => {
  it.each<[SelectionOptions, string]>([
    [{ all: true, limit: '3' }, '--all and --limit'],
    [{ retryFailed: true, excludeFailed: false }, '--retry-failed and --no-exclude-failed'],
    [{ code: 'ENUM_UNKNOWN' }, '--code chooses among failed items'],
    [{ code: 'ENUM_UNKNOWN', excludeFailed: true }, '--code chooses among failed items'],
    [{ maxRetries: '2' }, '--max-retries chooses among failed items'],
    [{ code: 'ENUM_UNKNOWM', retryFailed: true }, 'no code ENUM_UNKNOWM'],
    [{ code: 'toString', retryFailed: true }, 'no code toString'],
    [{ batchSize: '0' }, 'from 1 to 100000'],
    [{ batchSize: '100001' }, 'from 1 to 100000'],
  ])('are refused: %j', (flags, message) => {
    expect(() => readRunOptions(flags)).toThrow(usage(message))
  })
  it.each<SelectionOptions>([
    { all: true, limit: '0' },
    { code: 'ENUM_UNKNOWN', retryFailed: true, maxRetries: '2' },
    { code: 'ENUM_UNKNOWN', excludeFailed: false },
    { batchSize: '1' },
    { batchSize: '100000' },
  ])('are taken where they do: %j', (flags) => {
    expect(() => readRunOptions(flags)).not.toThrow()
  })
  it('are refused where the level of the log is none', async () => {
    const options = { task: 't', config: 'none.yaml', logLevel: 'loud' }
    await expect(runCommand(options, printing().context)).rejects.toEqual(usage('--log-level: "loud"'))
  })
})

describe('a range of keys', () => {
  const range = (appIdStart?: string, appIdEnd?: string) =>
    readRunOptions({ ...(appIdStart && { appIdStart }), ...(appIdEnd && { appIdEnd }) })

  it.each([
    ['x', undefined, '--app-id-start: "x"'],
    [undefined, '1e1', '--app-id-end: "1e1"'],
    ['1.5', '9', '--app-id-start: "1.5"'],
    ['9', '3', '--app-id-start 9 is above --app-id-end 3'],
    ['10', '9', '--app-id-start 10 is above --app-id-end 9'],
  ])('of numbers is refused from %s to %s', (from, to, message) => {
    expect(() => {
      requireRange(range(from, to), 'bigint')
    }).toThrow(usage(message))
  })
  it.each([
    ['5', '5'],
    ['-3', '007'],
    ['0', undefined],
  ])('of numbers is taken from %s to %s', (from, to) => {
    expect(() => {
      requireRange(range(from, to), 'bigint')
    }).not.toThrow()
  })
  it('of text may be of any text: the database knows its order', () => {
    expect(() => {
      requireRange(range('b', 'A'), 'text')
    }).not.toThrow()
  })
})
