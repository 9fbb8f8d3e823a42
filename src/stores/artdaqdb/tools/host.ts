import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ArchiverError } from '../../../errors.ts'
import { runTool, type ToolCall, type ToolResult } from './process.ts'

/** A folder on the machine where the tools run, for one call. */
export interface ToolFolder {
  /** Its path over there. */
  readonly path: string
  /** Puts the files of a local folder into it. */
  send(local: string): Promise<void>
  /** Gets its files into a local folder. */
  fetch(local: string): Promise<void>
  remove(): Promise<void>
}

/** Where artdaq's tools run: here, or on another machine through ssh. */
export interface ToolHost {
  run(program: string, words: readonly string[], signal: AbortSignal | undefined): Promise<ToolResult>
  folder(signal: AbortSignal): Promise<ToolFolder>
}

export interface HostOptions {
  /** `ARTDAQ_DATABASE_URI`; it may hold a password, so it stands in no argument of any process. */
  readonly uri: string
  /** The folder of the tools; empty where they are looked for in PATH. */
  readonly toolsDir: string
  readonly env: Readonly<Record<string, string>>
  readonly timeoutSeconds: number
}

export const localHost = ({ uri, toolsDir, env, timeoutSeconds }: HostOptions): ToolHost => ({
  run: (program, words, signal) =>
    runTool({
      program: toolsDir === '' ? program : join(toolsDir, program),
      arguments: words,
      env: { ...env, ARTDAQ_DATABASE_URI: uri },
      timeoutSeconds,
      signal,
    }),
  folder: async () => {
    const path = await mkdtemp(join(tmpdir(), 'run-archiver-'))
    return {
      path,
      send: (local) => cp(local, path, { recursive: true }),
      fetch: (local) => cp(path, local, { recursive: true }),
      remove: () => rm(path, { recursive: true, force: true }),
    }
  },
})

/** Host keys are checked, nothing is asked, and a host that does not answer is given up soon. */
const SSH = ['-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes', '-o', 'ConnectTimeout=15']

/**
 * The tools on another machine. ssh hands one string to a shell over there, so each word is put in single quotes; the
 * URI comes through standard input. The exit code is the tool's own: nothing runs after it in the same call.
 */
export const remoteHost = (host: string, options: HostOptions): ToolHost => {
  requireHostName(host)
  const call = (
    program: string,
    words: readonly string[],
    input: string,
    signal?: AbortSignal,
  ): ToolCall => ({
    program,
    arguments: words,
    env: options.env,
    input,
    timeoutSeconds: options.timeoutSeconds,
    signal,
  })
  const ssh = async (command: string, input: string, signal?: AbortSignal): Promise<ToolResult> =>
    reached(await runTool(call('ssh', [...SSH, '--', host, command], input, signal)), host)
  const copy = async (from: string, to: string, signal: AbortSignal): Promise<void> => {
    const { code, stderr } = await runTool(call('scp', [...SSH, '-q', '-r', '--', from, to], '', signal))
    if (code !== 0) throw new ArchiverError('STORE_UNAVAILABLE', `scp ${from} ${to}: ${lastLine(stderr)}`)
  }
  return {
    run: (program, words, signal) => {
      const tool = options.toolsDir === '' ? program : join(options.toolsDir, program)
      const command = `IFS= read -r ARTDAQ_DATABASE_URI && export ARTDAQ_DATABASE_URI && exec ${quoted([tool, ...words])}`
      return ssh(command, `${options.uri}\n`, signal)
    },
    folder: async (signal) => {
      const { stdout } = await ssh('exec mktemp -d /tmp/run-archiver-XXXXXXXXXX', '', signal)
      const path = stdout.trim()
      if (!/^\/tmp\/run-archiver-[A-Za-z0-9]{10}$/.test(path))
        throw new ArchiverError('STORE_UNAVAILABLE', `${host}: no temporary folder: ${lastLine(stdout)}`)
      return {
        path,
        send: (local) => copy(`${local}/.`, `${host}:${path}`, signal),
        fetch: (local) => copy(`${host}:${path}/.`, local, signal),
        remove: async () => {
          await ssh(`exec rm -r -- ${quoted([path])}`, '')
        },
      }
    },
  }
}

/** Words for a POSIX shell, each one exactly itself. */
export const quoted = (words: readonly string[]): string =>
  words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')

export const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.trim() ?? ''

function reached(result: ToolResult, host: string): ToolResult {
  if (result.code !== 255) return result
  throw new ArchiverError('STORE_UNAVAILABLE', `ssh ${host}: ${lastLine(result.stderr)}`, {
    hint: `ssh ${host} must work without questions for this user; its host key must be known`,
  })
}

function requireHostName(host: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._@-]*$/.test(host)) return
  throw new ArchiverError('CONFIG_INVALID', `artdaq_db.remote_host: ${JSON.stringify(host)} is no host name`)
}
