import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openFile } from '../../src/sql/libsql-database.ts'
import { Site } from '../site.ts'

let site: Site
beforeEach(() => (site = new Site({ app: '  batch_size: 0' })))
afterEach(() => site.remove())

describe('the report on a site', () => {
  it('that is in order says so, with exit 0, and changes nothing', () => {
    for (const run of [100, 101, 105]) site.record(run)
    site.archiver()
    // What SQLite keeps beside its file comes and goes with whoever reads it.
    const files = () => readdirSync(site.path('work')).filter((name) => !/-(shm|wal)$/.test(name))
    const before = files()
    const { status, stdout } = site.archiver('--report-status', '--compare-state', '--check')
    expect([status, files()]).toEqual([0, before])
    expect(stdout).toContain('  Contiguous:      100-101, 105\n  Gaps:            102, 103, 104\n')
    expect(stdout).toContain('1. All systems are synchronized - no action needed')
    expect(stdout).toMatch(/Last Success: +20\d\d-.*Z \(\d+ (s|min) ago\)/)
  })

  it('shows no password of the database, whatever it is made of', () => {
    const artdaq = `  database_uri: "mongodb://arch:it's-hunter2@127.0.0.1:9/x"\n  use_tools: true`
    const other = new Site({ artdaq, more: `ledger:\n  url: "postgres://arch:it's-hunter2@127.0.0.1:9/x"` })
    const outputs = [other.archiver('--report-status'), other.command('config check', '--no-connect')]
    other.remove()
    for (const { stdout, stderr } of outputs) {
      expect(stdout).toContain('//arch:[secret]@127.0.0.1:9/x')
      expect(stdout + stderr).not.toContain('hunter2')
    }
  })

  it('that has never been worked on says what to run', () => {
    site.record(7)
    const { status, stdout } = site.archiver('--compare-state')
    expect(status).toBe(0)
    expect(stdout).toContain(
      `1. Run IMPORTER: 1 run(s) on filesystem not in artdaqDB (range: 7)\n   ${site.run} --import-only --incremental`,
    )
    expect(stdout).toContain('No import state recorded')
  })

  it('names failed, late, waiting and ignored ones, and --check makes failures an exit 1', () => {
    for (const name of ['10', '12', '13', '013']) site.record(name)
    site.archiver()
    site.record(11)
    site.record(14, { ended: false })
    mkdirSync(site.path('records', 'lost+found'))
    const { status, stdout } = site.archiver('--compare-state')
    expect(status).toBe(0)
    expect(stdout).toContain('  Failed Runs:         1 run(s) logged as failed (13)')
    expect(stdout).toContain('  Late Runs:           1 run(s) below the last attempted (11)')
    expect(stdout).toMatch(/Not Ready: +run 14: running/)
    expect(stdout).toMatch(/Ignored: +lost\+found/)
    expect(site.archiver('--report-status', '--check').status).toBe(1)
    const json = JSON.parse(site.archiver('--compare-state', '--json').stdout) as object
    expect(json).toMatchObject({ import: { failed: '13', late: '11' }, filesystem: { ambiguous: '13' } })
  })

  it('whose records cannot be read is an error, never an empty set', () => {
    site.record(1)
    site.archiver()
    rmSync(site.path('records'), { recursive: true })
    const { status, stdout } = site.archiver('--report-status')
    expect(status).toBe(1)
    expect(stdout).toContain('✗ Filesystem query failed')
    expect(stdout).toContain('ArtdaqDB query complete')
  })

  it.each(['importer_state.json', 'migrator_state.json'])('tells the rest where %s is damaged', (file) => {
    site.record(1)
    site.archiver()
    writeFileSync(site.path('work', file), '{')
    const { status, stdout } = site.archiver('--compare-state')
    expect(status).toBe(1)
    expect(stdout).toContain('NOT KNOWN: ')
    expect(stdout).toContain(`${file}: not JSON`)
    expect(stdout).toContain('  Total Runs:      1')
  })
})

describe('the recommendations on a site', () => {
  it('work as they are typed, where run_archiver.sh and a path with blanks started it', () => {
    site.record(7)
    const config = site.path("it's mine.yaml")
    renameSync(site.config, config)
    const script = resolve('scripts/run_archiver.sh')
    const report = spawnSync(script, [config, '--report-status'], { encoding: 'utf8' })
    const command = /^ +(\S*run_archiver\.sh .*)$/m.exec(report.stdout)?.[1] ?? ''
    expect(command).toContain('--import-only --incremental')
    expect(spawnSync('sh', ['-c', command], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('1 archived') as string,
    })
  })

  it('begin with what stopped the last pass, and say why runs failed', () => {
    site.record(1)
    site.record(2, { files: Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`${i}.txt`, 'x'])) })
    const config = readFileSync(site.config, 'utf8')
    writeFileSync(
      site.config,
      config.replace('settle_seconds: 0', 'settle_seconds: 0\n  max_record_files: 8'),
    )
    site.archiver('--import-only')
    rmSync(site.path('records'), { recursive: true })
    expect(site.archiver().status).toBe(1)
    mkdirSync(site.path('records'))
    site.record(1)
    site.record(2)
    const { stdout } = site.archiver('--report-status')
    const [, first = ''] = /^1\. (.*)$/m.exec(stdout) ?? []
    expect(first).toMatch(/^ERROR: The last pass \(full, .*\) was stopped: .*records/)
    expect(stdout).toMatch(
      /CHECK: 1 run\(s\) failed to import \(2\): .*more than 8 files.*\n {3}node .* --retry-failed-import/,
    )
  })
})

