import { commandLine } from './command-line.ts'
import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runProgram } from './site.ts'

const page = readFileSync('docs/OPERATIONS.md', 'utf8')

/** The commands of a scenario, as they stand on the page. */
const commandsOf = (scenario: number): string => {
  const chapter = page.split(/^### /m).find((text) => text.startsWith(`Scenario ${scenario}:`))
  return /^```sh\n([\s\S]*?)^```/m.exec(chapter ?? '')![1]!
}

let site: string
beforeEach(() => {
  site = mkdtempSync(join(tmpdir(), 'operations-'))
  symlinkSync(resolve('scripts/run_archiver.sh'), join(site, 'run_archiver.sh'))
  configure('config.yaml', 'work')
  for (let run = 101; run <= 110; run++) record(run)
})
afterEach(() => rmSync(site, { recursive: true, force: true }))

const configure = (name: string, work: string): void =>
  writeFileSync(
    join(site, name),
    `app: {work_dir: ${work}, batch_size: 0}
source_files: {run_records_dir: run_records, settle_seconds: 0}
artdaq_db: {database_uri: "filesystemdb://\${config_dir}/artdaqdb"}
ucon_db: {server_url: "file://\${config_dir}/archive"}
`,
  )

const record = (run: number, name = String(run)): void => {
  const folder = join(site, 'run_records', name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'comp01.fcl'), `run: ${run}\n`)
  writeFileSync(
    join(folder, 'metadata.txt'),
    'Config name: demo\n\nDAQInterface start time: Fri Nov 20 10:00:00 2026\n\nDAQInterface stop time: Fri Nov 20 11:00:00 2026\n',
  )
}

/** Runs shell commands in the site, as a person would; systemctl is none of this machine's. */
const shell = (commands: string) =>
  spawnSync('bash', ['-c', `systemctl() { echo "systemctl $*"; }\n${commands}`], {
    cwd: site,
    encoding: 'utf8',
    env: { ...process.env, WORK: join(site, 'work') },
  })
/** What only makes a scenario ready, or looks at what came of it: not as a person would, but in a thread. */
const archiver = (...words: string[]) =>
  runProgram(words.map((word) => (word.endsWith('.yaml') ? join(site, word) : word)))
const stateOf = (stage: string): unknown =>
  JSON.parse(readFileSync(join(site, 'work', `${stage}_state.json`), 'utf8'))
const failuresOf = (stage: string): string =>
  readFileSync(join(site, 'work', `${stage}_failures.log`), 'utf8')
const whole = { last_contiguous_run: 110, last_attempted_run: 110 }

/** What must hold after each scenario: every run is archived, and nothing is amiss. */
const expectAllIsWell = (): void => {
  expect(archiver('audit', '--config', 'config.yaml').status).toBe(0)
  const { status, stdout } = archiver('config.yaml', '--report-status', '--compare-state', '--check')
  expect(stdout).toContain('All systems are synchronized')
  expect(status).toBe(0)
  expect(stateOf('importer')).toEqual(whole)
  expect(stateOf('migrator')).toEqual(whole)
}

describe('the commands of the operations guide', () => {
  it('scenario 1: take over what a machine already holds, and archive what is missing', () => {
    archiver('config.yaml', '--runs', '101-104,106,110')
    archiver('config.yaml', '--migrate-only', '--runs', '101-103')
    rmSync(join(site, 'work'), { recursive: true })
    const { status, stdout } = shell(`set -e\n${commandsOf(1)}`)
    expect(stdout).toContain('IMPORT STATE RECOVERY COMPLETE')
    expect(stdout).toContain('Missing runs: 4')
    expect(stdout).toContain('systemctl enable --now run-record-archiver.timer')
    expect(status).toBe(0)
    expectAllIsWell()
  })
  it('scenario 2: a damaged state file is kept, and made anew', () => {
    archiver('config.yaml')
    writeFileSync(join(site, 'work', 'importer_state.json'), '{corrupted data')
    const { status, stdout } = shell(`set -e\n${commandsOf(2)}`)
    expect(status).toBe(0)
    expect(stdout).toContain('{corrupted data')
    const kept = readdirSync(join(site, 'work')).filter((name) =>
      /^importer_state\.json\.(?:bak|corrupt)-/.test(name),
    )
    expect(kept).toHaveLength(1)
    expect(readFileSync(join(site, 'work', kept[0]!), 'utf8')).toBe('{corrupted data')
    expectAllIsWell()
  })
  it('scenario 3: a gap is filled when its cause is gone', () => {
    for (const run of [101, 103, 107]) record(run, `000${run}`)
    expect(archiver('config.yaml').status).toBe(1)
    expect(failuresOf('import')).toBe('101\n103\n107\n')
    expect(stateOf('importer')).toEqual({ last_contiguous_run: 102, last_attempted_run: 110 })
    const [look, cure] = [commandsOf(3).split('# 2.')[0]!, `# 2.${commandsOf(3).split('# 2.')[1]!}`]
    expect(shell(look).stdout).toContain('claimed by two folders')
    for (const run of [101, 103, 107]) rmSync(join(site, 'run_records', `000${run}`), { recursive: true })
    expect(shell(`set -e\n${cure}`).status).toBe(0)
    expect(failuresOf('import')).toBe('')
    expectAllIsWell()
  })
  it('scenario 4: what others stored is taken over', () => {
    archiver('config.yaml', '--runs', '101-104')
    configure('other.yaml', 'elsewhere')
    archiver('other.yaml', '--import-only', '--runs', '105-110')
    expect(shell(`set -e\n${commandsOf(4)}`).status).toBe(0)
    expectAllIsWell()
  })
  it('scenario 5: after a kill the next pass goes on', async () => {
    for (let run = 111; run <= 400; run++) record(run)
    const pass = spawn(process.execPath, [resolve('dist/main.js'), 'config.yaml'], {
      cwd: site,
      stdio: 'ignore',
    })
    while (!existsSync(join(site, 'work', '.archiver.lock'))) await pause(5)
    await pause(150)
    pass.kill('SIGKILL')
    await new Promise((ended) => pass.once('exit', ended))
    const { status, stderr } = shell(`set -e\n${commandsOf(5)}`)
    expect(status, stderr.slice(-3000)).toBe(0)
    expect(archiver('audit', '--config', 'config.yaml').status).toBe(0)
    expect(stateOf('migrator')).toEqual({ last_contiguous_run: 400, last_attempted_run: 400 })
  })
})

