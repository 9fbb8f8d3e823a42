// Loaded before the program (`node --import`): kills it with SIGKILL at the n-th time that it reaches a durable step.
// CRASH_AT=`name#n`; STEPS_TO=file gets the names of all steps reached, a line each.
import { appendFileSync } from 'node:fs'

const [wanted, nth] = (process.env.CRASH_AT ?? '').split('#')
const list = process.env.STEPS_TO
let times = 0
globalThis[Symbol.for('run-archiver.step')] = (name) => {
  if (list) appendFileSync(list, `${name}\n`)
  if (name === wanted && ++times === Number(nth)) process.kill(process.pid, 'SIGKILL')
}
