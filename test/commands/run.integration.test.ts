import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { crashAt } from '../crash/harness.ts'
import { Site } from '../site.ts'

let site: Site
beforeEach(() => (site = new Site()))
afterEach(() => site.remove())

const json = (text: string) => JSON.parse(text) as { stages: Record<string, unknown>[]; exit_code: number }

describe('a first full pass', () => {
  it('archives every ready record in both places, and the state tells how far it came', () => {
    for (const run of [100, 101, 102, 105]) site.record(run)
    const { status, stdout } = site.process([site.config])
    expect([status, stdout]).toEqual([0, expect.stringContaining('4 archived, 0 failed')])
    expect(site.archived()).toEqual(['100', '101', '102', '105'])
    expect(site.state('importer')).toEqual({ last_contiguous_run: 102, last_attempted_run: 105 })
    expect(site.state('migrator')).toEqual({ last_contiguous_run: 102, last_attempted_run: 105 })
    expect(site.command('audit').status).toBe(0)
  })
  it('says that it has started before it says what it does', () => {
    site.record(100)
    const { stderr, stdout } = site.process([site.config])
    const [first] = `${stdout}${stderr}`.split('\n').filter((line) => line.includes(' - INFO - '))
    expect(first).toContain('Process started with PID')
  })
  it('has no word of Node itself, however many workers it has', () => {
    const wide = new Site({ app: '  parallel_workers: 40' })
    for (let run = 1; run <= 60; run++) wide.record(run)
    const { status, stderr } = wide.process([wide.config])
    expect([status, stderr.match(/.*\(node:.*/g)]).toEqual([0, null])
    wide.remove()
  })
  it('writes nothing into the record directory', () => {
    site.record(7)
    const before = statSync(site.path('records', '7'), { bigint: true })
    site.archiver()
    const after = statSync(site.path('records', '7'), { bigint: true })
    expect([after.mtimeNs, after.ctimeNs]).toEqual([before.mtimeNs, before.ctimeNs])
    expect(readdirSync(site.path('records'))).toEqual(['7'])
  })
  it('gives records back byte for byte', () => {
    const files = {
      'odd.bin': Buffer.from([0, 255, 10, 13, 128]),
      'crt.fcl': 'a: 1\r\nb: "20\xb0C" # \u00b0\n',
      'rc_info_start.txt': 'shifter: X\n',
    }
    site.record(7, { files })
    expect(site.archiver().status).toBe(0)
    expect(site.command('extract', '7', '--from', 'artdaq', '--to', site.path('out')).status).toBe(0)
    for (const name of readdirSync(site.path('records', '7')))
      expect(
        readFileSync(site.path('out', name)).equals(readFileSync(site.path('records', '7', name))),
        name,
      ).toBe(true)
    expect(site.command('verify').stdout).toContain('0 with differences')
  })
})

describe('an incremental pass', () => {
  it('takes batch_size runs at most, and the next pass goes on', () => {
    for (let run = 1; run <= 7; run++) site.record(run)
    expect(site.archiver('--incremental').stdout).toContain(
      '5 archived, 0 failed, 2 over the limit, 0 not ready',
    )
    expect(site.archiver('--incremental').stdout).toContain('2 archived')
    expect(site.archived()).toHaveLength(7)
  })
  it('archives a record that comes late, below every number ever attempted', () => {
    for (const run of [10, 12]) site.record(run)
    site.archiver('--incremental')
    site.record(11)
    site.record(5)
    site.archiver('--incremental')
    expect(site.archived()).toEqual(['5', '10', '11', '12'])
  })
  it('with nothing new writes nothing at all', () => {
    site.record(1)
    site.archiver('--incremental')
    site.archiver('--incremental')
    const before = readdirSync(site.path('work')).map((name) => [
      name,
      statSync(site.path('work', name)).mtimeMs,
    ])
    expect(site.process([site.config, '--incremental'])).toMatchObject({
      status: 0,
      stdout: 'Nothing new to import or migrate.\nImport:  0 archived\nMigrate: 0 archived\n',
    })
    expect(
      readdirSync(site.path('work')).map((name) => [name, statSync(site.path('work', name)).mtimeMs]),
    ).toEqual(before)
  })
  it('leaves failed runs to a retry', () => {
    site.record(1)
    site.record('02')
    site.record(2)
    const first = site.archiver('--incremental')
    expect([first.status, site.failures('import')]).toEqual([1, '2\n'])
    expect(first.stdout).toContain('two folders claim it')
    expect(site.archiver('--incremental').status).toBe(0)
    rmSync(site.path('records', '02'), { recursive: true })
    expect(site.archiver('--retry-failed-import').stdout).toContain('1 archived')
    expect([site.failures('import'), site.state('importer')]).toEqual([
      '',
      { last_contiguous_run: 2, last_attempted_run: 2 },
    ])
  })
})

describe('a run that is still going on', () => {
  it('stays pending with its reason until it has ended, and is then archived whole', () => {
    site.record(1, { ended: false })
    const { stdout, status } = site.archiver('--incremental')
    expect([status, stdout]).toEqual([0, expect.stringContaining('run 1 is not ready: running')])
    expect(site.archived()).toEqual([])
    site.end(1)
    site.archiver('--incremental')
    expect(site.archived()).toEqual(['1'])
  })
})

describe('a record that was archived incomplete', () => {
  it('is stored again, beside what is there, when its stop time comes', () => {
    const impatient = new Site({ source: '  settle_seconds: 0\n  incomplete_after: 1h' })
    impatient.record(1, { ended: false, ageSeconds: 7200 })
    expect(impatient.archiver('--incremental').stdout).toContain('1 archived')
    impatient.end(1)
    expect(impatient.archiver('--incremental').stdout).toContain('1 archived')
    expect(impatient.archived()).toEqual(['1', '1-update-1'])
    expect(impatient.command('verify')).toMatchObject({ status: 0 })
    const { stdout } = impatient.command('extract', '1', '--to', impatient.path('out'))
    expect(stdout).toContain('from archive')
    expect(readFileSync(impatient.path('out', 'RunHistory2.fcl'), 'utf8')).toContain('DAQInterface_stop_time')
    impatient.archiver('--incremental')
    expect(impatient.archiver('--incremental').stdout).toContain('Nothing new')
    impatient.remove()
  })
})

describe('a source that is gone, or empty where it was not', () => {
  it.each([
    { what: 'gone', change: () => renameSync(site.path('records'), site.path('elsewhere')) },
    {
      what: 'empty',
      change: () => {
        renameSync(site.path('records'), site.path('elsewhere'))
        mkdirSync(site.path('records'))
      },
    },
  ])('that is $what is an error, and changes nothing', ({ change }) => {
    site.record(1)
    site.archiver()
    const before = site.state('importer')
    change()
    for (const flags of [['--incremental'], [], ['--recover-import-state'], ['--report-status', '--check']]) {
      expect(site.archiver(...flags).status, flags.join()).toBe(1)
      expect(site.state('importer')).toEqual(before)
    }
  })
})

describe('entries that are no run records', () => {
  it('are named by the report and never stop a pass', () => {
    site.record('000123')
    for (const name of ['²', 'lost+found', '1234.tmp', '-5', '1e3']) mkdirSync(site.path('records', name))
    writeFileSync(site.path('records', '77'), 'a file')
    symlinkSync(site.path('records', '000123'), site.path('records', '124'))
    expect(site.archiver().status).toBe(0)
    expect(site.archived()).toEqual(['123'])
    const { stdout } = site.archiver('--report-status', '--json')
    for (const name of ['lost+found', '1234.tmp', '77', '124']) expect(stdout).toContain(name)
  })
})

describe('the flags beyond the guide', () => {
  it('--dry-run says what it would do and writes nothing', () => {
    site.record(1)
    expect(site.archiver('--dry-run').stdout).toContain('would process 1 run: 1')
    expect(readdirSync(site.root).sort()).toEqual(['config.yaml', 'records'])
  })
  it('--runs and --limit narrow a pass, --json makes one document', () => {
    for (let run = 1; run <= 9; run++) site.record(run)
    const { stdout } = site.archiver('--runs', '3-6,9', '--limit', '3', '--json')
    expect(json(stdout)).toMatchObject({
      exit_code: 0,
      stages: [{ archived: '3-5', left_for_next_pass: 2 }, { archived: '3-5' }],
    })
  })
})

describe('what is wrong on the command line', () => {
  it.each([
    { words: ['--import-only', '--migrate-only'], names: ['--import-only', '--migrate-only'] },
    { words: ['--frobnicate'], names: ['--frobnicate'] },
    { words: ['--runs', '5-3'], names: ['"5-3" ends before it begins'] },
  ])('$words ends in 64 and says what', ({ words, names }) => {
    const { status, stderr } = site.process([site.config, ...words])
    expect(status).toBe(64)
    for (const name of names) expect(stderr).toContain(name)
  })
  it('a configuration that is not there ends in 78', () => {
    expect(site.process([site.path('nowhere.yaml')])).toMatchObject({
      status: 78,
      stderr: expect.stringContaining('nowhere.yaml') as string,
    })
  })
})

describe('a second start while the first works', () => {
  it('ends at once, names the holder, and does not disturb it', async () => {
    for (let run = 1; run <= 80; run++) site.record(run)
    const first = site.start('--limit', '200')
    const ended = new Promise<number | null>((resolve) => first.on('exit', resolve))
    await new Promise<void>((resolve) => first.stderr?.once('data', () => resolve()))
    const second = site.archiver()
    expect([second.status, second.stderr]).toEqual([1, expect.stringContaining(String(first.pid))])
    expect(await ended).toBe(0)
    expect(site.archived()).toHaveLength(80)
  })
})

describe('what a run failed for', () => {
  it('is told with its cause and its code, in the summary and in the log', () => {
    site.record(1)
    rmSync(site.path('records', '1', 'boot.txt'))
    mkdirSync(site.path('records', '0001'))
    const { stdout, stderr } = site.archiver()
    for (const text of [stdout, stderr]) expect(text).toMatch(/two folders claim it, .* \[RECORD_INVALID\]/)
    expect(stdout).toMatch(/^ {2}run 1 failed: two folders claim it, /m)
  })
  it('and a stage that could not begin, stand in the log', () => {
    site.record(1)
    site.archiver()
    renameSync(site.path('archive'), site.path('away'))
    site.record(2)
    const { status, stderr } = site.archiver()
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/\[Migrate\] not started: .*\[STORE_UNAVAILABLE\]/) as string,
    ])
  })
})

