import { execFile, spawnSync } from 'node:child_process'
import { ENVIRONMENT_ALLOWED, stageOf, STAGE_PATTERNS } from '../../common/stage-patterns.ts'
import { splitPath } from './place.ts'

/** What describes a task, as the library takes it. Old names of other clients are read by `readOperation`. */
export interface TaskOptions {
  readonly taskName: string
  /** How many steps there will be, where it is known. It grows when more are entered. */
  readonly totalSubtasks?: number | undefined
  /** Left out: by the patterns of the stages. */
  readonly stage?: string | undefined
  /** What it is written in: `node`, `R`, `python`, `sh`, `sql` ... */
  readonly type?: string | undefined
  readonly scriptPath?: string | undefined
  readonly scriptFile?: string | undefined
  readonly logPath?: string | undefined
  readonly logFile?: string | undefined
  /** The execution that this one is a part of. */
  readonly parentRunId?: string | undefined
  readonly argv?: string | undefined
  readonly gitCommit?: string | undefined
  /** Kept beside the allowed variables. */
  readonly environment?: Readonly<Record<string, string>> | undefined
}

/** Who runs, in the fields of `init`. */
export interface Runner {
  readonly pid: number
  readonly host: string
  readonly user: string
  readonly bootId: string
  readonly startTicks: number | undefined
}

type Env = Readonly<Record<string, string | undefined>>

export interface FactOptions {
  readonly env: Env
  readonly version: string
  readonly stagePatterns?: ReadonlyMap<string, string> | undefined
  readonly envAllow?: readonly string[] | undefined
}

/** The fields of `init`: what the pipeline said, and what can be seen of it. Only allowed variables are kept. */
export const initFields = (
  task: TaskOptions,
  runner: Runner,
  options: FactOptions,
): Record<string, unknown> => {
  const { env, version, stagePatterns = STAGE_PATTERNS, envAllow = ENVIRONMENT_ALLOWED } = options
  const script = task.scriptPath === undefined ? undefined : splitPath(task.scriptPath)
  const kept = envAllow.flatMap((name) => {
    const value = env[name]
    return value === undefined || value === '' ? [] : [[name, value] as const]
  })
  const environment = { ...Object.fromEntries(kept), ...task.environment }
  return {
    task_name: task.taskName,
    total_subtasks: task.totalSubtasks,
    stage: task.stage ?? stageOf(task.taskName, stagePatterns),
    type: task.type ?? 'node',
    script_path: task.scriptPath,
    script_file: task.scriptFile ?? script?.name,
    log_path: task.logPath,
    log_file: task.logFile ?? (task.logPath === undefined ? undefined : splitPath(task.logPath).name),
    parent_run_id: task.parentRunId ?? env['RUN_ARCHIVER_RUN_ID'],
    hostname: runner.host,
    process_id: runner.pid,
    process_start_ticks: runner.startTicks,
    boot_id: runner.bootId,
    user_name: runner.user,
    git_commit: task.gitCommit,
    environment: Object.keys(environment).length > 0 ? environment : undefined,
    argv: task.argv,
    version,
    invocation_id: env['INVOCATION_ID'],
  }
}

const HASH = /^[0-9a-f]{40,64}$/

/** The commit of the checkout that a folder lies in; undefined where there is none, no git, or none within a second. */
export const gitCommit = (folder: string): string | undefined => {
  const { status, stdout } = spawnSync('git', ['rev-parse', 'HEAD'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 1000,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const text = status === 0 ? stdout.trim() : ''
  return HASH.test(text) ? text : undefined
}

/** The same without holding up what this process passes on meanwhile. */
export const findGitCommit = (folder: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    execFile('git', ['rev-parse', 'HEAD'], { cwd: folder, timeout: 1000 }, (error, stdout) => {
      const text = stdout.trim()
      resolve(!error && HASH.test(text) ? text : undefined)
    })
  })
