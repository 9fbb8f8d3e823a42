import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'

let site: Site
beforeEach(() => (site = new Site({ app: '  batch_size: 0' })))
afterEach(() => site.remove())

const copies = (): string[] => readdirSync(site.path('work')).filter((name) => /\.(bak|corrupt)-/.test(name))

describe('a recovery on the stores of a site', () => {
  it('writes what the manual shows, from the two stores alone', () => {
    for (const run of [100, 101, 102, 105]) site.record(run)
    site.archiver()
    for (const run of [103, 50, 200]) site.record(run)
    rmSync(site.path('work'), { recursive: true })
    const { status, stdout } = site.archiver('--recover-import-state')
    expect(status).toBe(0)
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining([
        'IMPORT STATE RECOVERY',
        'Found 7 runs in filesystem',
        'Found 4 runs in artdaqDB',
        'Last attempted run: 105',
        'Last contiguous run: 102',
        'Found 2 missing runs to add to failure log',
        '✓ Written importer_state.json',
        '✓ Written import_failures.log with 2 runs',
        '  Missing runs (preview): [50, 103]',
      ]),
    )
    expect(site.state('importer')).toEqual({ last_contiguous_run: 102, last_attempted_run: 105 })
    expect(site.failures('import')).toBe('50\n103\n')
    expect(site.archiver('--recover-migrate-state', '--json').stdout).toContain('"missing_runs": ""')
    expect(site.archiver('--retry-failed-import').stdout).toContain('2 archived')
    expect(site.archiver('--incremental').status).toBe(0)
    expect(site.archived()).toEqual(['50', '100', '101', '102', '103', '105', '200'])
  })

  it('says what it would do and writes nothing with --dry-run', () => {
    site.record(1)
    const { status, stdout } = site.archiver('--recover-import-state', '--dry-run')
    expect([status, existsSync(site.path('work'))]).toEqual([0, false])
    expect(stdout).toContain('NOTHING WAS WRITTEN')
  })

  it('keeps what it replaces, and changes nothing the second time', () => {
    site.record(1)
    site.archiver()
    writeFileSync(
      site.path('work', 'importer_state.json'),
      '{"last_contiguous_run": 0, "last_attempted_run": 9}',
    )
    site.archiver('--recover-import-state')
    expect(copies()).toHaveLength(1)
    expect(readFileSync(site.path('work', copies()[0]!), 'utf8')).toContain('"last_attempted_run": 9')
    site.archiver('--recover-import-state')
    expect(copies()).toHaveLength(1)
  })
})

describe('a pass on a state that is damaged', () => {
  it('keeps it, rebuilds it from the stores, and goes on', () => {
    site.record(1)
    site.archiver()
    site.record(2)
    writeFileSync(site.path('work', 'importer_state.json'), '{"last_contiguous_run": 1, "last_at')
    const { status, stderr } = site.archiver('--incremental')
    expect([status, site.archived()]).toEqual([0, ['1', '2']])
    expect(stderr).toMatch(/STATE_CORRUPT.*importer_state.json/)
    expect(copies().join()).toMatch(/^importer_state\.json\.corrupt-\d{8}T\d{6}Z$/)
    expect(site.state('importer')).toEqual({ last_contiguous_run: 2, last_attempted_run: 2 })
  })

  it('ends in 1 and names the command, each time, where the configuration says stop', () => {
    const strict = new Site({ app: '  on_corrupt_state: stop' })
    strict.record(1)
    strict.archiver()
    strict.record(2)
    writeFileSync(strict.path('work', 'importer_state.json'), '')
    for (let pass = 0; pass < 2; pass++) {
      const { status, stdout, stderr } = strict.archiver('--incremental')
      expect([status, strict.archived()]).toEqual([1, ['1']])
      expect(stdout + stderr).toContain('the file is empty')
    }
    expect(strict.archiver('--recover-import-state').status).toBe(0)
    expect(strict.archiver('--incremental').status).toBe(0)
    expect(strict.archived()).toEqual(['1', '2'])
    strict.remove()
  })
})

