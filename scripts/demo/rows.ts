import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSession } from '../../src/sql/open-session.ts'

const ROWS = 600

/** A live table with readings, an archive table that has one of them with another value, and three lists of ids. */
export const fillRows = async (url: string, table: string, folder: string): Promise<void> => {
  const session = await openSession({ url, password: undefined, timeout: 10_000 })
  try {
    const columns = '(id BIGINT PRIMARY KEY, channel VARCHAR(20) NOT NULL, volts DECIMAL(8,2))'
    for (const name of [table, `${table}_archive`]) await session.run(`CREATE TABLE ${name} ${columns}`)
    const values = Array.from(
      { length: ROWS },
      (_, i) => `(${i + 1}, 'hv${(i % 48) + 1}', ${-1500 - (i % 9) / 10})`,
    )
    await session.run(`INSERT INTO ${table} VALUES ${values.join(', ')}`)
    await session.run(`INSERT INTO ${table}_archive VALUES (250, 'hv10', -1499.80)`)
  } finally {
    await session.close()
  }
  mkdirSync(folder)
  const parts = [1, 2, 3]
  for (const part of parts) {
    const ids = Array.from(
      { length: ROWS / parts.length },
      (_, i) => (part - 1) * (ROWS / parts.length) + i + 1,
    )
    writeFileSync(join(folder, `readings_${part}.csv`), `id\n${ids.join('\n')}\n`)
  }
}

/** Removes both tables; the log tables of rows stay, as they do at a site. */
export const dropRows = async (url: string, table: string): Promise<void> => {
  const session = await openSession({ url, password: undefined, timeout: 10_000 })
  try {
    for (const name of [table, `${table}_archive`]) await session.run(`DROP TABLE ${name}`)
  } finally {
    await session.close()
  }
}
