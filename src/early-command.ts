import { randomUUID } from 'node:crypto'
import { commandOf } from './common/track-run-words.ts'
import { startCommand, type EarlyCommand, type Ended } from './platform/session-command.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

let early: EarlyCommand | undefined

/** The command that this process has started, for the program that is loaded since. */
export const earlyCommand = (): EarlyCommand | undefined => early

/**
 * Starts the command of `track run` before anything of the program is loaded, so that tracking costs it nothing: a bundle of its own, which imports
 * next to nothing. Undefined for every other command line. From here on signals reach the command, its output passes, and nothing that
 * goes wrong with the rest of the program keeps it from running or changes its exit code.
 */
export const startEarly = (argv: readonly string[]): EarlyCommand | undefined => {
  const words = commandOf(argv)
  if (!words) return undefined
  const runId = randomUUID()
  let asked: NodeJS.Signals | undefined
  let taken = false
  // Before the start: a signal that comes right after it must find them.
  const listeners = SIGNALS.map((signal) => [signal, () => heard(signal)] as const)
  for (const [signal, listener] of listeners) process.on(signal, listener)
  const env = { ...process.env, RUN_ARCHIVER_RUN_ID: runId }
  const command = startCommand(words, { env, out: process.stdout, err: process.stderr })
  const heard = (signal: NodeJS.Signals): void => {
    asked ??= signal
    command.kill(signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM')
  }
  early = {
    ...{ runId, command },
    asked: () => asked,
    taken: () => taken,
    take: () => {
      taken = true
      for (const [signal, listener] of listeners) process.off(signal, listener)
    },
    alone: async (why) => {
      process.stderr.write(`Warning: Failed to initialize status tracking: ${why}\n`)
      command.listen(() => undefined)
      return exitCodeOf(await command.ended, words)
    },
  }
  return early
}

const exitCodeOf = ({ exitCode, error }: Ended, words: readonly string[]): number => {
  if (error) process.stderr.write(`run-archiver: ${words[0] ?? ''}: ${error.message}\n`)
  return exitCode
}
