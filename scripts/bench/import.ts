// Import of 1,000 records of 40 files, 150 kB, into filesystemdb: runs/s, and the last hundred against the first hundred.
//   npx tsx scripts/bench/import.ts
import { makeRecords } from './make-records.ts'
import { build, makeSite } from './site.ts'

build()
const site = makeSite()
makeRecords(site.records, { first: 10_001, count: 1000, files: 40, kilobytes: 150 })
const pass = (limit: number): number => (limit * 1000) / site.run('--import-only', '--limit', String(limit))
const first = pass(100)
const middle = pass(800)
const last = pass(100)
const rate = 1000 / (100 / first + 800 / middle + 100 / last)
console.log(`import: ${rate.toFixed(1)} runs/s (whole process, 2 workers); must reach 50`)
console.log(
  `first hundred ${first.toFixed(1)} runs/s, last hundred ${last.toFixed(1)} runs/s: ratio ${(last / first).toFixed(2)}; must reach 0.80`,
)
site.remove()
