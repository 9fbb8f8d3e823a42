/** Reads a list of ids twice, as a move does, and says how long it took and how much memory: npx tsx scripts/bench/id-list.ts [ids]. */
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { IdList } from '../../src/rows/id-list.ts'

const IDS = Number(process.argv[2] ?? 10_000_000)
const folder = mkdtempSync(join(tmpdir(), 'archiver-bench-ids-'))
const path = join(folder, 'ids.csv')
const file = createWriteStream(path)
for (let from = 1; from <= IDS; from += 10_000) {
  const lines = Array.from({ length: Math.min(10_000, IDS - from + 1) }, (_, at) => `${from + at}\n`)
  if (!file.write(lines.join(''))) await once(file, 'drain')
}
file.end()
await once(file, 'close')

const column = {
  name: 'id',
  type: 'bigint',
  fullType: 'bigint(20) unsigned',
  nullable: false,
  hasDefault: false,
  generated: false,
  expression: undefined,
  length: undefined,
  octets: undefined,
  precision: undefined,
  scale: undefined,
  unsigned: true,
  charset: undefined,
  collation: undefined,
}
const list = await IdList.open(path, {
  key: [{ name: 'id', type: 'integer', column }],
  columns: [],
  header: 'auto',
  badLines: 'stop',
})
const megabytes = (): number => Math.round(process.resourceUsage().maxRSS / 1024)
const before = megabytes()
const cpu = process.cpuUsage()
const { ids } = await list.survey(new AbortController().signal)
let again = 0
for await (const group of list.groups()) again += group.length
const { user, system } = process.cpuUsage(cpu)
if (ids !== IDS || again !== IDS) throw new Error(`${ids} and ${again} ids were read`)
console.log(
  `${IDS} ids, read twice: ${((user + system) / 1e6).toFixed(1)} s of CPU; most memory ${megabytes()} MB, ${before} MB of it before`,
)
await list.close()
rmSync(folder, { recursive: true, force: true })
