import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Served, TOKEN } from '../web/served.ts'

const served = new Served()
beforeAll(() => served.start())
afterAll(() => served.remove())

const PROGRAM = resolve('dist/main.js')
/** An environment in which only the service is known. `folder` holds the spool. */
const envOf = (folder: string, url = served.url, token = TOKEN): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MONITOR|TASKER)_/.test(name))),
  MONITOR_DB_CONN: url,
  MONITOR_TOKEN: token,
  MONITOR_SPOOL_DIR: join(served.folder, folder),
})
const track = (env: NodeJS.ProcessEnv, ...words: string[]) =>
  spawnSync(process.execPath, [PROGRAM, 'track', ...words], { encoding: 'utf8', env, cwd: served.folder })
const query = (statement: string): Record<string, unknown>[] => served.query(statement)
const one = (task: string) => query(`SELECT * FROM executions WHERE task_name = '${task}'`)[0]
const spoolOf = (folder: string): string => join(served.folder, folder, 'tracking-spool.jsonl')

describe('a host that reaches the service only', () => {
  it('reports from a shell, step by step and through a pipe', () => {
    const env = envOf('shell')
    const id = track(env, 'init', '--task-name', 'DAILY_http', '--total-subtasks', '2').stdout.trim()
    track(env, 'enter', 'loading', '--run-id', id)
    track(env, 'progress', '3', '8', '--message', 'Alaska', '--run-id', id)
    track(env, 'exit', '--run-id', id)
    expect(track(env, 'finish', 'well', '--run-id', id)).toMatchObject({ status: 0, stderr: '' })
    expect(one('DAILY_http')).toMatchObject({
      ...{ run_id: id, task_stage: 'DAILY', execution_status: 'FINISHED', subtask_items_complete: 3 },
      overall_progress_message: 'well',
    })
    const input = '{"op":"init","task_name":"piped"}\n{"op":"enter","message":"a"}\n{"op":"finish"}\n'
    const piped = spawnSync(process.execPath, [PROGRAM, 'track', 'pipe'], { input, env, encoding: 'utf8' })
    expect(piped).toMatchObject({ status: 0, stderr: '' })
    expect(one('piped')).toMatchObject({ execution_status: 'FINISHED', subtask_name: 'a' })
    expect(
      query(`SELECT name FROM subtasks JOIN executions USING (run_id) WHERE task_name = 'piped'`),
    ).toEqual([{ name: 'a' }])
  })

  it('reports an execution that another host began', () => {
    const id = track(envOf('here'), 'init', '--task-name', 'two_hosts').stdout.trim()
    expect(track(envOf('there'), 'error', 'no disk', '--run-id', id)).toMatchObject({ status: 0, stderr: '' })
    expect(one('two_hosts')).toMatchObject({ execution_status: 'FAILED', error_message: 'no disk' })
    expect(track(envOf('there'), 'finish', '--run-id', id).stderr).toContain('it has ended')
  })

  it('runs a command, with its measurements, and ends it when somebody asks it to', async () => {
    const config = join(served.folder, 'track.yaml')
    writeFileSync(join(served.folder, 'own-token'), TOKEN, { mode: 0o600 })
    writeFileSync(
      config,
      `app: { work_dir: ${join(served.folder, 'run')} }\nledger: { heartbeat_seconds: 1 }\ntracking: { url: "${served.url}", token_file: own-token, env_allow: [KEPT], stage_patterns: { NIGHT: "^night" } }\n`,
    )
    const { MONITOR_DB_CONN: _url, MONITOR_TOKEN: _token, ...env } = envOf('run')
    const words = ['track', 'run', '--config', config, '--task-name', 'night_1', '--', 'sleep', '600']
    const child = spawn(process.execPath, [PROGRAM, ...words], {
      env: { ...env, KEPT: 'yes' },
      stdio: 'ignore',
    })
    const ended = new Promise((done) => child.once('exit', done))
    await expect.poll(() => one('night_1')?.['memory_mb'], { timeout: 15_000 }).toBeGreaterThan(0)
    expect(one('night_1')).toMatchObject({ task_stage: 'NIGHT', environment: '{"KEPT":"yes"}' })
    const asked = ['track', 'cancel', String(one('night_1')?.['run_id'])]
    spawnSync(process.execPath, [PROGRAM, ...asked], {
      env: { ...env, MONITOR_DB_CONN: `sqlite:${served.ledger}` },
    })
    expect(await ended).toBe(143)
    expect(one('night_1')).toMatchObject({ execution_status: 'CANCELLED', end_reason: 'user' })
  })

  it('goes on while the service is away or refuses the token, within two seconds, and its rows come with the next', async () => {
    const { url, port } = served
    await served.stop()
    const env = envOf('away', url)
    const began = performance.now()
    expect(track(env, 'run', '--task-name', 'away', '--', 'sh', '-c', 'exit 3').status).toBe(3)
    expect(performance.now() - began).toBeLessThan(4000)
    expect(readFileSync(spoolOf('away'), 'utf8')).toContain('"away"')
    await served.start(port)
    const refused = track(
      { ...env, MONITOR_TOKEN: 'wrong-token-000000000' },
      'run',
      '--task-name',
      'refused',
      '--',
      'true',
    )
    expect(refused).toMatchObject({ status: 0 })
    expect(refused.stderr).toContain('does not accept the token')
    expect(refused.stderr).not.toContain('wrong-token')
    expect(one('away')).toBeUndefined()
    expect(track(env, 'run', '--task-name', 'next', '--', 'true')).toMatchObject({ status: 0, stderr: '' })
    expect(one('away')).toMatchObject({ execution_status: 'FAILED', exit_code: 3 })
    expect(one('refused')).toMatchObject({ execution_status: 'FINISHED' })
    expect(existsSync(spoolOf('away'))).toBe(false)
  })

  it('reports from TypeScript, ten thousand steps too', () => {
    const script = join(served.folder, 'http.mjs')
    writeFileSync(
      script,
      `import { openTracking } from ${JSON.stringify(resolve('dist/tracking.mjs'))}
const tracking = openTracking({ url: ${JSON.stringify(served.url)}, token: ${JSON.stringify(TOKEN)}, folder: ${JSON.stringify(join(served.folder, 'ts'))} })
const execution = tracking.init({ taskName: 'library' })
for (let i = 0; i < 10_000; i++) { execution.enter('step ' + i + ' ' + 'x'.repeat(100)); execution.exit() }
execution.finish('well')
await tracking.close(20_000)
`,
    )
    const { MONITOR_DB_CONN: _url, MONITOR_TOKEN: _token, ...env } = envOf('ts')
    const ran = spawnSync(process.execPath, [script], { env, encoding: 'utf8' })
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    expect(one('library')).toMatchObject({ execution_status: 'FINISHED', current_subtask: 10_000 })
    expect(
      query(`SELECT COUNT(*) AS n FROM subtasks JOIN executions USING (run_id) WHERE task_name = 'library'`),
    ).toEqual([{ n: 10_000 }])
  })

  it('is told to read elsewhere', () => {
    const ran = track(envOf('shell'), 'list')
    expect(ran.status).toBe(1)
    expect(ran.stderr).toContain('its page shows executions')
  })
})
