import { durationText } from '../../../common/duration.ts'
import { spawn } from 'node:child_process'
import { ArchiverError, messageOf } from '../../../errors.ts'

/** A program that is started directly, never through a shell. */
export interface ToolCall {
  readonly program: string
  readonly arguments: readonly string[]
  /** The whole environment of the program. */
  readonly env: Readonly<Record<string, string>>
  /** Written to its standard input. */
  readonly input?: string | undefined
  readonly timeoutSeconds: number
  readonly signal?: AbortSignal | undefined
}

export interface ToolResult {
  /** Exit code; 128 and the number of the signal where one ended it, as a shell would say. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Of each stream so much is kept, and the program is ended when it says more: it has gone wrong. */
const MOST_OUTPUT = 64 << 20

const SIGNALS: Readonly<Record<string, number>> = {
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGABRT: 6,
  SIGTERM: 15,
}

/**
 * Runs a program to its end. Its whole process group is killed when it takes longer than allowed, says too much, or the
 * signal aborts. Throws STORE_UNAVAILABLE when it cannot be started or was killed for its time or its output.
 */
export async function runTool(call: ToolCall): Promise<ToolResult> {
  call.signal?.throwIfAborted()
  const child = spawn(call.program, call.arguments, { env: call.env, stdio: 'pipe', detached: true })
  let killed: string | undefined
  const kill = (reason: string): void => {
    killed ??= reason
    // The group, because a tool may have started others that hold its output open.
    if (child.pid !== undefined) ignoreErrors(() => process.kill(-(child.pid ?? 0), 'SIGKILL'))
  }
  const stdout = collect(child.stdout, () => kill('it said more than 64 MB'))
  const stderr = collect(child.stderr, () => kill('it said more than 64 MB'))
  const timer = setTimeout(
    () => kill(`it took longer than ${durationText(call.timeoutSeconds)}`),
    call.timeoutSeconds * 1000,
  )
  const abort = (): void => kill('the archiver is stopping')
  call.signal?.addEventListener('abort', abort)
  try {
    child.stdin.on('error', () => undefined) // a program that reads nothing closes its input early
    child.stdin.end(call.input ?? '')
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (exit, signal) => resolve(exit ?? 128 + (SIGNALS[signal ?? ''] ?? 0)))
    })
    call.signal?.throwIfAborted()
    if (killed !== undefined)
      throw new ArchiverError('STORE_UNAVAILABLE', `${call.program} was killed because ${killed}`)
    return { code, stdout: stdout(), stderr: stderr() }
  } catch (error) {
    if (error instanceof ArchiverError || call.signal?.aborted) throw error
    throw new ArchiverError('STORE_UNAVAILABLE', `${call.program} cannot be started: ${messageOf(error)}`, {
      cause: error,
      hint: 'artdaq_db.tools_dir names the folder of the tools, and its setup must be in the environment',
    })
  } finally {
    clearTimeout(timer)
    call.signal?.removeEventListener('abort', abort)
  }
}

function collect(stream: NodeJS.ReadableStream, tooMuch: () => void): () => string {
  const parts: Buffer[] = []
  let length = 0
  stream.on('data', (part: Buffer) => {
    length += part.length
    if (length <= MOST_OUTPUT) parts.push(part)
    else tooMuch()
  })
  return () => Buffer.concat(parts).toString('utf8')
}

const ignoreErrors = (work: () => void): void => {
  try {
    work()
  } catch {
    // it has ended meanwhile
  }
}
