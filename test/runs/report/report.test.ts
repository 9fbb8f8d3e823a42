import { describe, expect, it } from 'vitest'
import { makeReport, type ReportFacts } from '../../../src/runs/report/report.ts'
import { recommendations } from '../../../src/runs/report/advice.ts'
import { reportJson } from '../../../src/runs/report/report-json.ts'
import { ageText } from '../../../src/common/duration.ts'
import { reportLines } from '../../../src/runs/report/report-text.ts'
import { rangesText, runsText } from '../../../src/runs/report/range-text.ts'
import { RunSet } from '../../../src/common/run-set.ts'

const known = <T>(value: T) => ({ known: true as const, value })
const store = (runs: string) => known({ runs: RunSet.parse(runs), incomplete: RunSet.EMPTY, notes: [] })
const source = (runs: string) => known({ runs: RunSet.parse(runs), ambiguous: RunSet.EMPTY, ignored: [] })
const memory = (contiguous: number, attempted: number, failed = '') =>
  known({
    state: { lastContiguousRun: contiguous, lastAttemptedRun: attempted },
    failed: failed === '' ? RunSet.EMPTY : RunSet.parse(failed),
    isFirst: attempted === 0,
    savedAt: undefined,
  })

/** Ten runs taken, seven imported (and one whose record is gone), eight migrated. */
const facts = (changes: Partial<ReportFacts> = {}): ReportFacts => ({
  now: Date.UTC(2026, 10, 21, 12),
  config: 'config.yaml',
  recordsDirectory: '/daq/run_records',
  databaseUri: 'filesystemdb:///daq/db/archive',
  serverUrl: 'https://ucon.example:9443/det_on_ucon_prod/app',
  folderAndObject: 'test/configuration',
  records: source('1-3,5-6,9-11,13-14'),
  artdaq: store('1-4,6,9,11'),
  archive: store('1-6,9,11'),
  import: memory(4, 11, '10'),
  migrate: memory(0, 0),
  waiting: new Map(),
  lastSuccess: undefined,
  ...changes,
})
const lines = (changes: Partial<ReportFacts> = {}): string[] =>
  reportLines(makeReport(facts(changes)), { compareState: true })

