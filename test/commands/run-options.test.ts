import { describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli.ts'
import { type MainOptions, modeOf, runOf } from '../../src/commands/run-options.ts'
import { contextOf } from '../context.ts'

const config = 'config.yaml'

describe('flags that name one mode', () => {
  it.each<{ flags: Partial<MainOptions>; mode: unknown }>([
    { flags: {}, mode: { type: 'pass', pass: 'full', stages: ['import', 'migrate'] } },
    {
      flags: { incremental: true },
      mode: { type: 'pass', pass: 'incremental', stages: ['import', 'migrate'] },
    },
    {
      flags: { importOnly: true, incremental: true },
      mode: { type: 'pass', pass: 'incremental', stages: ['import'] },
    },
    {
      flags: { retryFailedMigrate: true, verbose: true },
      mode: { type: 'pass', pass: 'retry', stages: ['migrate'] },
    },
    { flags: { recoverImportState: true }, mode: { type: 'recover', stage: 'import' } },
    { flags: { reportStatus: true, compareState: true, check: true }, mode: { type: 'report' } },
    { flags: { compareState: true }, mode: { type: 'report' } },
  ])('$flags are that mode', ({ flags, mode }) => {
    expect(modeOf({ config, ...flags })).toEqual(mode)
  })
})

describe('flags that contradict each other', () => {
  it.each<{ flags: Partial<MainOptions>; names: string[] }>([
    { flags: { importOnly: true, migrateOnly: true }, names: ['--import-only', '--migrate-only'] },
    { flags: { compareState: true, importOnly: true }, names: ['--compare-state', '--import-only'] },
    {
      flags: { reportStatus: true, retryFailedImport: true },
      names: ['--report-status', '--retry-failed-import'],
    },
    {
      flags: { recoverImportState: true, incremental: true },
      names: ['--recover-import-state', '--incremental'],
    },
    {
      flags: { retryFailedImport: true, incremental: true },
      names: ['--retry-failed-import', '--incremental'],
    },
    { flags: { check: true, importOnly: true }, names: ['--check', '--report-status', '--compare-state'] },
    { flags: { reportStatus: true, runs: '5' }, names: ['--report-status', '--runs'] },
    { flags: { runs: '6-9', overrideConflict: '5' }, names: ['--runs 6-9', '--override-conflict 5'] },
    { flags: { importOnly: true, overrideConflict: '5' }, names: ['--import-only', '--override-conflict'] },
  ])('$flags are refused, and named', ({ flags, names }) => {
    const refusal = (): unknown => modeOf({ config, ...flags })
    expect(refusal).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error)
    for (const name of names) expect(refusal).toThrow(name)
  })
})

describe('a run number on the command line', () => {
  it('may be padded with zeros as directories are', () => expect(runOf('000123')).toBe(123))
  it.each(['0', '', '-5', '1e3', '12.5', '9'.repeat(16), '９'])('is refused when it is "%s"', (text) => {
    expect(() => runOf(text)).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error)
  })
})

describe('a number that is none', () => {
  it.each([
    ['--incremental', '--wait', 'soon'],
    ['--dry-run', '--limit', 'few'],
    ['--dry-run', '--wait', '-1'],
    ['--recover-import-state', '--dry-run', '--wait', 'soon'],
    ['--report-status', '--wait', 'soon'],
  ])('is refused whatever there is to do: %s %s %s', async (...words) => {
    // No configuration either: the command line is looked at first.
    await expect(runCli(['/nowhere.yaml', ...words], contextOf())).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('is not a whole number') as string,
    })
  })
})
