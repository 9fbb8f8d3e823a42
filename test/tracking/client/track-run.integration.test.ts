import { spawn, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFile } from '../../../src/sql/libsql-database.ts'

const folder = mkdtempSync(join(tmpdir(), 'track-run-'))
const config = join(folder, 'track.yaml')
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(MONITOR|TASKER)_DB_/.test(name)),
)
const PROGRAM = resolve('dist/main.js')
beforeAll(() => {
  writeFileSync(
    config,
    // Progress may wait; a sign of life does not.
    `app:\n    work_dir: ${folder}\nledger:\n    url: sqlite:ledger.db\n    heartbeat_seconds: 1\ntracking:\n    flush_ms: 60000\n`,
  )
  const { status, stderr } = spawnSync(
    process.execPath,
    [PROGRAM, 'track', 'migrate-schema', '--config', config],
    { env },
  )
  if (status !== 0) throw new Error(stderr.toString())
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const query = (statement: string): Record<string, unknown>[] => {
  const database = openFile(join(folder, 'ledger.db'), 5000)
  try {
    return database.prepare(statement).all([]) as Record<string, unknown>[]
  } finally {
    database.close()
  }
}
const until = async <T>(look: () => T | undefined): Promise<T> => {
  for (;;) {
    const found = look()
    if (found !== undefined) return found
    await new Promise((done) => setTimeout(done, 50))
  }
}
/** A command that is run by `track run`, and how that ends. */
const start = (task: string, script: string) => {
  const words = [PROGRAM, 'track', 'run', '--config', config, '--task-name', task, '--', 'sh', '-c', script]
  const child = spawn(process.execPath, words, { env, stdio: 'ignore' })
  return { child, ended: new Promise<number | null>((done) => child.once('exit', done)) }
}
const rowOf = (task: string) => query(`SELECT * FROM executions WHERE task_name = '${task}'`)[0]
const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
const pidIn = (file: string): Promise<number> =>
  until(() =>
    existsSync(file) && readFileSync(file, 'utf8').endsWith('\n')
      ? Number(readFileSync(file, 'utf8'))
      : undefined,
  )

describe('track run', () => {
  it('measures the whole process group', async () => {
    // The load is in a grandchild.
    const { child, ended } = start('busy', `sh -c 'while :; do :; done' & echo $! > ${folder}/busy; wait`)
    await until(() => query(`SELECT * FROM process_metrics WHERE cpu_percent > 5 AND memory_mb >= 1`)[0])
    child.kill('SIGTERM')
    expect(await ended).toBe(143)
    expect(rowOf('busy')).toMatchObject({ execution_status: 'CANCELLED', end_reason: 'signal' })
    expect(Number(rowOf('busy')?.['peak_memory_mb'])).toBeGreaterThan(0)
  })
  it('counts files and threads of all its processes, and the items that it reports', async () => {
    const held = 'exec 7</dev/null 8</dev/null 9</dev/null'
    const { child, ended } = start(
      'counted',
      `echo ::step a; echo ::progress 3/8; echo ::end; echo ::step b; echo ::progress 4/8; (${held}; sleep 600 & sleep 600; true) & wait`,
    )
    const row = await until(
      () => query(`SELECT * FROM process_metrics WHERE threads >= 4 AND rows_processed = 7`)[0],
    )
    child.kill('SIGTERM')
    expect(await ended).toBe(143)
    // sh, its subshell and two sleeps, one thread each, with three standard files each, and three that were opened by two or three of them.
    expect(row['threads']).toBe(4)
    expect(Number(row['open_files'])).toBeGreaterThanOrEqual(4 * 3 + 3 * 3)
  })
  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('passes %s to all that its command started', async (signal, code) => {
    const file = join(folder, signal)
    const { child, ended } = start(signal, `sh -c 'echo $$ > ${file}; exec sleep 600'; true`)
    const pid = await pidIn(file)
    child.kill(signal)
    expect(await ended).toBe(code)
    await until(() => (isThere(pid) ? undefined : true))
    expect(rowOf(signal)).toMatchObject({
      ...{ execution_status: 'CANCELLED', end_reason: 'signal', exit_code: code },
      error_message: `Process terminated by ${signal} signal`,
    })
  })
  it('ends its command when somebody asks it to', async () => {
    const { ended } = start('asked', 'sleep 600')
    const id = await until(() => rowOf('asked')?.['run_id'] as string | undefined)
    const asked = spawnSync(process.execPath, [PROGRAM, 'track', 'cancel', id, '--config', config], { env })
    expect(asked.status).toBe(0)
    expect(await ended).toBe(143)
    expect(rowOf('asked')).toMatchObject({ execution_status: 'CANCELLED', end_reason: 'user' })
  })
  it('starts its command before the program is loaded: without the rest of it too', () => {
    const bare = join(folder, 'bare')
    mkdirSync(bare)
    for (const name of ['main.js', 'early-command.cjs', 'package.json'])
      copyFileSync(resolve('dist', name), join(bare, name))
    const words = ['track', 'run', '--task-name', 'alone', '--', 'sh', '-c', 'echo here; exit 7']
    const ran = spawnSync(process.execPath, [join(bare, 'main.js'), ...words], { env, encoding: 'utf8' })
    expect(ran).toMatchObject({ status: 7, stdout: 'here\n' })
    expect(ran.stderr).toMatch(/^Warning: Failed to initialize status tracking: .*load-program\.cjs/)
  })
  it('starts nothing where a flag has a slip in it', () => {
    const file = join(folder, 'started')
    const words = ['track', 'run', '--task-nam', 'x', '--', 'touch', file]
    expect(spawnSync(process.execPath, [PROGRAM, ...words], { env }).status).toBe(64)
    expect(existsSync(file)).toBe(false)
  })
  it('says 127 for a command that is not there', () => {
    const words = ['track', 'run', '--config', config, '--task-name', 'no_file', '--', 'no-such-command-here']
    const ran = spawnSync(process.execPath, [PROGRAM, ...words], { env, encoding: 'utf8' })
    expect(ran).toMatchObject({ status: 127, stdout: '' })
    expect(rowOf('no_file')).toMatchObject({ execution_status: 'FAILED', exit_code: 127 })
  })
  it('passes megabytes of output on unchanged, and keeps them all in the log', () => {
    const script = 'i=0; while [ $i -lt 4 ]; do seq 1 200000; seq 1 1000 >&2; i=$((i+1)); done'
    const words = ['track', 'run', '--config', config, '--task-name', 'much', '--', 'sh', '-c', script]
    const most = { maxBuffer: 64 * 1024 * 1024 }
    const bare = spawnSync('sh', ['-c', script], most)
    const ran = spawnSync(process.execPath, [PROGRAM, ...words], { env, ...most })
    expect(ran.status).toBe(0)
    expect(ran.stdout.equals(bare.stdout)).toBe(true)
    expect(ran.stderr.equals(bare.stderr)).toBe(true)
    const log = readFileSync(String(rowOf('much')?.['log_path']))
    expect(log.length).toBe(bare.stdout.length + bare.stderr.length)
  })
  it('lets its command end where nobody reads the output any more', () => {
    const file = join(folder, 'went-on')
    const script = `seq 1 300000; touch ${file}; exit 5`
    const line = `node ${PROGRAM} track run --config ${config} --task-name unread -- sh -c '${script}' | head -1`
    const ran = spawnSync('sh', ['-c', line], { env, encoding: 'utf8', timeout: 30_000 })
    expect(ran.stdout).toBe('1\n')
    expect(existsSync(file)).toBe(true)
    expect(rowOf('unread')).toMatchObject({ exit_code: 5 })
  })
})

it('runs its command where the system refuses the folder of its spool, and says why nothing is reported', () => {
  const words = [PROGRAM, 'track', 'run', '--task-name', 'refused', '--', 'sh', '-c', 'echo out; exit 3']
  const refused = {
    ...env,
    MONITOR_DB_HOST: '127.0.0.1',
    MONITOR_DB_PORT: '1',
    MONITOR_DB_USER: 'nobody',
    MONITOR_DB_NAME: 'nothing',
    MONITOR_SPOOL_DIR: '/proc/nothing',
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    env: refused,
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  })
  expect({ status, stdout }).toEqual({ status: 3, stdout: 'out\n' })
  expect(stderr).toContain("ENOENT: no such file or directory, mkdir '/proc/nothing'")
})

it('says which words `track list --status` takes, instead of finding nothing', () => {
  const list = (status: string) =>
    spawnSync(process.execPath, [PROGRAM, 'track', 'list', '--status', status, '--config', config], {
      env,
      encoding: 'utf8',
    })
  const wrong = list('finished,BLA')
  expect(wrong.status).toBe(64)
  expect(wrong.stderr).toContain('"BLA" must be one of STARTED, RUNNING, FINISHED, FAILED, CANCELLED')
  expect(list('finished,failed').status).toBe(0)
})
