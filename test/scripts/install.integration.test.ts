import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commandPages } from '../../scripts/docs/commands.ts'
import { OFFERED } from '../../scripts/docs/offered-values.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'install-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const install = (...words: string[]) =>
  spawnSync('scripts/install.sh', words, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], DESTDIR: root, HOME: '/home/daq', NODE: process.execPath },
  })
/** Every file below the root with its text. */
const filesOf = (): Map<string, string> => {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const files = names.filter((name) => statSync(join(root, name)).isFile())
  return new Map(files.toSorted().map((name) => [name, readFileSync(join(root, name), 'utf8')]))
}
const modeOf = (path: string): string => (statSync(join(root, path)).mode & 0o7777).toString(8)

describe('install.sh', () => {
  it('puts folders, configuration, units, man page and completion in their places', () => {
    const { status, stdout } = install()
    expect(status).toBe(0)
    expect(stdout).toContain('Installed')
    const names = [...filesOf().keys()]
    expect(names.filter((name) => name.startsWith('etc/systemd/system/'))).toHaveLength(11)
    expect(names).toContain('etc/run-record-archiver/config.yaml')
    expect(names).toContain('usr/local/share/man/man1/run-archiver.1')
    expect(names).toContain('usr/share/bash-completion/completions/run-archiver')
    expect(names).toContain('usr/share/fish/vendor_completions.d/run-archiver.fish')
    expect(names).toContain('usr/local/share/zsh/site-functions/_run-archiver')
    expect(modeOf('etc/run-record-archiver')).toBe('750')
    expect(modeOf('etc/run-record-archiver/credentials')).toBe('700')
    expect(modeOf('etc/run-record-archiver/config.yaml')).toBe('640')
    expect(modeOf('var/lib/run_record_archiver')).toBe('750')
  })
  it('changes nothing when it is run twice, and keeps what people wrote', () => {
    install()
    const environment = 'etc/run-record-archiver/archiver.env'
    writeFileSync(join(root, environment), 'RUN_RECORDS_DIR=/data\n')
    install()
    const before = filesOf()
    expect(before.get(environment)).toBe('RUN_RECORDS_DIR=/data\n')
    expect(install().status).toBe(0)
    expect(filesOf()).toEqual(before)
  })
  it('gives the units the paths of this machine and of the configuration', () => {
    install()
    const config = join(root, 'etc/run-record-archiver/config.yaml')
    writeFileSync(
      config,
      readFileSync(config, 'utf8')
        .replace('${RUN_RECORDS_DIR:-/daq/run_records}', '/data/records')
        .replace('filesystemdb:///var/lib/run_record_archiver/artdaqdb', 'filesystemdb:///data/db'),
    )
    install()
    const unit = readFileSync(join(root, 'etc/systemd/system/run-record-archiver.service'), 'utf8')
    expect(unit).toContain(
      `ExecStart=${process.execPath} ${process.cwd()}/dist/main.js /etc/run-record-archiver/config.yaml`,
    )
    expect(unit).toContain('RequiresMountsFor=/data/records')
    expect(unit).toContain('ReadOnlyPaths=/data/records')
    expect(unit).toContain('ReadWritePaths=-/var/lib/run_record_archiver -/data/db\n')
    expect(unit).toContain('NoExecPaths=/ -/var/lib/run_record_archiver -/data/db -/var/log')
  })
  it('lets the units write where databases of files are, and start the tools, also while the configuration is faulty', () => {
    install()
    const config = join(root, 'etc/run-record-archiver/config.yaml')
    const of = (ledger: string, queue: string): string =>
      `app: {work_dir: /data/work}
source_files: {run_records_dir: /data/records}
artdaq_db: {database_uri: "mongodb://db/artdaq", use_tools: true, tools_dir: "/opt/art daq/bin"}
ucon_db: {server_url: "file:///data/archive"}
ledger: {url: "${ledger}"}
queue: {url: "${queue}"}
`
    const unit = (): string =>
      readFileSync(join(root, 'etc/systemd/system/run-record-archiver.service'), 'utf8')
    const listed = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(unit())![1]!
    writeFileSync(config, of('sqlite:/data/ledger/l.db', 'sqlite:///data/queue/q.db'))
    expect(install().stderr).toBe('')
    expect(listed('ReadWritePaths')).toMatch(/ -\/data\/ledger -\/data\/queue$/)
    const exec = listed('ExecPaths')
    expect(exec).toMatch(/ "-\/opt\/art daq"$/)
    writeFileSync(config, 'nonsense: 1\n')
    install()
    expect(listed('ExecPaths')).toBe(exec)
    writeFileSync(
      config,
      of('sqlite:ledger.db', 'off')
        .replace('use_tools: true, ', '')
        .replace('mongodb://db/artdaq', 'filesystemdb:///data/db'),
    )
    expect(install().stderr).toBe('')
    expect(listed('ExecPaths')).not.toContain('/opt')
    expect(listed('ReadWritePaths')).toBe(
      '-/var/lib/run_record_archiver -/data/work -/data/db -/data/archive',
    )
  })
  it('says that the units have a /tmp of their own, in which nothing outlives a pass', () => {
    install()
    const config = join(root, 'etc/run-record-archiver/config.yaml')
    writeFileSync(
      config,
      'source_files: {run_records_dir: /data/records}\nartdaq_db: {database_uri: "filesystemdb:///var/tmp/db"}\nucon_db: {server_url: "file:///data/archive"}\n',
    )
    const { status, stderr } = install()
    expect(status).toBe(0)
    expect(stderr).toMatch(
      /app\.work_dir: \/tmp\/run_record_archiver .* a \/tmp of their own \(PrivateTmp=\)/,
    )
    expect(stderr).toMatch(/artdaq_db\.database_uri: \/var\/tmp\/db /)
    expect(install('--user').stderr).toBe('')
  })
  it('takes paths from the environment that the units will have, and secrets from their folder', () => {
    install()
    const folder = join(root, 'etc/run-record-archiver')
    writeFileSync(
      join(folder, 'archiver.env'),
      '# paths\nRUN_RECORDS_DIR=/data/records\nARTDAQ_DATABASE_URI="filesystemdb:///data/db"\nRUN_ARCHIVER_WORK_DIR=/data/work\nUCONDB_URL=https://ucon:8443/i/a\n',
    )
    writeFileSync(join(folder, 'credentials/ucon_db.writer_password'), 'canary\n', { mode: 0o400 })
    const config = join(folder, 'config.yaml')
    writeFileSync(
      config,
      readFileSync(config, 'utf8').replace(/#(writer_user|folder_name|object_name): .*/g, '$1: w'),
    )
    const { status, stdout, stderr } = install()
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).not.toContain('canary')
    const unit = readFileSync(join(root, 'etc/systemd/system/run-record-archiver.service'), 'utf8')
    expect(unit).toContain('RequiresMountsFor=/data/records')
    expect(unit).toContain('ReadOnlyPaths=/data/records\n')
    expect(unit).toContain('ReadWritePaths=-/var/lib/run_record_archiver -/data/work -/data/db\n')
  })
  it.each([
    ['a faulty configuration', 'config.yaml', 'nonsense: 1\n', 0o640, 'nonsense: there is no such setting'],
    ['an archiver.env that others may write', 'archiver.env', 'touch /tmp/x\n', 0o666, 'chmod go-w it'],
  ])('says what is wrong with %s, and leaves the units their paths', (_what, name, text, mode, said) => {
    install()
    const folder = join(root, 'etc/run-record-archiver')
    writeFileSync(
      join(folder, 'archiver.env'),
      'RUN_RECORDS_DIR=/data/records\nUCONDB_URL=file:///data/archive\n',
    )
    install()
    const units = [...filesOf()].filter(([path]) => path.startsWith('etc/systemd'))
    writeFileSync(join(folder, name), text)
    chmodSync(join(folder, name), mode)
    const { status, stderr } = install()
    expect(status).toBe(0)
    expect(stderr).toContain(said)
    expect(stderr).toContain('the units keep the paths that they have')
    expect([...filesOf()].filter(([path]) => path.startsWith('etc/systemd'))).toEqual(units)
    expect(units.join()).toContain('ReadWritePaths=-/var/lib/run_record_archiver -/data/archive\n')
  })
  it.skipIf(process.getuid?.() !== 0)('does not run an archiver.env of another user', () => {
    install()
    const environment = join(root, 'etc/run-record-archiver/archiver.env')
    writeFileSync(environment, `touch ${join(root, 'was-run')}\n`)
    chownSync(environment, 65534, 65534)
    const { stderr } = install()
    expect(stderr).toContain('archiver.env belongs to another user')
    expect(existsSync(join(root, 'was-run'))).toBe(false)
  })
  it('makes units for one user without what only the system can do', () => {
    expect(install('--user', '--daemon').status).toBe(0)
    const unit = readFileSync(
      join(root, 'home/daq/.config/systemd/user/run-record-archiver-daemon.service'),
      'utf8',
    )
    expect(unit).not.toMatch(/^(?:User|Protect\w+|StateDirectory|RequiresMountsFor)=/m)
    expect(unit).toContain('--config /home/daq/.config/run-record-archiver/config.yaml')
    expect(unit).toContain('WantedBy=default.target')
    const config = readFileSync(join(root, 'home/daq/.config/run-record-archiver/config.yaml'), 'utf8')
    expect(config).toContain('/home/daq/.local/state/run_record_archiver')
  })
  it('only says what it would do in a dry run', () => {
    const { status, stdout } = install('--dry-run')
    expect(status).toBe(0)
    expect(stdout).toContain('+ write')
    expect(filesOf().size).toBe(0)
  })
  it('takes away what it installed, and never configuration or state', () => {
    install()
    writeFileSync(join(root, 'var/lib/run_record_archiver/importer_state.json'), '{}')
    expect(install('--uninstall').status).toBe(0)
    expect([...filesOf().keys()]).toEqual([
      'etc/run-record-archiver/archiver.env',
      'etc/run-record-archiver/config.yaml',
      'var/lib/run_record_archiver/importer_state.json',
    ])
    expect(install('--uninstall').status).toBe(0)
  })
  it('refuses what it does not know', () => {
    expect(install('--force').status).toBe(64)
  })
})

