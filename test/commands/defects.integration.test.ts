import { readdirSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'

let site: Site
beforeEach(() => (site = new Site()))
afterEach(() => site.remove())

describe('comments and layout', () => {
  it('are in the archive as they are in the record, not as artdaqDB prints them', () => {
    const text = '# the gate\ndaq: {\n    run: 7   # which\n}\n'
    site.record(7, { files: { 'tpc01.fcl': text } })
    site.archiver()
    site.command('extract', '7', '--to', site.path('out'))
    expect(readFileSync(site.path('out', 'tpc01.fcl'), 'utf8')).toBe(text)
  })
})

describe('an archive that does not begin at run 1', () => {
  it('has its last contiguous run read off the destination', () => {
    for (const run of [12000, 12001, 12003]) site.record(run)
    site.archiver()
    expect(site.state('importer')).toEqual({ last_contiguous_run: 12001, last_attempted_run: 12003 })
  })
})

describe('a state file that is damaged', () => {
  it.each([
    { damage: 'cut short', text: '{"last_contig' },
    { damage: 'null', text: 'null' },
    { damage: 'a list', text: '[]' },
    { damage: 'numbers as texts', text: '{"last_contiguous_run": "5", "last_attempted_run": "5"}' },
    { damage: 'empty', text: '' },
  ])('by being $damage is kept aside, rebuilt from the stores, and the pass goes on', ({ text }) => {
    for (const run of [1, 2, 4]) site.record(run)
    site.archiver()
    writeFileSync(site.path('work', 'importer_state.json'), text)
    site.record(5)
    const { status, stderr } = site.archiver('--incremental')
    expect([status, stderr]).toEqual([0, expect.stringContaining('STATE_CORRUPT')])
    const kept = readdirSync(site.path('work')).find((name) =>
      name.startsWith('importer_state.json.corrupt-'),
    )
    expect(readFileSync(site.path('work', kept!), 'utf8')).toBe(text)
    expect(site.state('importer')).toEqual({ last_contiguous_run: 2, last_attempted_run: 5 })
    expect(site.archived()).toEqual(['1', '2', '4', '5'])
  })
  it('ends the pass with exit 1 and names the command, where the site wants that', () => {
    const strict = new Site({ app: '  on_corrupt_state: stop' })
    strict.record(1)
    strict.archiver()
    truncateSync(strict.path('work', 'importer_state.json'), 5)
    const { status, stdout, stderr } = strict.archiver('--import-only', '--incremental')
    expect([status, stdout + stderr]).toEqual([1, expect.stringContaining('--recover-import-state')])
    strict.remove()
  })
})

describe('a pass over many runs', () => {
  it('lists each store at most once before it begins, and works on as many runs at a time as it is told', () => {
    const wide = new Site({ app: '  batch_size: 0\n  parallel_workers: 4' })
    for (let run = 1; run <= 24; run++) wide.record(run)
    const { stderr } = wide.archiver('--import-only', '-v')
    const lines = stderr.split('\n').filter((line) => /→ Processing|✓ Run/.test(line))
    const firstDone = lines.findIndex((line) => line.includes('✓ Run'))
    expect(lines.slice(0, firstDone).length).toBeGreaterThanOrEqual(4)
    wide.remove()
  })
})

describe('a pass that is stopped', () => {
  it('has every run of it in exactly one of archived, failed and pending', () => {
    for (let run = 1; run <= 30; run++) site.record(run)
    site.record('007')
    const { stdout } = site.archiver('--json', '--limit', '20')
    const [stage] = (
      JSON.parse(stdout) as {
        stages: { archived: string; failed: { run: number }[]; left_for_next_pass: number }[]
      }
    ).stages
    expect(stage).toMatchObject({ archived: '1-6,8-20', failed: [{ run: 7 }], left_for_next_pass: 10 })
    expect(site.failures('import')).toBe('7\n')
  })
})

describe('commands from data', () => {
  it('cannot be: no source file evaluates text or starts a shell', () => {
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.ts') && name !== 'main.ts',
    )
    const evaluating = sources.filter((name) =>
      /\beval\(|new Function\(|shell: true|(?<!\.)\bexec(Sync)?\(['"`]/.test(
        readFileSync(join('src', name), 'utf8'),
      ),
    )
    expect(evaluating).toEqual([])
  })
  it('cannot be: a configuration name with shell characters is a name', () => {
    const metadata =
      'Config name: beam; touch MARKER; echo\n\nDAQInterface stop time: Fri Oct  3 15:42:07 UTC 2025\n'
    site.record(3, { files: { 'metadata.txt': metadata } })
    expect(site.archiver().status).toBe(0)
    expect(readdirSync(process.cwd())).not.toContain('MARKER')
    expect(readdirSync(site.root)).not.toContain('MARKER')
    expect(site.command('artdaq show', '3').stdout).toMatch(/3\/[A-Za-z0-9._-]+\s/)
  })
})

describe('a run of which only a part is in the database', () => {
  it('is found and completed, though its record is archived by name', () => {
    for (const run of [1, 2]) site.record(run)
    site.archiver('--import-only')
    const collection = site.path('db', 'RunHistory')
    const document = readdirSync(collection).find(
      (name) => name !== 'index.json' && readFileSync(join(collection, name), 'utf8').includes('"2/'),
    )
    // Lost, as by a disk fault: nothing of ours ever removes one.
    unlinkSync(join(collection, document!))
    const { stdout } = site.archiver('--import-only', '--incremental')
    expect(stdout).toContain('1 archived')
    expect(site.command('artdaq check').status, site.command('artdaq check').stdout).toBe(0)
    expect(site.command('extract', '2', '--from', 'artdaq', '--to', site.path('out')).status).toBe(0)
  })
})
