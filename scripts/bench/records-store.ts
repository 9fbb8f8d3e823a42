/**
 * Payloads from a table into tables, end to end, against a bare writer of the same rows in the same transactions, in turn:
 *
 *   npx tsx scripts/bench/records-store.ts sqlite|postgres|mysql [ITEMS] [ROUNDS] [WORKERS]
 *
 * The servers are those of the tests. Prints items a second, and processor time of this process an item.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { runCommand } from '../../src/commands/records/run.ts'
import { mapPayload } from '../../src/records/map-payload.ts'
import { readMapping } from '../../src/records/mapping/read-mapping.ts'
import { insertStatements } from '../../src/records/sql/insert-rows.ts'
import { MAPPING, openSite, payload, printing, type Dialect } from '../../test/records/databases.ts'

const dialect = (process.argv[2] ?? 'sqlite') as Dialect
const ITEMS = Number(process.argv[3] ?? 1000)
const ROUNDS = Number(process.argv[4] ?? 3)
const WORKERS = Number(process.argv[5] ?? 1)

const site = await openSite(dialect)
writeFileSync(site.config, readFileSync(site.config, 'utf8').replace('workers: 2', `workers: ${WORKERS}`))
const mapping = readMapping(MAPPING, 'map.yaml')
const textOf = (id: number): string =>
  payload(id, { customer: `c${id}`, lines: 8 }).replace('</order>', `<!-- ${'x'.repeat(1500)} --></order>`)

/** Seconds of wall and of processor time. */
const measured = async (work: () => Promise<unknown>): Promise<{ wall: number; cpu: number }> => {
  const before = process.cpuUsage()
  const began = process.hrtime.bigint()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { wall: Number(process.hrtime.bigint() - began) / 1e9, cpu: (user + system) / 1e6 }
}

const LOG =
  'INSERT INTO processing_log (app_id, status, task, rows_written, tables, payload_sha256, started_at, duration_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'

/** The rows of items, mapped beforehand, and a log row, in a transaction each; as many at once as there are workers. */
const bare = async (from: number): Promise<{ wall: number; cpu: number }> => {
  const items = Array.from({ length: ITEMS }, (_, index) => {
    const id = from + index
    const { rows } = mapPayload(textOf(id), mapping, { sourceKey: String(id), now: 0, strict: false })
    const statements = [...rows].flatMap(([table, made]) => insertStatements(dialect, table, made))
    return { id, statements }
  })
  const queue = items.values()
  const writer = async (): Promise<void> => {
    for (const { id, statements } of queue)
      await site.database.transaction(async (session) => {
        await session.change(LOG, [id, 'success', 'bare', 10, '{}', 'x'.repeat(64), '2026-01-01 00:00:00', 1])
        for (const { sql, values } of statements) await session.change(sql, values)
      })
  }
  return measured(() => Promise.all(Array.from({ length: WORKERS }, writer)))
}

const ours = async (from: number): Promise<{ wall: number; cpu: number }> => {
  const { context } = printing()
  const range = { appIdStart: String(from), appIdEnd: String(from + ITEMS - 1) }
  return measured(() => runCommand({ task: 'orders', config: site.config, ...range }, context))
}

try {
  for (let round = 0; round <= ROUNDS; round++) {
    const [first, second] = [round * 2 * ITEMS + 1, (round * 2 + 1) * ITEMS + 1]
    for (let id = first; id < first + ITEMS; id++)
      await site.database.session.change('INSERT INTO source_records (record_id, payload) VALUES (?, ?)', [
        id,
        textOf(id),
      ])
    const one = await ours(first)
    const other = await bare(second)
    const rate = ({ wall }: { wall: number }): string => (ITEMS / wall).toFixed(0)
    const cost = ({ cpu }: { cpu: number }): string => ((cpu / ITEMS) * 1000).toFixed(2)
    console.log(
      `${round === 0 ? 'warm-up' : `round ${round}`}: ours ${rate(one)} items/s (${cost(one)} ms CPU), bare ${rate(other)} items/s (${cost(other)} ms CPU), ratio ${(other.wall / one.wall).toFixed(2)}`,
    )
  }
} finally {
  await site.close()
}