/** The words of a list in a unit as systemd reads them: quotes and backslashes heeded, `%%` is `%`. */
const wordsOf = (unit: string, key: string): string[] => {
  const line = new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? ''
  return [...line.matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g)].map(([, quoted, bare]) =>
    (quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '').replaceAll('%%', '%'),
  )
}

describe('a path that holds what systemd or the shell reads as its own', () => {
  const unitPath = 'etc/systemd/system/run-record-archiver.service'
  const configure = (records: string, database: string): void =>
    writeFileSync(
      join(root, 'etc/run-record-archiver/config.yaml'),
      `app: {work_dir: /var/lib/run_record_archiver}\nsource_files: {run_records_dir: ${JSON.stringify(records)}}\n` +
        `artdaq_db: {database_uri: [${JSON.stringify(`filesystemdb://${database}`)}, "filesystemdb:///srv/other"]}\n` +
        'ucon_db: {server_url: "file:///srv/a%20b"}\n',
    )
  it.each(['/srv/r d&,;$HOME', `/srv/it's 100%n "\\1"`])('is in the unit as it is: %s', (path) => {
    install()
    configure(`${path}#1`, '/srv/db')
    const { status, stderr } = install()
    expect([status, stderr]).toEqual([0, ''])
    const unit = readFileSync(join(root, unitPath), 'utf8')
    expect(wordsOf(unit, 'ReadOnlyPaths')).toEqual([`${path}#1`])
    expect(wordsOf(unit, 'RequiresMountsFor')).toEqual([`${path}#1`])
    const writable = expect.arrayContaining(['-/srv/db', '-/srv/other', '-/srv/a b']) as string[]
    expect(wordsOf(unit, 'ReadWritePaths')).toEqual(writable)
    expect(wordsOf(unit, 'NoExecPaths')).toEqual(writable)
  })
  it('is refused where no unit can hold it, and the units that are there stay', () => {
    install()
    configure('/srv/rr', '/srv/db')
    install()
    const before = filesOf()
    configure('/srv/two\nlines', '/srv/db')
    const { status, stderr } = install()
    expect([status, stderr]).toEqual([1, expect.stringContaining('the units are left as they were')])
    expect(readFileSync(join(root, unitPath), 'utf8')).toBe(before.get(unitPath))
  })
  it.skipIf(spawnSync('systemd-analyze', ['--version']).status !== 0)(
    'is refused where systemd would not read it, whatever was meant (control: a unit made wrongly)',
    () => {
      install()
      const before = filesOf()
      // A unit that was edited by hand keeps its paths while the configuration cannot be read.
      const wrong = (before.get(unitPath) ?? '').replace(/^ReadOnlyPaths=.*/m, 'ReadOnlyPaths=not/absolute')
      writeFileSync(join(root, unitPath), wrong)
      writeFileSync(join(root, 'etc/run-record-archiver/config.yaml'), 'nonsense: 1\n')
      const { status, stderr } = install()
      expect([status, stderr]).toEqual([1, expect.stringContaining('not/absolute')])
      expect(readFileSync(join(root, unitPath), 'utf8')).toBe(wrong)
    },
  )
  it('is the home of the user for whom it is installed', () => {
    const home = '/home/d & q'
    const { status, stderr } = spawnSync('scripts/install.sh', ['--user'], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], DESTDIR: root, HOME: home, NODE: process.execPath },
    })
    // Its folders of state are no place for an artdaqDB, and that is told at once: artdaq's tools would hand the path to a shell.
    expect([status, stderr]).toEqual([0, expect.stringContaining('artdaq_db.database_uri: cannot be used')])
    const read = (name: string): string => readFileSync(join(root, home, '.config', name), 'utf8')
    expect(read('systemd/user/run-record-archiver.service')).toContain(
      ` "${home}/.config/run-record-archiver/config.yaml" --incremental`,
    )
    expect(read('run-record-archiver/config.yaml')).toContain(`${home}/.local/state/run_record_archiver`)
  })
})