describe('the report after a pass that ended before its end', () => {
  it.each([
    ['begins with its error', 'FAILED', 'error', 1, true],
    [
      'recommends nothing where a person stopped it: the next pass goes on',
      'CANCELLED',
      'signal',
      143,
      false,
    ],
  ])('%s', (_name, status, reason, exitCode, isShown) => {
    site.record(1)
    site.archiver()
    const ledger = openFile(site.path('work', 'ledger.db'), 5000)
    try {
      ledger
        .prepare(
          `UPDATE executions SET execution_status = ?, end_reason = ?, exit_code = ?, error_message = 'ended'`,
        )
        .run([status, reason, exitCode])
    } finally {
      ledger.close()
    }
    const { stdout } = site.archiver('--report-status')
    expect(stdout.includes('ERROR: The last pass')).toBe(isShown)
  })
})

describe('the audit of a site', () => {
  const blob = (run: number): string =>
    site.path(
      'archive',
      readdirSync(site.path('archive'), { recursive: true, encoding: 'utf8' }).find((name) =>
        name.endsWith(`${run}.txt`),
      )!,
    )

  it('counts each class, and needs no state to do it', () => {
    for (const name of ['1', '2', '02', '3']) site.record(name)
    site.archiver()
    site.record(4)
    writeFileSync(site.path('work', 'importer_state.json'), 'nonsense')
    const { status, stdout } = site.command('audit', '--deep')
    expect(status).toBe(0)
    expect(stdout).toContain('  archived: 2 (2 read back)\n  failed:   1 (2)\n  pending:  1 (4)\n')
  })

  it('finds a blob whose bytes are not what was archived', () => {
    for (const run of [1, 2, 3]) site.record(run)
    site.archiver()
    const path = blob(2)
    const bytes = readFileSync(path)
    bytes[bytes.length >> 1]! ^= 1
    chmodSync(path, 0o644)
    writeFileSync(path, bytes)
    const { status, stdout } = site.command('audit', '--deep')
    expect(status).toBe(1)
    expect(stdout).toMatch(/VIOLATION: run 2 is damaged/)
    expect(stdout).toContain('1 violation')
  })

  it('never calls archived what is there only in part', () => {
    for (const run of [1, 2, 3]) site.record(run)
    site.archiver()
    chmodSync(blob(2), 0o644)
    truncateSync(blob(2), 10)
    const { stages } = JSON.parse(site.command('audit', '--json').stdout) as {
      stages: { archived: string }[]
    }
    expect(stages[1]?.archived).toBe('1,3')
  })

  it('ends in 1 when the records are gone', () => {
    site.record(1)
    site.archiver()
    rmSync(site.path('records', '1'), { recursive: true })
    expect(site.command('audit')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('is empty') as string,
    })
  })
})

describe('the report on a site with a shared backlog', () => {
  const withQueue = () => {
    site.remove()
    site = new Site({ app: '  batch_size: 0', more: 'queue:\n  url: sqlite:queue.db' })
  }
  const report = (...flags: string[]) => site.archiver('--report-status', '--compare-state', ...flags)

  it('reads a backlog that nobody has made yet as empty, and makes none', () => {
    withQueue()
    site.record(1)
    const { status, stdout } = report()
    expect([status, existsSync(site.path('work', 'queue.db'))]).toEqual([0, false])
    expect(stdout).toContain('✓ Queue query complete')
    expect(stdout).toContain(
      '  Not In Queue:        1 run(s) to be done: the next scan of a worker adds them (1)',
    )
  })

  it('holds file, backlog and stores against each other, and names what a worker then mends', () => {
    withQueue()
    for (const name of ['1', '2', '3', '03']) site.record(name)
    const work = () => site.command('worker', '--until-empty')
    expect(work().status).toBe(1)
    const agreed = report('--check')
    expect(agreed.stdout).toContain(
      '  Queue:               0 pending, 0 claimed, 2 done, 1 failed; attempted up to 3',
    )
    // A person empties the failure log, and the archive loses a blob: the backlog knows of neither.
    writeFileSync(site.path('work', 'import_failures.log'), '')
    const [blob] = readdirSync(site.path('archive'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('/2.txt'),
    )
    rmSync(site.path('archive', blob!))
    const { status, stdout } = report('--check')
    expect(status).toBe(1)
    expect(stdout).toContain(
      'CHECK: 1 run(s) failed in the import queue and are not in the import failure log (3)',
    )
    expect(stdout).toContain('CHECK: 1 run(s) are done in the migrate queue and not in UconDB (2)')
    expect(stdout).toContain('  Queue, Not Stored:   1 run(s) done in the queue, and not in UconDB (2)')
    expect(JSON.parse(report('--json').stdout)).toMatchObject({
      queue: { error: null, instances: 0 },
      import: { queue: { failed: '3', not_logged: '3' } },
      migrate: { queue: { done: '1-2', not_stored: '2' } },
    })
    work()
    expect(site.archived()).toEqual(['1', '2'])
    expect(report('--json').stdout).toMatch(/"not_stored": ""/)
  })

  it('whose backlog does not answer is an error', () => {
    site.remove()
    site = new Site({ more: 'queue:\n  url: postgres://nobody@127.0.0.1:9/none' })
    site.record(1)
    const { status, stdout } = report()
    expect(status).toBe(1)
    expect(stdout).toContain('✗ Queue query failed: cannot use the queue postgres://nobody@127.0.0.1:9/none')
  })
})
