import { setMaxListeners } from 'node:events'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { asksForJson, documentOutput } from './cli/failure-document.ts'
import { printFailure } from './cli/print-failure.ts'
import { colored, colorWish } from './common/colors.ts'
import { identity } from './platform/host.ts'
import type { EarlyCommand } from './platform/session-command.ts'
import type { Context } from './app/context.ts'
import { programOf } from './app/started.ts'

/** Three SIGINT within this time, in milliseconds, end the process at once. */
const IMPATIENCE = 2000

/** One stop may arrive as two signals: timeout(1) sends SIGTERM to its command and then to the group that it is in. Milliseconds. */
const SAME_STOP = 100

/** How long the end after a signal may take, in seconds, where nothing hangs and the machine is busy: the exit code is worth that. */
const ORDERLY = 5

// All runs, probes and requests in hand listen to the same few signals. Node takes more than ten for a leak, and says so to the user.
setMaxListeners(0)

const stop = new AbortController()
let hangup: (() => void) | undefined

const dieAt = (): never => {
  process.kill(process.pid, 'SIGKILL')
  throw new Error('unreachable')
}

/** Ends at once. A thread that hangs in a read would hold `exit` up for ever, so a child sees to it that the process ends, after `patience` seconds. */
const endNow = (code: typeof process.exitCode, patience = 1): never => {
  const { spawn } = process.getBuiltinModule('node:child_process')
  // Its standard input closes with this process: then there is nobody to kill.
  const kill = `timeout ${patience} cat; case $? in 124 | 143) kill -9 ${process.pid} ;; esac`
  spawn('/bin/sh', ['-c', kill], { stdio: ['pipe', 'ignore', 'ignore'], detached: true }).unref()
  return process.exit(code)
}

let interrupts: number[] = []
process.on('SIGINT', () => {
  const at = performance.now()
  interrupts = [...interrupts.filter((earlier) => at - earlier < IMPATIENCE), at]
  if (interrupts.length >= 3) endNow(130)
  stop.abort('SIGINT')
})
// The second counts whatever came before the first: an operator's Ctrl-C, or the terminal that went away.
let terminatedAt: number | undefined
process.on('SIGTERM', () => {
  terminatedAt ??= performance.now()
  if (performance.now() - terminatedAt > SAME_STOP) endNow(143)
  stop.abort('SIGTERM')
})
process.on('SIGHUP', () => {
  if (hangup) hangup()
  else stop.abort('SIGHUP')
})
// A reader that went away (`| head -1`) is no reason to leave a pass half done.
process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)

// Also what was rejected and nobody waits for. What the process was doing is lost as at a kill, and made good by the next pass.
process.on('uncaughtException', (error) => {
  const code = printFailure(error, context)
  output.fail(error)
  endNow(code)
})

const { wish, others: argv } = colorWish(process.argv.slice(2))
const early = argv[0] === 'track' && argv[1] === 'run' ? startedBefore() : undefined
const askedBefore = early?.asked()
if (askedBefore !== undefined) stop.abort(askedBefore)
const output = documentOutput(argv, writerOf(process.stdout, argv))
const context: Context = {
  out: (text) => output.out(text),
  err: writerOf(process.stderr, argv),
  env: process.env,
  signal: stop.signal,
  onHangup: (listener) => (hangup = listener),
  die: dieAt,
  terminal: {
    interactive: process.stderr.isTTY,
    columns: process.stderr.columns || 80,
    color: colorWanted(process.stderr),
  },
  threadFile: fileURLToPath(new URL('./worker.cjs', import.meta.url)),
  argv,
  early,
  program: programOf({ env: process.env, script: process.argv[1] ?? '', ...identity() }),
  version: __VERSION__,
  commit: __COMMIT__ || undefined,
}

/** The command's exit code; what goes wrong is printed. Never rejects. */
const work = async (): Promise<number> => {
  try {
    return await (await import('./cli.ts')).runCli(argv, context)
  } catch (error) {
    // Whatever is wrong here: the command runs, and its end is ours.
    if (early?.taken() === false) return early.alone(error instanceof Error ? error.message : String(error))
    output.fail(error)
    return printFailure(error, context)
  }
}

void work().then((code) => {
  process.exitCode = code
  // What was written to a pipe is out before the process ends; a read that hangs must not keep it alive after that.
  process.stdout.write('', () =>
    process.stderr.write('', () => (stop.signal.aborted ? endNow(code, ORDERLY) : process.exit())),
  )
})

/** The command that start.cjs has started. */
function startedBefore(): EarlyCommand | undefined {
  const load = createRequire(import.meta.url)
  return (load('./early-command.cjs') as { earlyCommand(): EarlyCommand | undefined }).earlyCommand()
}

/** Writes to a stream; in colour where the stream is a terminal or `--color` asks for it, never in a JSON document. */
function writerOf(stream: NodeJS.WriteStream, words: readonly string[]): (text: string) => void {
  const isDocument = stream === process.stdout && asksForJson(words)
  if (isDocument || !colorWanted(stream)) return (text) => void stream.write(text)
  return (text) => void stream.write(colored(text))
}

/** NO_COLOR: https://no-color.org */
function colorWanted(stream: NodeJS.WriteStream): boolean {
  return wish === 'always' || (wish === 'auto' && stream.isTTY && !process.env['NO_COLOR'])
}