describe('the incremental pass after one that stored runs', () => {
  const written = () =>
    readdirSync(site.path('work'))
      .filter((name) => !name.startsWith('ledger')) // SQLite may still be tidying up
      .map((name) => [name, statSync(site.path('work', name)).mtimeMs])

  it.each([
    { flags: [], said: 'Nothing new to import or migrate.' },
    { flags: ['--import-only'], said: 'Nothing new to import.' },
  ])('has nothing to list or to lock, and writes nothing: $said', ({ flags, said }) => {
    for (const run of [1, 2, 1001]) site.record(run)
    site.archiver('--incremental', ...flags)
    const before = written()
    const { stdout } = site.archiver('--incremental', ...flags)
    expect([stdout.split('\n')[0], written()]).toEqual([said, before])
  })

  it('stores again what was lost of the archive meanwhile', () => {
    for (const run of [1, 1001, 2001]) site.record(run)
    site.archiver('--incremental')
    const shard = site.path('archive', 'run_records', 'configuration', '0-999')
    const { mtime } = statSync(shard)
    for (const name of ['1.txt', '1.sha256']) rmSync(join(shard, name))
    utimesSync(shard, mtime, mtime) // as a restored copy has it
    expect(site.archiver('--incremental').stdout).toContain('Migrate: 1 archived')
    expect(site.archived()).toEqual(['1', '1001', '2001'])
  })

  it.each(['RunHistory', 'SystemLayout'])('stores again what was lost of %s meanwhile', (collection) => {
    site.record(1)
    site.archiver('--incremental')
    const [document = ''] = readdirSync(site.path('db', collection)).filter((name) => name !== 'index.json')
    rmSync(site.path('db', collection, document))
    expect(site.archiver('--incremental').stdout).toContain('Import:  1 archived')
  })
})

