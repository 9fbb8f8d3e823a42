/**
 * The broken control of the kill tests, started as a process: it moves rows in batches, but deletes them before their copy is committed. A kill
 * between the two loses rows, and the tests' judge must say so. Arguments: the URL of the source, the URL of the archive.
 */
import { setTimeout } from 'node:timers/promises'
import { dialectFor } from '../../src/rows/server.ts'
import { compareShapes } from '../../src/rows/preflight/shapes.ts'
import { openSession } from '../../src/sql/open-session.ts'

const BATCH = 50
const [sourceUrl = '', archiveUrl = ''] = process.argv.slice(2)
const open = (url: string) => openSession({ url, password: undefined, timeout: 10_000 })
const [source, archive] = [await open(sourceUrl), await open(archiveUrl)]
const dialect = dialectFor(source)
const live = await dialect.describe(source, 'r')
const kept = await dialect.describe(archive, 'ra')
if (!live || !kept) throw new Error('the tables are missing')
const { pair } = compareShapes(live, kept, source.dialect)
for (;;) {
  const { rows } = await source.run(`SELECT id FROM r ORDER BY id LIMIT ${BATCH}`)
  if (rows.length === 0) break
  const keys = rows.map(({ id }) => [id ?? ''])
  const read = await dialect.read(source, pair, 'source', keys, false)
  await dialect.deleteLocked(source, pair, 'source', keys)
  // Long enough that the judge meets it in nearly every kill, however fast the server is.
  await setTimeout(20)
  await dialect.write(archive, pair, [...read.values()])
}
await source.close()
await archive.close()
