import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'

export interface Result {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Commands that start other programs, read standard input, or go on until a signal. */
const OWN_PROCESS = ['track', 'serve', 'daemon', 'worker', 'notify', 'fhicl', 'init', 'doctor', 'bundle']

/** Whether a command can run in a thread: nothing of it is the process's. */
export const fitsThread = (words: readonly string[]): boolean =>
  process.env['TEST_COMMANDS'] === 'thread' &&
  !OWN_PROCESS.includes(words[0] ?? '') &&
  !words.some((word) => /^--(?:no-)?color/.test(word))

/**
 * Runs a command of the built program to its end in a thread of this process, where the program is loaded once. The caller waits, as for a
 * process: nothing else of this thread goes on meanwhile.
 */
export const runInThread = (argv: readonly string[]): Result => {
  const { port, done } = begin(argv)
  Atomics.wait(done, 0, 0)
  const answer = receiveMessageOnPort(port) as { message: Answer } | undefined
  if (!answer) throw new Error('the thread has not answered')
  return { ...answer.message, signal: null }
}

/** The same, while servers of this thread go on. */
export const runBeside = async (argv: readonly string[]): Promise<Result> => {
  const { port } = begin(argv)
  const message = await new Promise<Answer>((resolve) => void port.once('message', resolve))
  port.unref()
  return { ...message, signal: null }
}

type Answer = Omit<Result, 'signal'>

let thread: ReturnType<typeof start> | undefined

const start = () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  const { port1, port2 } = new MessageChannel()
  const done = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(resolve('test/command-thread.mjs'), {
    workerData: { dist: resolve('dist'), version, port: port2, done },
    transferList: [port2],
    execArgv: [],
    argv: [],
  })
  worker.unref()
  port1.unref()
  return { port: port1, done }
}

/** One command at a time: the answers have no names. */
const begin = (argv: readonly string[]): ReturnType<typeof start> => {
  thread ??= start()
  Atomics.store(thread.done, 0, 0)
  thread.port.postMessage({ argv, env: { ...process.env } })
  return thread
}
