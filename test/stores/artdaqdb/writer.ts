import { RunSet } from '../../../src/common/run-set.ts'
import { never, openDb, sampleRun } from './runs.ts'

// Stores runs one by one, each with a commit of its own, and tells each once it is committed. It kills itself at the
// KILL_COUNTth time that it comes to the step KILL_AT.
const [path = '', runs = ''] = process.argv.slice(2)
let left = Number(process.env['KILL_COUNT'] ?? 0)
Object.assign(globalThis, {
  [Symbol.for('run-archiver.step')]: (name: string) => {
    if (name === process.env['KILL_AT'] && --left === 0) process.kill(process.pid, 'SIGKILL')
  },
})
const db = openDb(path, Date.now)
for (const run of RunSet.parse(runs)) {
  await db.put(sampleRun(run), never)
  await db.commit()
  process.stdout.write(`${run}\n`)
}
