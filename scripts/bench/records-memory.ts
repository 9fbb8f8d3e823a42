/**
 * Memory of a long run of records: payloads of 2 KB from a table into tables, by the built program (`npm run build` first).
 *
 *   npx tsx scripts/bench/records-memory.ts sqlite|postgres|mysql [ITEMS] [WORKERS]
 *
 * Prints resident memory, and the heap after a collection, at 20, 40, 60, 80 and 100 % of the items. It must be flat: +/- 10 % from 20 % on, 400 MB at most.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSite, payload, type Dialect } from '../../test/records/databases.ts'

const dialect = (process.argv[2] ?? 'sqlite') as Dialect
const ITEMS = Number(process.argv[3] ?? 100_000)
const WORKERS = Number(process.argv[4] ?? 1)
const AT_ONCE = 500

const site = await openSite(dialect)
const textOf = (id: number): string =>
  payload(id, { customer: `c${id % 1000}`, lines: 8 }).replace(
    '</order>',
    `<!-- ${'x'.repeat(1500)} --></order>`,
  )

try {
  writeFileSync(site.config, readFileSync(site.config, 'utf8').replace('workers: 2', `workers: ${WORKERS}`))
  for (let from = 1; from <= ITEMS; from += AT_ONCE) {
    const ids = Array.from({ length: Math.min(AT_ONCE, ITEMS - from + 1) }, (_, index) => from + index)
    await site.fill(Object.fromEntries(ids.map((id) => [id, textOf(id)])))
  }
  const [hook, figures] = [join(site.folder, 'hook.mjs'), join(site.folder, 'figures')]
  writeFileSync(
    hook,
    `import { appendFileSync } from 'node:fs'
let stored = 0
globalThis[Symbol.for('run-archiver.step')] = (name) => {
  if (name !== 'records: commit answered' || ++stored % ${Math.floor(ITEMS / 5)} !== 0) return
  const { rss } = process.memoryUsage()
  gc()
  appendFileSync(${JSON.stringify(figures)}, stored + ' ' + rss + ' ' + process.memoryUsage().heapUsed + '\\n')
}`,
  )
  const argv = ['dist/main.js', 'records', 'run', 'orders', '--all', '--config', site.config]
  const { status, stderr } = spawnSync(process.execPath, ['--expose-gc', '--import', hook, ...argv], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`exit ${status}: ${stderr}`)
  const found = readFileSync(figures, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number))
  const first = found[0]?.[1] ?? NaN
  for (const [stored = 0, rss = 0, heap = 0] of found)
    console.log(
      `${stored} items: ${(rss / 1e6).toFixed(0)} MB resident (${(rss / first).toFixed(2)} of the first), ${(heap / 1e6).toFixed(1)} MB of heap in use`,
    )
} finally {
  await site.close()
}
