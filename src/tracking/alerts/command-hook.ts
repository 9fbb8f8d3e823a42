import { spawn } from 'node:child_process'
import type { Channel } from './alerts.ts'
import type { PassWatcher } from './pass-watchers.ts'

/** `reporting.command`: each a line for `/bin/sh`. */
export interface CommandHooks {
  readonly before: string | undefined
  readonly after: string | undefined
  readonly onError: string | undefined
  readonly onAlert: string | undefined
}

type Env = Readonly<Record<string, string | undefined>>

/** Variables of ours that a hook gets; no others, for they may hold passwords. */
const PASSED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'] as const

/** Runs commands before and after a pass, and after one that failed. They get `ARCHIVER_*` variables and, at the end, text on standard input. */
export const commandWatcher = (hooks: CommandHooks, env: Env): PassWatcher => ({
  name: 'command hook',
  began: (pass, signal) => run(hooks.before, { ...facts(pass), ARCHIVER_EVENT: 'before' }, '', env, signal),
  ended: async (pass, signal) => {
    const given = {
      ...facts(pass),
      ARCHIVER_EXIT_CODE: String(pass.exitCode),
      ARCHIVER_SIGNAL: pass.signal ?? '',
    }
    const isFailed = pass.exitCode !== 0 && pass.signal === undefined
    try {
      if (isFailed) await run(hooks.onError, { ...given, ARCHIVER_EVENT: 'error' }, pass.text, env, signal)
    } finally {
      await run(hooks.after, { ...given, ARCHIVER_EVENT: 'after' }, pass.text, env, signal)
    }
  },
})

/** Runs a command for each alert: exit code 0 means that somebody was notified. */
export const commandChannel = (line: string, env: Env): Channel => ({
  name: 'command hook',
  send: (message, signal) =>
    run(
      line,
      {
        ARCHIVER_EVENT: 'alert',
        ARCHIVER_ALERT: message.key,
        ARCHIVER_SEVERITY: message.severity,
        ARCHIVER_TITLE: message.title,
        ARCHIVER_HOST: message.host,
        ARCHIVER_TIME: message.time,
      },
      `${message.title}\n${message.lines.join('\n')}\n`,
      env,
      signal,
    ),
})

const facts = (pass: {
  readonly runId: string
  readonly task: string
  readonly host: string
  readonly time: string
}) => ({
  ARCHIVER_RUN_ID: pass.runId,
  ARCHIVER_TASK: pass.task,
  ARCHIVER_HOST: pass.host,
  ARCHIVER_TIME: pass.time,
})

/** In a process group of its own, which is killed when the time is over, with all that it started. */
const run = (
  line: string | undefined,
  given: Readonly<Record<string, string>>,
  input: string,
  env: Env,
  signal: AbortSignal,
): Promise<void> => {
  if (line === undefined) return Promise.resolve()
  const passed = PASSED.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]))
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', line], {
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { ...Object.fromEntries(passed), ...given },
    })
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-500)))
    child.stdin.on('error', () => undefined) // a command need not read
    child.stdin.end(input)
    const stop = (): void => {
      if (child.pid !== undefined)
        try {
          process.kill(-child.pid, 'SIGKILL')
        } catch {
          // It has ended.
        }
    }
    signal.addEventListener('abort', stop, { once: true })
    child.once('error', reject)
    child.once('exit', (code, by) => {
      signal.removeEventListener('abort', stop)
      child.stderr.destroy() // what it left behind may hold the pipe open
      if (code === 0) resolve()
      else reject(new Error(`${by ? `it was ended by ${by}` : `exit code ${code}`} ${errors.trim()}`.trim()))
    })
  })
}
