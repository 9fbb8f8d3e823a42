import { describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli.ts'
import type { ArchiverError } from '../../src/errors.ts'
import { contextOf } from '../context.ts'

/** What a command line ends with: an exit code and what it said, or the error that the program would show. */
const said = async (line: string): Promise<{ code: number | string; err: string }> => {
  let err = ''
  try {
    const code = await runCli(line.split(' '), contextOf({ err: (text) => void (err += text) }))
    return { code, err }
  } catch (error) {
    return { code: (error as ArchiverError).code, err: (error as ArchiverError).message }
  }
}

describe('the configuration', () => {
  it.each([
    '--incremental /nowhere/a.yaml',
    '--incremental --config /nowhere/a.yaml',
    '--config /nowhere/a.yaml --incremental',
    '/nowhere/a.yaml --config /nowhere/a.yaml',
    '--config /nowhere/a.yaml verify',
    'verify --config /nowhere/a.yaml',
    'rows run /nowhere/a.yaml',
    'rows run --config /nowhere/a.yaml',
    'rows plan /nowhere/a.yaml',
    'rows verify /nowhere/a.yaml',
    'rows status /nowhere/a.yaml',
    'rows conflicts --config /nowhere/a.yaml',
    'queue status --config /nowhere/a.yaml',
  ])('is the one that is named: %s', async (line) => {
    const { code, err } = await said(line)
    expect([code, err]).toEqual(['CONFIG_INVALID', '/nowhere/a.yaml:1:1 there is no such file'])
  })

  it.each(['/nowhere/a.yaml --config /nowhere/b.yaml', 'rows run /nowhere/a.yaml --config /nowhere/b.yaml'])(
    'is never one of two: %s',
    async (line) => {
      const { code, err } = await said(line)
      expect(code).toBe(64)
      expect(err).toContain(
        'two configurations are named, /nowhere/a.yaml and --config /nowhere/b.yaml; give one',
      )
    },
  )
})

describe('an option before a command that does not have it', () => {
  it.each([
    ['--dry-run artdaq repair', "'repair' has no --dry-run; nothing was done"],
    ['--runs 3 scrub --config /nowhere/a.yaml', undefined],
    ['--dry-run scrub', "'scrub' has no --dry-run; nothing was done"],
    ['--limit 5 queue retry', "'retry' has no --limit; nothing was done"],
    ['--incremental daemon', "'daemon' has no --incremental; nothing was done"],
    ['--verbose queue status', "'status' has no --verbose; nothing was done"],
  ])('%s is refused, not ignored', async (line, refusal) => {
    const { code, err } = await said(line)
    expect(code).toBe(refusal === undefined ? 'CONFIG_INVALID' : 64)
    expect(err).toContain(refusal ?? '/nowhere/a.yaml')
  })
})
