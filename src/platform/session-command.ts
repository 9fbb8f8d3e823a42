import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:os'

/** How a command ended: by its exit code, by a signal, or not begun at all. */
export interface Ended {
  readonly exitCode: number
  readonly signal: NodeJS.Signals | undefined
  readonly error: NodeJS.ErrnoException | undefined
}

/** Hears a piece of output, after it was passed on; `isOutput` is false for standard error. */
export type Listener = (piece: Buffer, isOutput: boolean) => void

export interface SessionCommand {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  /** To the command and everything that it started. */
  kill(signal: NodeJS.Signals): void
  /** Hears all output from the first byte on: what came before somebody listened was kept. */
  listen(listener: Listener): void
}

/** A command that was started before the program was loaded, and that a signal reaches already. */
export interface EarlyCommand {
  readonly runId: string
  readonly command: SessionCommand
  /** The first signal that came, and that the command has had. */
  asked(): NodeJS.Signals | undefined
  /** Whether `take` was called. */
  taken(): boolean
  /** From here on the caller passes signals on. */
  take(): void
  /** Waits for the command, where it cannot be tracked, and gives its exit code. */
  alone(why: string): Promise<number>
}

/** The shell's codes for a command that cannot be started. */
const NOT_FOUND = 127
const NOT_RUNNABLE = 126

/**
 * Starts a command as the leader of a session of its own, so that a signal reaches all that it starts, and passes its output on in the
 * pieces in which it comes, unchanged, whether anybody listens or not.
 */
export const startCommand = (
  words: readonly string[],
  options: {
    readonly env: NodeJS.ProcessEnv
    readonly out: NodeJS.WritableStream
    readonly err: NodeJS.WritableStream
  },
): SessionCommand => {
  const [file = '', ...rest] = words
  const child = spawn(file, rest, { detached: true, stdio: ['inherit', 'pipe', 'pipe'], env: options.env })
  const kept: [Buffer, boolean][] = []
  let heard: Listener = (piece, isOutput) => void kept.push([piece, isOutput])
  const pass = (from: NodeJS.ReadableStream | null, to: NodeJS.WritableStream, isOutput: boolean): void => {
    let isGone = false
    to.on('error', () => {
      isGone = true
      from?.resume()
    })
    from?.on('data', (piece: Buffer) => {
      heard(piece, isOutput)
      // A reader that is slow slows the command down, as without us; one that went away neither ends it nor holds it up.
      if (isGone || to.write(piece)) return
      from.pause()
      to.once('drain', () => from.resume())
    })
  }
  pass(child.stdout, options.out, true)
  pass(child.stderr, options.err, false)
  return {
    process: child,
    ended: endOf(child),
    kill: (signal) => killGroup(child, signal),
    listen: (listener) => {
      heard = listener
      for (const [piece, isOutput] of kept.splice(0)) listener(piece, isOutput)
    },
  }
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