describe('a destination that is gone while the state is damaged', () => {
  it.each([
    {
      stage: 'import',
      gone: 'db',
      state: 'importer_state.json',
      away: 'importer_state.json and migrator_state.json',
    },
    { stage: 'migrate', gone: 'archive', state: 'migrator_state.json', away: 'migrator_state.json' },
  ])('is never made anew by the $stage: its disk may not be mounted', ({ stage, gone, state, away }) => {
    site.record(1)
    site.archiver()
    site.record(2)
    renameSync(site.path(gone), site.path('unmounted'))
    mkdirSync(site.path(gone)) // the mount point
    writeFileSync(site.path('work', state), '{"last_contig')
    for (const flags of [['--incremental'], [], [`--recover-${stage}-state`]]) {
      const { status, stdout, stderr } = site.archiver(...flags)
      expect([status, stdout + stderr]).toEqual([1, expect.stringContaining(`move ${away} away`)])
      expect(readdirSync(site.path(gone))).toEqual([])
    }
    rmSync(site.path(gone), { recursive: true })
    renameSync(site.path('unmounted'), site.path(gone))
    expect(site.archiver('--incremental').status).toBe(0)
    expect(site.archived()).toEqual(['1', '2'])
  })

  it('is made anew where the state file was moved away', () => {
    site.record(1)
    site.archiver()
    rmSync(site.path('archive'), { recursive: true })
    writeFileSync(site.path('work', 'migrator_state.json'), '')
    renameSync(site.path('work', 'migrator_state.json'), site.path('aside.json'))
    expect([site.archiver('--incremental').status, site.archived()]).toEqual([0, ['1']])
  })
})

describe('a state that says other than the stores', () => {
  const twoRuns = (): void => {
    site.record(1)
    site.record(2)
    site.archiver()
  }
  it.each([
    ['that it has come further than it has', '{"last_contiguous_run": 900, "last_attempted_run": 900}'],
    ['less, as after a restored backup', '{"last_contiguous_run": 1, "last_attempted_run": 1}'],
    ['something of another site', '{"last_contiguous_run": 12500, "last_attempted_run": 12550}'],
    ['nothing', '{"last_contiguous_run": 0, "last_attempted_run": 0}'],
  ])('is never the reason why a run is left out: %s', (_, text) => {
    twoRuns()
    site.record(3)
    writeFileSync(site.path('work', 'importer_state.json'), text)
    writeFileSync(site.path('work', 'migrator_state.json'), text)
    expect(site.archiver('--incremental').status).toBe(0)
    expect(site.archived()).toEqual(['1', '2', '3'])
    expect(site.state('importer')).toMatchObject({ last_contiguous_run: 3 })
    expect(site.command('audit', '--deep').status).toBe(0)
  })

  it('and one that is missing is what a recovery makes of it', () => {
    twoRuns()
    const before = [site.state('importer'), site.state('migrator')]
    rmSync(site.path('work'), { recursive: true })
    site.archiver('--recover-import-state')
    site.archiver('--recover-migrate-state')
    expect([site.state('importer'), site.state('migrator')]).toEqual(before)
    rmSync(site.path('work'), { recursive: true })
    site.archiver('--incremental')
    expect([site.state('importer'), site.state('migrator')]).toEqual(before)
  })

  it('and a failure log that is gone makes its runs pending, so that the next pass takes them', () => {
    twoRuns()
    for (const name of ['3', '03']) site.record(name)
    expect(site.archiver('--incremental').status).toBe(1)
    rmSync(site.path('work', 'import_failures.log'))
    rmSync(site.path('records', '03'), { recursive: true })
    expect(site.archiver('--incremental').status).toBe(0)
    expect(site.archived()).toEqual(['1', '2', '3'])
  })
})

describe('a state that cannot be trusted at all', () => {
  it.each([
    ['of a later version', 'STATE_NEWER', '{"version": 2}'],
    ['that is a folder', 'STATE_UNSAFE', undefined],
  ])('%s stops the pass and is not touched', (_, code, text) => {
    site.record(1)
    mkdirSync(site.path('work'))
    const path = site.path('work', 'importer_state.json')
    if (text === undefined) mkdirSync(path)
    else writeFileSync(path, text)
    const { status, stdout, stderr } = site.archiver('--incremental')
    expect([status, site.archived()]).toEqual([1, []])
    expect(stdout + stderr).toContain(code === 'STATE_NEWER' ? 'version 2' : 'not a regular file')
    if (text !== undefined) expect(readFileSync(path, 'utf8')).toBe(text)
  })
})