describe('a machine whose workers are enabled', () => {
  const wants = 'etc/systemd/system/multi-user.target.wants'
  beforeEach(() => {
    install()
    mkdirSync(join(root, wants), { recursive: true })
    for (const one of ['1', '2'])
      symlinkSync(
        '../run-record-archiver-worker@.service',
        join(root, wants, `run-record-archiver-worker@${one}.service`),
      )
  })

  it('keeps them when it is installed again: no timer is enabled that would exclude them at the next boot', () => {
    const { status, stdout } = install()
    expect(status).toBe(0)
    expect(stdout).toContain('disable run-record-archiver.timer run-record-archiver-retry.timer')
    expect(stdout).not.toMatch(/enable .*run-record-archiver(-retry)?\.timer/)
    expect(stdout).toContain(
      'systemctl start run-record-archiver-worker@1.service run-record-archiver-worker@2.service run-record-archiver-report.timer',
    )
  })
  it('gets no daemon beside them', () => {
    const { status, stderr } = install('--daemon')
    expect([status, stderr]).toEqual([1, expect.stringContaining('workers are enabled here')])
  })
  it('loses them when everything is taken away', () => {
    const { stdout } = install('--uninstall')
    expect(stdout).toContain('disable run-record-archiver-worker@1.service')
    expect(stdout).toContain('stop run-record-archiver-worker@*.service')
  })
})

