// One import of 1,000 records of 40 files, 150 kB, into filesystemdb: runs/s, and the last hundred against the first hundred.
//   npx tsx scripts/bench/import.ts [runs] [workers]
import { makeRecords } from './make-records.ts'
import { build, makeSite } from './site.ts'

const RUNS = Number(process.argv[2] ?? 1000)
const workers = Number(process.argv[3] ?? 2)
build()
const site = makeSite({ workers })
makeRecords(site.records, { first: 10_001, count: RUNS, files: 40, kilobytes: 150 })
const began = Date.now()
const milliseconds = site.run('--import-only')
/** When each run was archived, milliseconds of the clock. */
const times = [...site.log().matchAll(/^(\d{4}-\d\d-\d\d) ([\d:]+),(\d{3}) .*imported successfully$/gm)].map(
  ([, day, time, fraction]) => Date.parse(`${day}T${time}.${fraction}`),
)
if (times.length !== RUNS) throw new Error(`${times.length} runs of ${RUNS} were archived`)
/** After how many runs a batch ended, all of which become durable at once. */
const ends = times.flatMap((time, i) => ((times[i + 1] ?? Infinity) - time > 30 ? [i + 1] : []))
const rate = (from: number, to: number): number => {
  const since = from === 0 ? began : times[from - 1]!
  return ((to - from) * 1000) / (times[to - 1]! - since)
}
const first = rate(0, ends.find((runs) => runs >= 100) ?? RUNS)
const last = rate(ends.findLast((runs) => runs <= RUNS - 100) ?? 0, RUNS)
console.log(
  `import: ${((RUNS * 1000) / milliseconds).toFixed(1)} runs/s (whole process, ${workers} workers); must reach 50`,
)
console.log(
  `first batches of a hundred ${first.toFixed(1)} runs/s (with the start), last ${last.toFixed(1)} runs/s: ratio ${(last / first).toFixed(2)}; must reach 0.80`,
)
site.remove()