describe('a cache that cannot be kept', () => {
  it.each(['.listings.json', '.watched-records.json'])('costs no pass its result: %s', (name) => {
    site.record(1)
    mkdirSync(site.path('work', name), { recursive: true }) // a folder in its place
    const { status, stdout, stderr } = site.archiver()
    expect([status, stdout]).toEqual([0, expect.stringMatching(/Import: +1 archived[^]*Migrate: 1 archived/)])
    expect(stderr).toMatch(/could not be kept for the next pass: .*(EISDIR|is no regular file)/)
  })

  it('costs a migration no result either: what it had in hand is compared once more', () => {
    for (const run of [1, 2, 4]) site.record(run)
    site.archiver()
    site.record(3)
    site.archiver('--import-only')
    const inHand = site.path('work', '.migrator_in_hand')
    const { status, stdout, stderr } = site.program([site.config, '--migrate-only'], {
      NODE_OPTIONS: `--import=${pathToFileURL('test/crash/hook.mjs').href}`,
      FOLDER_AT: `directory-archive: checksum published#${inHand}`,
    })
    expect([status, stdout]).toEqual([0, expect.stringContaining('Migrate: 1 archived') as string])
    expect(stderr).toMatch(/in hand could not be kept for the next pass/)
  })

  it('is made anew from the manifests that can be read', () => {
    for (const run of [1, 2]) site.record(run, { ended: false, ageSeconds: 40 * 86_400 })
    site.archiver()
    rmSync(site.path('work', '.watched-records.json'))
    const folder = site.path('db', 'SystemLayout')
    const [damaged = ''] = readdirSync(folder).filter(
      (name) => name !== 'index.json' && readFileSync(join(folder, name), 'utf8').includes('"1/'),
    )
    writeFileSync(join(folder, damaged), 'not a document')
    site.record(3)
    expect(site.archiver('--import-only')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/1 archived/) as string,
    })
    const watched = readFileSync(site.path('work', '.watched-records.json'), 'utf8')
    expect((JSON.parse(watched) as { runs: [number][] }).runs.map(([run]) => run)).toEqual([2, 3])
  })
})

