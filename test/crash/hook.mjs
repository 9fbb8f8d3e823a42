// Loaded before the program (`node --import`): watches the durable steps that it takes.
//   CRASH_AT=name#n      kills it with SIGKILL when it reaches a step for the n-th time
//   STOP_AT=name#n       stops it with SIGSTOP there, until it is told to go on
//   KILL_AFTER=n#ms      kills it so many milliseconds after the n-th step of any name (0: after its start), whatever it is doing then
//   FOLDER_AT=name#path  puts a folder in the place of a file when it reaches a step, so that the file can be written no more
//   STEPS_TO=file        gets the names of all steps reached, a line each
import { appendFileSync, mkdirSync, rmSync } from 'node:fs'
import { Worker } from 'node:worker_threads'

const [wanted, nth] = (process.env.CRASH_AT ?? '').split('#')
const [stopping, stopNth] = (process.env.STOP_AT ?? '').split('#')
const [steps, delay] = (process.env.KILL_AFTER ?? '').split('#').map(Number)
const [before, path] = (process.env.FOLDER_AT ?? '').split('#')
const list = process.env.STEPS_TO
let times = 0
let stops = 0
let all = 0

// Another thread does it, so that it happens in the middle of things and not only where the program waits.
const go = new Int32Array(new SharedArrayBuffer(4))
if (delay !== undefined) {
  const kill = ({ workerData: [go, delay] }) => {
    Atomics.wait(go, 0, 0)
    Atomics.wait(go, 0, 1, delay)
    process.kill(process.pid, 'SIGKILL')
  }
  new Worker(`(${kill})(require('node:worker_threads'))`, { eval: true, workerData: [go, delay] }).unref()
}
const start = () => {
  Atomics.store(go, 0, 1)
  Atomics.notify(go, 0)
}
if (steps === 0) start()

globalThis[Symbol.for('run-archiver.step')] = (name) => {
  if (list) appendFileSync(list, `${name}\n`)
  if (name === before) {
    rmSync(path, { recursive: true, force: true })
    mkdirSync(path)
  }
  if (name === wanted && ++times === Number(nth)) process.kill(process.pid, 'SIGKILL')
  if (name === stopping && ++stops === Number(stopNth)) process.kill(process.pid, 'SIGSTOP')
  if (++all === steps) start()
}