describe('the status report', () => {
  it('has the lines of the Python original, in its order', () => {
    const wanted = [
      '======================================================================',
      'RUN RECORD ARCHIVER - STATUS REPORT',
      'Querying data sources...',
      '✓ Filesystem query complete',
      '✓ ArtdaqDB query complete',
      '✓ UconDB query complete',
      'DATA SOURCE SUMMARY',
      'FILESYSTEM (Source)',
      '----------------------------------------------------------------------',
      '  Location:        /daq/run_records',
      '  Total Runs:      10',
      '  Range:           1 to 14',
      '  Contiguous:      1-3, 5-6, 9-11, 13-14',
      '  Gaps:            4, 7, 8, 12',
      'ARTDAQDB (Intermediate Storage)',
      '  Database URI:    filesystemdb:///daq/db/archive',
      '  Total Runs:      7',
      '  Contiguous:      1-4, 6, 9, 11',
      '  Gaps:            5, 7, 8, 10',
      'UCONDB (Long-term Storage)',
      '  Server URL:      https://ucon.example:9443/det_on_ucon_prod/app',
      '  Folder/Object:   test/configuration',
      '  Total Runs:      8',
      'STATE COMPARISON',
      'IMPORT STAGE STATE',
      '  Last Contiguous Run: 4',
      '  New Runs Available:  2 run(s) since last state update (range: 13-14)',
      '  Late Runs:           1 run(s) below the last attempted (5)',
      '  Failed Runs:         1 run(s) logged as failed (10)',
      'MIGRATION STAGE STATE',
      '  Last Contiguous Run: 0',
      '  Status:              No migration state recorded',
      'RECOMMENDATIONS',
      '1. Run IMPORTER: 4 run(s) on filesystem not in artdaqDB (range: 5, 10, 13, 14)',
      '   run-archiver config.yaml --import-only --incremental',
      '2. WARNING: 1 run(s) in artdaqDB but not on filesystem (may have been deleted)',
      '3. INFO: 1 run(s) in UconDB but not in artdaqDB (may have been cleaned up from intermediate storage)',
      'END OF STATUS REPORT',
    ]
    const printed = lines()
    let from = 0
    for (const line of wanted) {
      const at = printed.indexOf(line, from)
      expect(at, line).toBeGreaterThanOrEqual(from)
      from = at
    }
  })

  it('tells which runs the destination has lost, and that the state is wrong', () => {
    const printed = lines({ import: memory(6, 11) })
    expect(printed).toContain('  Missing in ArtdaqDB:  1 run(s) before last contiguous (5)')
    expect(printed).toContain('  Actual Contiguous:   4 (from ArtdaqDB)')
  })

  it('says that all is well only when it is', () => {
    const all = { records: source('1-3'), artdaq: store('1-3'), archive: store('1-3') }
    const well = makeReport(facts({ ...all, import: memory(3, 3), migrate: memory(3, 3) }))
    expect(well.discrepancies).toEqual([])
    expect(reportLines(well, { compareState: false })).toContain(
      '1. All systems are synchronized - no action needed',
    )
    const broken = facts({ ...all, artdaq: { known: false, reason: 'index damaged' } })
    expect(reportLines(makeReport(broken), { compareState: false }).join('\n')).not.toContain('synchronized')
  })

  it('says of how many damaged runs it gives no reason', () => {
    const held = RunSet.parse('1-7')
    const damaged = (last: number) =>
      new Map([...RunSet.parse(`1-${last}`)].map((run) => [run, `document of run ${run}`] as const))
    const compared = (last: number): string => {
      const proof = { held, compared: RunSet.EMPTY, oldest: undefined, damaged: damaged(last) }
      return reportLines(makeReport(facts({ proof })), { compareState: false }).find((line) =>
        line.startsWith('  Compared:'),
      )!
    }
    expect(compared(7)).toMatch(/run 5 is DAMAGED: document of run 5; and 2 more are DAMAGED \(6, 7\)$/)
    expect(compared(5)).toMatch(/run 5 is DAMAGED: document of run 5$/)
  })

  it('never takes an unreadable store for an empty one', () => {
    const report = makeReport(facts({ archive: { known: false, reason: 'connection refused' } }))
    const text = reportLines(report, { compareState: true }).join('\n')
    expect(text).toContain('✗ UconDB query failed: connection refused')
    expect(text).toContain('UNAVAILABLE: connection refused')
    expect(text).not.toContain('MIGRATOR')
    expect(report.unreadable).toEqual(['UconDB: connection refused'])
    expect(report.migrate.known).toBe(false)
  })

  it('doubts an empty source before an archive that is not', () => {
    const { unreadable, import: imports } = makeReport(
      facts({ records: known({ runs: RunSet.EMPTY, ambiguous: RunSet.EMPTY, ignored: [] }) }),
    )
    expect(unreadable).toEqual([
      'run records: the run record directory is empty, and artdaqDB is not: is the disk mounted?',
    ])
    expect(imports.known).toBe(false)
    expect(
      makeReport(facts({ artdaq: known({ runs: RunSet.EMPTY, incomplete: RunSet.EMPTY, notes: [] }) }))
        .unreadable,
    ).toHaveLength(1)
  })

  it('gives the reason why a run is pending', () => {
    expect(lines({ waiting: new Map([[13, 'running: no stop line']]) })).toContain(
      '  Not Ready:           run 13: running: no stop line',
    )
  })

  it.each([
    [
      'contiguous',
      { import: memory(3, 11, '10') },
      'import state says last contiguous run 3, artdaqDB says 4',
    ],
    ['failed', { import: memory(4, 11, '10') }, '1 run(s) failed to import (10)'],
    ['stale', { import: memory(4, 11, '9') }, '1 run(s) in the import failure log are in artdaqDB (9)'],
    [
      'gone',
      { import: memory(4, 11, '8') },
      '1 run(s) in the import failure log are no longer in filesystem (8)',
    ],
  ] as const)('names a discrepancy: %s', (_, changes, text) => {
    expect(makeReport(facts(changes)).discrepancies.map((discrepancy) => discrepancy.text)).toContain(text)
  })

  it('takes no more memory for a directory named 999999999999999', () => {
    const far = source('1-3,999999999999999')
    const before = process.memoryUsage().heapUsed
    const text = lines({ records: far }).join('\n')
    expect(text).toContain('4, 5, 6, 7, 8, 9, 10, 11, 12, 13')
    expect(text).toContain('(999999999999995 gaps total)')
    expect(text.length).toBeLessThan(20_000)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000)
    expect(JSON.parse(reportJson(makeReport(facts({ records: far })), 0))).toMatchObject({
      filesystem: { gaps: '4-999999999999998' },
    })
  })

  it('is one JSON document, too', () => {
    expect(JSON.parse(reportJson(makeReport(facts()), 1))).toMatchObject({
      filesystem: { count: 10, runs: '1-3,5-6,9-11,13-14', gaps: '4,7-8,12', error: null },
      import: { last_contiguous_run: 4, failed: '10', late: '5', new: '13-14' },
      exit_code: 1,
    })
  })
})