describe('an artdaqDB that is gone together with the state of the import', () => {
  it('is not made anew while the state of the migration says that it held runs', () => {
    site.record(1)
    site.archiver()
    rmSync(site.path('work', 'importer_state.json'))
    rmSync(site.path('db'), { recursive: true })
    for (const flags of [[], ['--incremental'], ['--import-only']])
      expect(site.archiver(...flags)).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(
          /\[Import\] not started: artdaqDB .* is not there, or is empty/,
        ) as string,
      })
    expect(existsSync(site.path('db'))).toBe(false)
    // As the hint says.
    rmSync(site.path('work', 'migrator_state.json'))
    expect(site.archiver()).toMatchObject({ status: 0 })
    expect(site.state('importer')).toEqual({ last_contiguous_run: 1, last_attempted_run: 1 })
  })
})

describe('an artdaqDB that is gone while nothing was archived of it yet', () => {
  it.each([
    { memory: 'both states', forgotten: [] },
    { memory: 'the migration alone', forgotten: ['importer_state.json'] },
  ])(
    'is an error of a migration, never "nothing to do", where $memory remember that there was something',
    ({ forgotten }) => {
      site.record(1)
      site.archiver('--import-only')
      writeFileSync(site.path('work', 'migrate_failures.log'), '1\n')
      for (const name of forgotten) rmSync(site.path('work', name))
      rmSync(site.path('db'), { recursive: true })
      for (const flags of [['--migrate-only'], ['--migrate-only', '--incremental']])
        expect(site.archiver(...flags)).toMatchObject({
          status: 1,
          stdout: expect.stringMatching(/artdaqDB .*is empty/) as string,
        })
      expect(site.failures('migrate')).toBe('1\n')
    },
  )
})

describe('what stands at a key that nobody has compared', () => {
  /** Runs 1 to 3 in artdaqDB, run 1 migrated; then something else appears under the key of run 2, or what belongs there. */
  const taken = (files: Record<string, string>): void => {
    const other = new Site()
    for (const run of [1, 2, 3]) site.record(run)
    other.record(2, { files })
    cpSync(site.path('records', '2', 'metadata.txt'), other.path('records', '2', 'metadata.txt'), {
      preserveTimestamps: true,
    })
    other.archiver()
    site.archiver('--import-only')
    site.archiver('--migrate-only', '--runs', '1')
    const at = 'archive/run_records/configuration'
    for (const name of readdirSync(other.path(at), { recursive: true, encoding: 'utf8' }))
      if (/^2\b|\/2\b/.test(name)) cpSync(other.path(at, name), site.path(at, name))
    other.remove()
  }

  it('is compared by the next pass: other content is a conflict', () => {
    taken({ 'boot.txt': 'debug level: 7\n' })
    expect(site.archiver('--incremental').status).toBe(1)
    expect(site.failures('migrate')).toBe('2\n')
    expect(site.archived()).toEqual(['1', '2', '3'])
  })

  it('is compared by the next pass, too, where it came late and a kill fell between put and proof', () => {
    for (const run of [1, 2, 4]) site.record(run)
    site.archiver()
    site.record(3)
    site.archiver('--import-only')
    expect(crashAt(site, ['--migrate-only'], 'directory-archive: checksum published', 1).signal).toBe(
      'SIGKILL',
    )
    expect(site.archived()).toEqual(['1', '2', '3', '4'])
    expect(site.archiver('--incremental')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/Migrate: 1 archived/) as string,
    })
    expect(site.archiver('--incremental').stdout).toContain('Migrate: 0 archived')
    expect(readdirSync(site.path('work')).filter((name) => name.includes('in_hand'))).toEqual([])
  })

  it('stays in the failure log until it is what it should be: an incremental pass leaves it, a retry and a full pass fail again', () => {
    taken({ 'boot.txt': 'debug level: 7\n' })
    site.archiver('--incremental')
    for (const { flags, status } of [
      { flags: ['--incremental'], status: 0 },
      { flags: ['--retry-failed-migrate'], status: 1 },
      { flags: ['--migrate-only'], status: 1 },
      { flags: ['--report-status', '--compare-state', '--check'], status: 1 },
    ]) {
      expect(site.archiver(...flags), flags.join(' ')).toMatchObject({ status })
      expect(site.failures('migrate'), flags.join(' ')).toBe('2\n')
    }
  })

  it('is archived where it is the same, and leaves the failure log when a retry has compared it', () => {
    taken({})
    writeFileSync(site.path('work', 'migrate_failures.log'), '2\n')
    expect(site.archiver('--incremental').status).toBe(0)
    expect(site.failures('migrate')).toBe('2\n')
    expect(site.archiver('--retry-failed-migrate')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('1 archived') as string,
    })
    expect(site.failures('migrate')).toBe('')
    expect(site.state('migrator')).toEqual({ last_contiguous_run: 3, last_attempted_run: 3 })
  })
})

