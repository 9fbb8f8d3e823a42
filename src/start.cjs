#!/usr/bin/env node
// `track run` starts its command first, in this environment and whatever comes of the rest.
const early =
  process.argv[2] === 'track' && process.argv[3] === 'run'
    ? require('./early-command.cjs').startEarly(process.argv.slice(2))
    : undefined
// Without the program the command still runs, and its end is ours.
const alone = (error) => early.alone(error.message).then((code) => process.exit(code))

// Calls that wait for a disk wait in threads, four unless something else is asked for before the first ES module is read. More of them let
// the syncs of a run's documents share the disk's journal, and it takes as many hung reads to bring the program to a stop.
process.env.UV_THREADPOOL_SIZE ??= '16'
// The page is open for months and mostly idle: it collects what is dropped sooner, and keeps V8's new space small.
if (process.argv[2] === 'serve') require('./small-heap.cjs')
// What ps and top show: operators look for the name of the script that starts it.
process.title = ['run_archiver', ...process.argv.slice(2)].join(' ')

// Loading the program opens many files at once; with too few it would end in the middle of that.
const NEEDED = 64
const tooFew = (limit) => {
  const code = 'TOO_MANY_OPEN_FILES'
  const message = `the limit of ${limit || 'this process for'} open files is too low, at least ${NEEDED} are needed`
  const hint =
    'Raise it: "ulimit -n 1024", LimitNOFILE=1024 in the unit, or the nofile limit of the container.'
  if (early) return alone({ message })
  process.stderr.write(`run-archiver: ${message} [${code}]\n  ${hint}\n`)
  const own = process.argv.slice(2).join('\n').split('\n--\n')[0].split('\n')
  if (own.includes('--json'))
    process.stdout.write(`${JSON.stringify({ error: { code, message, hint } }, null, 2)}\n`)
  process.exit(1)
}
const load = () => {
  try {
    if (process.argv.includes('--incremental') && isIdle()) return
    require('./load-program.cjs').program().main().catch(notLoaded)
  } catch (error) {
    return notLoaded(error)
  }
}
const notLoaded = (error) => {
  if (error.code === 'EMFILE' || error.code === 'ENFILE') return tooFew(limit)
  if (early && !early.taken()) return alone(error)
  throw error
}
// What goes wrong here comes up again in the program, which says it better.
const isIdle = () => {
  try {
    return require('./idle.cjs').endsIdle()
  } catch {
    return false
  }
}
let limit = Infinity
try {
  const [, soft] =
    /^Max open files\s+(\d+)/m.exec(require('node:fs').readFileSync('/proc/self/limits', 'utf8')) ?? []
  limit = Number(soft ?? Infinity)
} catch (error) {
  if (error.code === 'EMFILE') limit = 0
}
if (limit < NEEDED) tooFew(limit)
else load()
