// A thread that runs commands of the built program, one after the other, as src/main.ts does: for tests of what a command does, not of its process.
// Half of such a test's processor time is the start of a process otherwise.
import { createRequire } from 'node:module'
import { workerData } from 'node:worker_threads'

const { dist, version, port, done } = workerData
const require = createRequire(import.meta.url)
const idle = require(`${dist}/idle.cjs`)
const program = require(`${dist}/load-program.cjs`).program()
const [{ runCli }, { printFailure }] = [await program.cli(), await program.failure()]

/** Errors that nobody waits for, which are bugs. */
let bug
process.on('uncaughtException', (error) => (bug ??= error))

const work = async (argv, env) => {
  let stdout = ''
  let stderr = ''
  const context = {
    out: (text) => (stdout += text),
    err: (text) => (stderr += text),
    env,
    signal: new AbortController().signal,
    onHangup: () => undefined,
    die: () => {
      throw new Error('died')
    },
    terminal: { interactive: false, columns: 80, color: false },
    threadFile: `${dist}/worker.cjs`,
    argv,
    program: `node ${dist}/main.js`,
    version,
  }
  bug = undefined
  const isIdle = argv.includes('--incremental') && idle.endsIdle({ argv, env, out: context.out })
  const status = isIdle ? 0 : await runCli(argv, context).catch((error) => printFailure(error, context))
  return bug ? { status: printFailure(bug, context), stdout, stderr } : { status, stdout, stderr }
}

port.on('message', async ({ argv, env }) => {
  port.postMessage(await work(argv, env))
  Atomics.store(done, 0, 1)
  Atomics.notify(done, 0)
})