const complete = (...words: string[]): string[] =>
  execFileSync(
    'bash',
    [
      '-c',
      'source docs/completions/run-archiver.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _run_archiver; printf "%s\\n" "${COMPREPLY[@]}"',
      'bash',
      ...words,
    ],
    { encoding: 'utf8' },
  )
    .trim()
    .split('\n')

describe.skipIf(!existsSync('/bin/bash'))('completion in bash', () => {
  it.each([
    [['run-archiver', '--incr'], ['--incremental']],
    [['run-archiver', 'art'], ['artdaq']],
    [['run-archiver', 'artdaq', 'rep'], ['repair']],
    [['run-archiver', 'artdaq', 'export', '--t'], ['--to']],
    [
      ['run-archiver', 'extract', '12', '--from', 'a'],
      ['artdaq', 'archive'],
    ],
    [['run-archiver', 'config.exam'], ['config.example.yaml']],
  ])('of %j is %j', (words, completions) => {
    expect(complete(...words)).toEqual(completions)
  })
})

const hasZsh = spawnSync('zsh', ['--version']).status === 0

/** What zsh's completion system offers when Tab is pressed at the end of a line. */
const completeInZsh = (line: string): string[] =>
  execFileSync('zsh', ['-f', 'test/scripts/complete-in-zsh.zsh', line], { encoding: 'utf8', timeout: 20_000 })
    .split(/[\r\n]+/)
    .flatMap((shown) => /offered:(.*)$/.exec(shown)?.[1] ?? [])