describe("a site's own schema", () => {
  const siteWith = (text: string): Site => {
    const own = new Site({ artdaq: '  fcl_conf_dir: ./conf\n  database_uri: filesystemdb:///tmp/none' })
    mkdirSync(own.path('conf'))
    writeFileSync(own.path('conf', 'schema.fcl'), text)
    const config = readFileSync(own.config, 'utf8')
    writeFileSync(own.config, config.replace('./conf', own.path('conf')).replace('/tmp/none', own.path('db')))
    own.record(1)
    return own
  }
  it('is stored with every run', () => {
    const own = siteWith('run_history: [] # ours\n')
    expect(own.archiver().status).toBe(0)
    expect(own.command('artdaq export', '1', '--to', own.path('out')).status).toBe(0)
    const texts = readdirSync(own.path('out'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('schema.fcl'))
      .map((name) => readFileSync(own.path('out', name), 'utf8'))
    expect(texts).toEqual([expect.stringContaining('run_history: [] # ours')])
    own.remove()
  })
  it('is refused where artdaq would not take it, instead of being stored as an empty one', () => {
    const own = siteWith('run_history: [ # never closed\n')
    const { status, stderr } = own.archiver()
    expect(status).toBe(78)
    expect(stderr).toMatch(/fcl_conf_dir: .*schema\.fcl: .*line 2/)
    expect(own.archived()).toEqual([])
    own.remove()
  })
})

describe('a key of a directory archive that another record has', () => {
  it('is not taken from it by --override-conflict, which says what to do instead; and that helps', () => {
    const other = new Site({ ucon: `  server_url: file://${site.path('archive')}` })
    other.record(101, { files: { 'boot.txt': 'debug level: 7\n' } })
    expect(other.archiver().status).toBe(0)
    other.remove()
    site.record(101)
    site.archiver('--import-only')
    const { status, stderr } = site.archiver('--migrate-only', '--override-conflict', '101')
    expect([status, stderr]).toEqual([64, expect.stringContaining('move the file that the conflict named')])
    expect(site.command('diff', '101').status).toBe(1)
    const folder = site.path('archive', 'run_records', 'configuration', '0-999')
    for (const name of ['101.txt', '101.sha256']) renameSync(`${folder}/${name}`, site.path(name))
    expect(site.archiver('--migrate-only', '--runs', '101').status).toBe(0)
    expect(site.archived()).toEqual(['101'])
    expect(site.command('diff', '101').status).toBe(0)
  })
})

describe('an error that nobody waits for, which is a bug', () => {
  it.each([
    ['an exception', 'throw new Error("boom")'],
    ['a rejection', 'void Promise.reject(new Error("boom"))'],
    ['a rejection without an error', 'void Promise.reject("boom")'],
  ])('ends in 2 and shows where it came from: %s', (_what, code) => {
    site.record(1)
    const boom = site.path('boom.mjs')
    // As soon as the program is there: it listens for signals first.
    writeFileSync(
      boom,
      `const wait = setInterval(() => { if (process.listenerCount('SIGTERM') > 0) { clearInterval(wait); ${code} } }, 1)`,
    )
    const { status, stderr } = site.program([site.config], { NODE_OPTIONS: `--import=${boom}` })
    expect(status).toBe(2)
    expect(stderr).toMatch(/^run-archiver: this is a bug: [^]*boom/m)
    expect(site.archiver().status).toBe(0)
  })
})