describe('what the Python original left behind', () => {
  it('is read as it is: state without its last newline or a key, a failure log with junk, old mail settings', () => {
    archiver('config.yaml', '--runs', '101-109')
    writeFileSync(
      join(site, 'work', 'importer_state.json'),
      '{\n  "last_contiguous_run": 0,\n  "last_attempted_run": 109\n}',
    )
    writeFileSync(join(site, 'work', 'migrator_state.json'), '{"last_attempted_run": 109}')
    writeFileSync(join(site, 'work', 'import_failures.log'), '110\nnonsense\n110\n')
    writeFileSync(
      join(site, 'config.yaml'),
      `${readFileSync(join(site, 'config.yaml'), 'utf8')}reporting: {send_email_on_error: false}\napp_fuzz: {random_skip_percent: 0}\n`,
    )
    expect(archiver('config.yaml', '--retry-failed-import').status).toBe(0)
    expect(archiver('config.yaml', '--incremental').status).toBe(0)
    expectAllIsWell()
  })
})

describe('the operations guide', () => {
  it('names only flags and units that exist', () => {
    const cli = commandLine() + readFileSync('scripts/install.sh', 'utf8')
    const systemctls = ['--all', '--now', '--pipe', '--plain', '--no-legend', '--state']
    const others = [...systemctls, '--from', '--fuzzy', '--recover-*-state', '--retry-failed-*']
    for (const [flag] of page.matchAll(/--[a-z][a-z*-]+[a-z*]/g))
      if (!others.includes(flag)) expect(cli, flag).toContain(flag)
    for (const [unit] of page.matchAll(/run-record-archiver[a-z-]*\.(?:service|timer)/g))
      expect(existsSync(join('systemd', unit)), unit).toBe(true)
  })
  it('names only errors that exist', () => {
    const errors = readFileSync('src/errors.ts', 'utf8')
    for (const [, code] of page.matchAll(/`\[([A-Z_]+)\]`/g)) expect(errors).toContain(`${code}:`)
  })
})

describe('an artdaqDB that has grown too large', () => {
  it('is split by the commands of the page, and nothing is to be archived again', () => {
    archiver('config.yaml', '--incremental')
    const chapter = page
      .split(/^## /m)
      .find((text) => text.startsWith('An artdaqDB that has grown too large'))!
    const [yaml, commands] = ['yaml', 'sh'].map((language) =>
      new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'm')
        .exec(chapter)![1]!
        .replaceAll('/data/artdaq-2025', join(site, 'artdaqdb-2025'))
        .replaceAll('/data/artdaq', join(site, 'artdaqdb')),
    )
    const config = readFileSync(join(site, 'config.yaml'), 'utf8')
    writeFileSync(join(site, 'config.yaml'), config.replace(/^artdaq_db:.*\n/m, yaml!))
    const split = shell(`set -e\n${commands}`)
    expect([split.status, split.stderr]).toEqual([0, ''])
    expect(split.stdout).toContain(`5 runs moved to ${join(site, 'artdaqdb-2025')}: 101-105`)
    record(111)
    const pass = archiver('config.yaml', '--incremental')
    expect(pass.stdout).toMatch(/Import: {2}1 archived, 0 failed/)
    const audit = archiver('audit', '--deep', '--config', 'config.yaml')
    expect([audit.status, audit.stderr]).toEqual([0, ''])
  })
})
