import { RunSet } from '../../../src/common/run-set.ts'
import { never, openDb } from './runs.ts'

// Moves runs into the first of two databases. It kills itself at the KILL_COUNTth time that it comes to the step KILL_AT.
const [older = '', newer = '', runs = ''] = process.argv.slice(2)
let left = Number(process.env['KILL_COUNT'] ?? 0)
Object.assign(globalThis, {
  [Symbol.for('run-archiver.step')]: (name: string) => {
    if (name === process.env['KILL_AT'] && --left === 0) process.kill(process.pid, 'SIGKILL')
  },
})
const { moved } = await openDb([older, newer], Date.now).moveTo(older, RunSet.parse(runs), never)
process.stdout.write(moved.toString())
