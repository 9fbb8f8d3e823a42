import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canReceive, SystemdSocket } from '../fakes/systemd-socket.ts'

let site: string
let daemon: ChildProcess
let socket: SystemdSocket | undefined
let said = ''

const ON_DISK = 'file://${config_dir}/archive'
/** A port that nobody listens at. */
const AWAY = 'http://127.0.0.1:9/instance/app'

const configure = (server: string, more = ''): void =>
  writeFileSync(
    join(site, 'config.yaml'),
    `app: {work_dir: work, batch_size: 0, retry_delay_seconds: 0, run_process_retries: 0}
source_files: {run_records_dir: run_records, settle_seconds: 1}
artdaq_db: {database_uri: "filesystemdb://\${config_dir}/artdaqdb"}
ucon_db: {server_url: "${server}", folder_name: f, object_name: o, writer_user: u, timeout_seconds: 1}
daemon: {scan_seconds: 60}
${more}`,
  )

const record = (run: number): void => {
  const folder = join(site, 'run_records', String(run))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'comp01.fcl'), `run: ${run}\n`)
  writeFileSync(
    join(folder, 'metadata.txt'),
    'Config name: demo\n\nDAQInterface start time: a\n\nDAQInterface stop time: b\n',
  )
}

const isArchived = (run: number): boolean =>
  existsSync(join(site, 'archive', 'f', 'o', '0-999', `${run}.txt`))
const isImported = (run: number): boolean =>
  readFileSync(join(site, 'work', 'importer_state.json'), 'utf8').includes(`"last_attempted_run": ${run}`)

const until = async (holds: () => boolean): Promise<void> => {
  for (let i = 0; i < 400 && !holds(); i++) await pause(50)
  expect(holds(), said).toBe(true)
}

describe('a daemon', () => {
  beforeAll(async () => {
    site = mkdtempSync(join(tmpdir(), 'daemon-'))
    mkdirSync(join(site, 'run_records'))
    mkdirSync(join(site, 'credentials'), { mode: 0o700 })
    writeFileSync(join(site, 'credentials', 'ucon_db.writer_password'), 'canary-33\n', { mode: 0o400 })
    configure(AWAY)
    socket = canReceive ? await SystemdSocket.open(join(site, 'notify')) : undefined
    daemon = spawn(process.execPath, [resolve('dist/main.js'), 'daemon'], {
      cwd: site,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        CREDENTIALS_DIRECTORY: join(site, 'credentials'),
        ...(socket && { NOTIFY_SOCKET: join(site, 'notify'), WATCHDOG_USEC: '2000000' }),
      },
    })
    daemon.stderr!.on('data', (text: Buffer) => (said += text.toString()))
  })
  afterAll(() => {
    daemon.kill('SIGKILL')
    socket?.close()
    rmSync(site, { recursive: true, force: true })
  })

  it('imports while UconDB is away, and takes no run for failed', async () => {
    record(101)
    await until(() => existsSync(join(site, 'work', 'importer_state.json')) && isImported(101))
    await until(() => said.includes('trying again until it works'))
    expect(existsSync(join(site, 'work', 'migrate_failures.log'))).toBe(false)
  })
  it('tells of no success while a stage cannot do its work, but of why it cannot', () => {
    expect(existsSync(join(site, 'work', 'last-success.txt'))).toBe(false)
    const { stdout } = spawnSync(process.execPath, [resolve('dist/main.js'), 'history', '--json'], {
      cwd: site,
      encoding: 'utf8',
      env: { ...process.env, CREDENTIALS_DIRECTORY: join(site, 'credentials') },
    })
    const { executions } = JSON.parse(stdout) as { executions: { status: string; error: string | null }[] }
    const ended = executions.filter(({ status }) => status !== 'RUNNING')
    expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(['FAILED']))
    for (const { error } of ended) expect(error).toContain('refuses connections')
  })
  it('keeps its configuration when a faulty one is to be read', async () => {
    configure(AWAY, 'nonsense: 1\n')
    daemon.kill('SIGHUP')
    await until(() => said.includes('the old configuration stays in force'))
    expect(said).toContain('nonsense: there is no such setting')
  })
  it('goes on with a good one', async () => {
    configure(ON_DISK)
    daemon.kill('SIGHUP')
    await until(() => isArchived(101))
  })
  it('archives a record a second after it has settled', async () => {
    await pause(1500)
    const began = performance.now()
    record(102)
    await until(() => isArchived(102))
    expect(performance.now() - began).toBeGreaterThan(1000)
    expect(performance.now() - began).toBeLessThan(4000)
  })
  it('leaves the lock to others between its passes', () => {
    const { status, stdout } = spawnSync(
      process.execPath,
      [resolve('dist/main.js'), 'config.yaml', '--incremental', '--wait', '5'],
      {
        cwd: site,
        encoding: 'utf8',
      },
    )
    expect(stdout).not.toContain('LOCK_HELD')
    expect(status).toBe(0)
  })
  it('ends in order when it is asked to', async () => {
    const ended = new Promise((resolve) => daemon.once('exit', resolve))
    await pause(1000)
    daemon.kill('SIGTERM')
    expect(await ended).toBe(143)
    expect(existsSync(join(site, 'work', '.archiver.lock'))).toBe(false)
  })
  it('told systemd of all of it, in order, and of its life in between', ({ skip }) => {
    if (!socket) return skip()
    const told = socket.messages
    const events = told
      .map((message) => message.split('=')[0]!)
      .filter((name) => !['STATUS', 'WATCHDOG'].includes(name))
    expect(events).toEqual(['READY', 'RELOADING', 'READY', 'RELOADING', 'READY', 'STOPPING'])
    const statuses = told.filter((message) => message.startsWith('STATUS='))
    expect(statuses.some((status) => /next try in \d+ s/.test(status))).toBe(true)
    expect(statuses.at(-1)).toMatch(/^STATUS=archived 2, 0 pending, 0 failed, last success \d\d:\d\d$/)
    expect(told.filter((message) => message === 'WATCHDOG=1').length).toBeGreaterThan(3)
  })
  it('never told the password', () => {
    expect(said + (socket?.messages ?? []).join()).not.toContain('canary-33')
  })
})
