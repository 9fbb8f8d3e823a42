#!/usr/bin/env node
// Calls that wait for a disk wait in threads, four unless something else is asked for before the first ES module is read. More of them let
// the syncs of a run's documents share the disk's journal, and it takes as many hung reads to bring the program to a stop.
process.env.UV_THREADPOOL_SIZE ??= '16'
// What ps and top show: operators look for the name of the script that starts it.
process.title = ['run_archiver', ...process.argv.slice(2)].join(' ')

// Loading the program opens many files at once; with too few it would end in the middle of that.
const NEEDED = 64
const tooFew = (limit) => {
  const code = 'TOO_MANY_OPEN_FILES'
  const message = `the limit of ${limit} open files is too low, at least ${NEEDED} are needed`
  const hint =
    'Raise it: "ulimit -n 1024", LimitNOFILE=1024 in the unit, or the nofile limit of the container.'
  process.stderr.write(`run-archiver: ${message} [${code}]\n  ${hint}\n`)
  const own = process.argv.slice(2).join('\n').split('\n--\n')[0].split('\n')
  if (own.includes('--json'))
    process.stdout.write(`${JSON.stringify({ error: { code, message, hint } }, null, 2)}\n`)
  process.exit(1)
}
let limit = Infinity
try {
  const [, soft] =
    /^Max open files\s+(\d+)/m.exec(require('node:fs').readFileSync('/proc/self/limits', 'utf8')) ?? []
  limit = Number(soft ?? Infinity)
} catch (error) {
  if (error.code === 'EMFILE') tooFew('this process')
}
if (limit < NEEDED) tooFew(limit)
import('./main.mjs').catch((error) => {
  if (error.code === 'EMFILE' || error.code === 'ENFILE') tooFew(limit)
  throw error
})
