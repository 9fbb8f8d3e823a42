/**
 * The broken control of the kill tests of files, started as a process: it commits the delete of a batch before its file is written. A kill between the
 * two loses rows, and the tests' judge must say so. Arguments: the URL of the database, the table's folder in the archive.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { openSession } from '../../src/sql/open-session.ts'

const BATCH = 50
const [url = '', folder = ''] = process.argv.slice(2)
const session = await openSession({ url, password: undefined, timeout: 10_000 })
const place = join(folder, '1-broken')
mkdirSync(place, { recursive: true })
for (let batch = 1; ; batch++) {
  const { rows } = await session.run(`SELECT id, t FROM r ORDER BY id LIMIT ${BATCH}`)
  if (rows.length === 0) break
  await session.run(`DELETE FROM r WHERE id IN (${rows.map(({ id }) => id).join(',')})`)
  // Long enough that the judge meets it in nearly every kill, however fast the server is.
  await setTimeout(20)
  const content = `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`
  const sum = createHash('sha256').update(content).digest('hex')
  writeFileSync(join(place, `1-${batch}-${sum}.jsonl`), content)
}
await session.close()