describe('ranges and gaps', () => {
  it('are cut as the original cuts them', () => {
    const many = RunSet.of(Array.from({ length: 30 }, (_, i) => 2 * i + 1))
    expect(rangesText(many)).toBe('1, 3, 5, 7, 9 ... 51, 53, 55, 57, 59 (30 ranges total)')
    expect(runsText(many.gaps, 'gaps')).toMatch(/^2, 4, .*, 40 \.\.\. \(29 gaps total\)$/)
    expect(rangesText(RunSet.EMPTY)).toBe('none')
  })
})

describe('an age', () => {
  it.each([
    [-5000, '0 s'],
    [12_000, '12 s'],
    [300_000, '5 min'],
    [3_900_000, '1 h 5 min'],
    [183_600_000, '2 d 3 h'],
  ])('of %d ms is %s', (milliseconds, text) => expect(ageText(milliseconds)).toBe(text))
})

describe('the recommendations', () => {
  const all = { records: source('1-3'), artdaq: store('1-3'), archive: store('1-3') }
  const advice = (changes: Partial<ReportFacts>) =>
    recommendations(makeReport(facts({ ...all, import: memory(3, 3), migrate: memory(3, 3), ...changes })))

  it('begin as the program was started, with the path of the configuration quoted', () => {
    const [first] = advice({ records: source('1-4'), program: './run_archiver.sh', config: 'my config.yaml' })
    expect(first?.command).toBe("./run_archiver.sh 'my config.yaml' --import-only --incremental")
  })

  it('name runs exactly', () => {
    expect(advice({ records: source('1-3,5,6,8') })[0]?.text).toContain(
      '3 run(s) on filesystem not in artdaqDB (range: 5, 6, 8)',
    )
    expect(advice({ records: source('1-9') })[0]?.text).toContain('(range: 4-9)')
  })

  it('put a full disk before the pass that would fill it', () => {
    const given = advice({ records: source('1-4'), fullDisks: ['The disk is full: 0.0 GB free'] })
    expect(given[0]?.text).toBe('ERROR: The disk is full: 0.0 GB free. Make room first')
    expect(given[1]?.text).toMatch(/^Run IMPORTER/)
  })

  it('put what stopped the last pass before a pass that it would stop again', () => {
    const stopped = { at: 0, task: 'incremental', reason: 'UconDB: 401 login refused' }
    const given = advice({ artdaq: store('1-4'), records: source('1-4'), import: memory(4, 4), stopped })
    expect(given[0]?.text).toBe(
      'ERROR: The last pass (incremental, 1970-01-01T00:00:00.000Z) was stopped: UconDB: 401 login refused',
    )
    expect(given[0]?.command).toBe('run-archiver config check')
    expect(given[1]?.text).toMatch(/^Run MIGRATOR/)
  })

  it('never send an ambiguous run to the importer, nor to a retry', () => {
    const records = known({
      runs: RunSet.parse('1-3'),
      ambiguous: RunSet.parse('13'),
      claims: ['/daq/13', '/daq/0013'],
      ignored: [],
    })
    const given = advice({ records, import: memory(3, 13, '13') })
    expect(given).toEqual([
      {
        text: 'CHECK: run 13 is claimed by two folders: rename or remove one of the two',
        command: 'diff -r /daq/13 /daq/0013',
      },
    ])
  })

  it('say why runs failed, and compare the copies of a conflict instead of trying it again', () => {
    const causes = [
      {
        stage: 'import' as const,
        code: 'RECORD_INVALID',
        message: 'unreadable file',
        runs: RunSet.parse('4,6'),
      },
      { stage: 'migrate' as const, code: 'CONFLICT', message: 'other content', runs: RunSet.parse('2') },
    ]
    const given = advice({
      records: source('1-4,6'),
      archive: store('1,3'),
      import: memory(3, 6, '4,6'),
      migrate: memory(1, 3, '2'),
      causes,
    })
    expect(given.slice(-2)).toEqual([
      {
        text: 'CHECK: 2 run(s) failed to import (4, 6): unreadable file [RECORD_INVALID]',
        command: 'run-archiver config.yaml --retry-failed-import',
      },
      {
        text: 'CHECK: 1 run(s) failed to migrate (2): other content [CONFLICT]',
        command: 'run-archiver diff 2',
      },
    ])
  })
})
