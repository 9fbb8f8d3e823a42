import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { shellWord } from '../common/own-command.ts'

/** What the program was started with. */
export interface Start {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The file that `node` was given, as it was named: a link of `npm install -g` keeps its name. */
  readonly script: string
  readonly pid: number
  readonly user: string
}

/**
 * The words that start this program again with the same surroundings, for the commands that it recommends: `run_archiver.sh` where that started it
 * (it loads archiver.env), a transient unit with the same user, variables and credentials where systemd did, else `run-archiver` or `node FILE`.
 */
export const programOf = ({ env, script, pid, user }: Start): string => {
  const starter = env['RUN_ARCHIVER_STARTED_BY']
  if (starter !== undefined && starter !== '') return shellWord(starter)
  const direct = directly(script, env['PATH'] ?? '')
  // A unit's own process; what a person starts inherits the other variables, and not this one's value.
  if (env['SYSTEMD_EXEC_PID'] !== String(pid)) return direct
  const folder = '/etc/run-record-archiver'
  return [
    `sudo systemd-run --pipe --wait -p User=${shellWord(user)} -p EnvironmentFile=-${folder}/archiver.env`,
    ...(env['CREDENTIALS_DIRECTORY'] ? [`-p LoadCredential=run-archiver:${folder}/credentials`] : []),
    direct,
  ].join(' ')
}

const directly = (script: string, path: string): string => {
  const own = realOf(script)
  const named = path
    .split(':')
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, 'run-archiver'))
    .find((file) => existsSync(file))
  if (named !== undefined && dirname(realOf(named)) === dirname(own)) return 'run-archiver'
  return /\.[cm]?js$/.test(script) ? `node ${shellWord(script)}` : shellWord(script)
}

const realOf = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