describe.skipIf(!hasZsh)('completion in zsh', () => {
  it.each([
    ['run-archiver art', ['artdaq']],
    ['run-archiver artdaq rep', ['repair']],
    ['run-archiver artdaq export --t', ['--to']],
    ['run_archiver.sh config.yaml --incr', ['--incremental']],
    ['run-archiver extract 12 --from ', ['archive', 'artdaq']],
    ['run-archiver config.exam', ['config.example.yaml']],
  ])('of "%s" is %j', (line, completions) => {
    expect(completeInZsh(line).toSorted()).toEqual(completions)
  })
})

const completeInFish = (line: string): string[] =>
  execFileSync(
    'fish',
    ['--no-config', '-c', 'source docs/completions/run-archiver.fish; complete -C $argv[1]', line],
    {
      encoding: 'utf8',
    },
  )
    .trim()
    .split('\n')
    .map((found) => found.split('\t')[0] ?? '')

describe.skipIf(spawnSync('fish', ['--version']).status !== 0)('completion in fish', () => {
  it.each([
    ['run-archiver art', ['artdaq']],
    ['run-archiver artdaq rep', ['repair']],
    ['run-archiver fhicl ', ['from-json', 'to-json']],
    ['run-archiver artdaq export --t', ['--to']],
    ['run-archiver config.yaml --incr', ['--incremental']],
    ['run-archiver --config config.yaml --incr', ['--incremental']],
    ['run_archiver.sh config.yaml --incr', ['--incremental']],
    ['run-archiver extract 12 --from ', ['archive', 'artdaq']],
    ['run-archiver scrub --he', ['--help']],
  ])('of "%s" is %j', (line, completions) => {
    expect(completeInFish(line).toSorted()).toEqual(completions)
  })
})

describe.each([
  ['bash', existsSync('/bin/bash'), (line: string) => complete(...line.split(' '))],
  ['zsh', hasZsh, completeInZsh],
  ['fish', spawnSync('fish', ['--version']).status === 0, completeInFish],
] as const)('in %s', (_shell, isHere, completed) => {
  const offered = Object.entries(OFFERED)
  it.runIf(isHere).each(offered.filter(([words]) => words.includes('--')))(
    'the values of "%s" are offered behind it, and nothing else',
    (words, values) => {
      expect(completed(`run-archiver ${words} `).toSorted()).toEqual(values.toSorted())
    },
  )
  it.runIf(isHere).each(offered.filter(([words]) => !words.includes('--')))(
    'the words that "%s" takes are offered among its options',
    (words, values) => {
      expect(completed(`run-archiver ${words} `)).toEqual(expect.arrayContaining([...values]))
    },
  )
})

it('every option and argument whose values are offered is one of the program', () => {
  const known = commandPages().flatMap(({ name, options, arguments: declared }) => [
    ...options.map(({ long }) => `${name} ${long}`),
    ...(declared.length > 0 ? [name] : []),
  ])
  expect(Object.keys(OFFERED).filter((words) => !known.includes(words))).toEqual([])
})

const optionsOf = (name: string): readonly string[] => {
  const page = commandPages().find((one) => one.name === name)
  return [...(page?.options ?? []).map(({ long }) => long), '--help'].toSorted()
}

describe.skipIf(spawnSync('fish', ['--version']).status !== 0)('an option in fish', () => {
  // The last word of each is also a command of its own, with other options.
  it.each(['audit', 'records audit', 'rows verify', 'track init', 'track history', 'history show'])(
    'is offered behind "%s" where that command has it, and no other',
    (name) => {
      expect(completeInFish(`run-archiver ${name} --`).toSorted()).toEqual(optionsOf(name))
    },
  )
  it('is offered for the program itself, behind a configuration too', () => {
    expect(completeInFish('run-archiver config.yaml --').toSorted()).toEqual(optionsOf(''))
  })
  it('of one command brings no commands of another', () => {
    const offered = completeInFish('run-archiver track history ')
    expect(offered).not.toEqual(expect.arrayContaining(['prune']))
  })
})

describe.skipIf(spawnSync('man', ['--version']).status !== 0)('the man page', () => {
  it('has no mistake that man would tell of', () => {
    const { stderr, stdout } = spawnSync('man', ['--warnings', '-l', 'docs/run-archiver.1'], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(stdout).toContain('EXIT STATUS')
  })
})
