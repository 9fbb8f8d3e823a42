import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs'
import { constants } from 'node:os'
import { dirname } from 'node:path'
import { openForAppend } from '../../platform/own-file.ts'

/** How a command ended: by its exit code, by a signal, or not begun at all. */
export interface Ended {
  readonly exitCode: number
  readonly signal: NodeJS.Signals | undefined
  readonly error: NodeJS.ErrnoException | undefined
}

export interface Command {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  /** To the command and everything that it started. */
  kill(signal: NodeJS.Signals): void
}

/** The shell's codes for a command that cannot be started. */
const NOT_FOUND = 127
const NOT_RUNNABLE = 126

/**
 * Starts a command as the leader of a session of its own, so that a signal reaches all that it starts, and passes its output on in the
 * pieces in which it comes, unchanged. `seen` gets every piece of standard output.
 */
export const startCommand = (
  words: readonly string[],
  options: {
    readonly env: NodeJS.ProcessEnv
    readonly out: NodeJS.WritableStream
    readonly err: NodeJS.WritableStream
    readonly seen: (piece: Buffer) => void
    readonly captured: (piece: Buffer) => void
  },
): Command => {
  const [file = '', ...rest] = words
  const child = spawn(file, rest, { detached: true, stdio: ['inherit', 'pipe', 'pipe'], env: options.env })
  const pass = (
    from: NodeJS.ReadableStream | null,
    to: NodeJS.WritableStream,
    seen: (piece: Buffer) => void,
  ): void => {
    from?.on('data', (piece: Buffer) => {
      options.captured(piece)
      seen(piece)
      // A reader that is slow slows the command down, as without us; one that went away does not end it.
      if (to.write(piece)) return
      from.pause()
      to.once('drain', () => from.resume())
    })
  }
  pass(child.stdout, options.out, options.seen)
  pass(child.stderr, options.err, () => undefined)
  return { process: child, ended: endOf(child), kill: (signal) => killGroup(child, signal) }
}

/** Milliseconds after the command's end for output of what it left behind: a daemon that keeps the pipe open must not keep us. */
const LATE_OUTPUT = 1000

const endOf = (child: ChildProcess): Promise<Ended> =>
  new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const exitCode = error.code === 'ENOENT' ? NOT_FOUND : NOT_RUNNABLE
      resolve({ exitCode, signal: undefined, error })
    })
    const settle = (code: number | null, signal: NodeJS.Signals | null): void =>
      resolve({
        exitCode: code ?? 128 + (signal ? constants.signals[signal] : 0),
        signal: signal ?? undefined,
        error: undefined,
      })
    child.once('close', settle)
    child.once('exit', (code, signal) => setTimeout(settle, LATE_OUTPUT, code, signal).unref())
  })

const killGroup = (child: ChildProcess, signal: NodeJS.Signals): void => {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // Everybody has ended already.
  }
}

/** The file that keeps a copy of the output; undefined where it cannot be made, which costs the copy only. */
export const openLog = (path: string, failed: (error: Error) => void): WriteStream | undefined => {
  let fd: number
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 })
    fd = openForAppend(path, { operatorChosen: true })
  } catch (error) {
    failed(error as Error)
    return undefined
  }
  const log = createWriteStream(path, { fd })
  log.on('error', failed)
  return log
}
