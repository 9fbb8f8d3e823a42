// Memory and time of the index of an artdaqDB, for each run: read from its file, grown by commits of ten runs, and as plain maps of lists of strings
// beside them, which is the ratio.
//   NODE_OPTIONS=--expose-gc npx tsx scripts/bench/index-memory.ts [runs] [documents]
import { randomUUID } from 'node:crypto'
import type { IndexFacts } from '../../src/stores/store.ts'
import { indexedRuns } from '../../src/stores/artdaqdb/index/run-index.ts'
import { parseIndex } from '../../src/stores/artdaqdb/format/index-codec.ts'
import { indexText } from '../../src/stores/artdaqdb/format/index-text.ts'
import { SECTIONS } from '../../src/stores/index-data.ts'
import { CollectionIndex } from '../../src/stores/artdaqdb/format/search-index.ts'
import { oidOf } from '../../src/stores/artdaqdb/names.ts'

const RUNS = Number(process.argv[2] ?? 100_000)
const DOCUMENTS = Number(process.argv[3] ?? 4)
/** Commits of ten runs that the grown index ends with. */
const COMMITS = 20

const factsOf = (run: number): readonly IndexFacts[] => {
  const name = `${run}/standard00001`
  const assigned = `2026-01-01T00:00:00.${String(run % 1000).padStart(3, '0')}+${String(run % 10_000).padStart(4, '0')}`
  return Array.from({ length: DOCUMENTS }, (_, i) => ({
    ...{ oid: oidOf(randomUUID()), version: name, configurations: [{ name, assigned }] },
    ...{ entities: [`board${i}`], aliases: [], runs: [String(run)] },
  }))
}

const FIRST = 100_000
const runs = (from: number, to: number): readonly IndexFacts[] =>
  Array.from({ length: to - from }, (_, i) => factsOf(FIRST + from + i)).flat()

const held = (): number => {
  if (!globalThis.gc) throw new Error('NODE_OPTIONS=--expose-gc is missing')
  for (let i = 0; i < 3; i++) globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const measure = <T>(name: string, make: () => T): T => {
  const before = held()
  const began = process.cpuUsage()
  const made = make()
  const { user, system } = process.cpuUsage(began)
  const bytes = (held() - before) / RUNS
  took.set(name, bytes)
  console.log(
    `${name}: ${bytes.toFixed(0)} bytes a run, ${((user + system) / 1e6).toFixed(2)} s of processor`,
  )
  return made
}
const took = new Map<string, number>()

const grown = CollectionIndex.EMPTY.plus(runs(0, RUNS - 10 * COMMITS))
const text = Buffer.concat([...indexText(grown)])
console.log(`${RUNS} runs of ${DOCUMENTS} documents: ${(text.length / RUNS).toFixed(0)} bytes of text a run`)
const used = (index: CollectionIndex): CollectionIndex => {
  // What a listing and a look at some runs ask of it.
  for (const run of indexedRuns(index).keys()) if (run % 100 === 0) indexedRuns(index).has(run)
  let asked = 0
  for (let run = FIRST; run < FIRST + 1000; run++)
    asked += index.list('configurations.name', `${run}/standard00001`).items.length
  if (asked === 0) throw new Error('the index does not know its runs')
  return index
}
const read = measure('read from its file', () => used(parseIndex(text, 'index.json')))
const added = Array.from({ length: COMMITS }, (_, i) => {
  const from = RUNS - 10 * (COMMITS - i)
  return runs(from, from + 10)
})
const larger = measure(`the same, grown by ${COMMITS} commits`, () =>
  added.reduce((index, facts) => used(index.plus(facts)), parseIndex(text, 'index.json')),
)
measure('written', () => {
  let bytes = 0
  for (const piece of indexText(larger)) bytes += piece.length
  return bytes
})
const plain = measure('as plain maps of lists', () =>
  SECTIONS.map(
    (section) => new Map([...larger.section(section)].map(([name, list]) => [name, [...list.items]])),
  ),
)
console.log(
  `${((took.get(`the same, grown by ${COMMITS} commits`) ?? NaN) / (took.get('as plain maps of lists') ?? NaN)).toFixed(2)} of plain maps of lists`,
)
if (read.ouid.size + plain.length === 0) throw new Error('never')
