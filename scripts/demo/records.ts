import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openFile } from '../../src/sql/libsql-database.ts'

const MAPPING = `version: 1
record: { root: batch, key: /batch/@number, key_type: bigint }
tables:
  - table: batches
    key: [number]
    columns:
      number: { from: $key, type: bigint }
      taken: { from: /batch/@taken, type: datetime, required: true }
  - table: sensors
    each: /batch/sensor
    key: [serial]
    columns:
      serial: { from: '@serial', type: text, length: 12 }
      batch: { from: $key, type: bigint }
      volts: { from: '@volts', type: decimal, precision: 6, scale: 2 }
`

/** A mapping, its tables in SQLite, and a folder of payloads: the third one has a day that is none. */
export const fillRecords = (site: string): void => {
  mkdirSync(join(site, 'inbox'))
  writeFileSync(join(site, 'batches.yaml'), MAPPING)
  const payload = (number: number, taken: string): string =>
    `<batch number="${number}" taken="${taken}"><sensor serial="A${number}" volts="2.34"/><sensor serial="B${number}" volts="2.40"/></batch>`
  for (const number of [1, 2, 4, 5])
    writeFileSync(join(site, 'inbox', `${number}.xml`), payload(number, `2026-02-0${number} 07:05:00`))
  writeFileSync(join(site, 'inbox', '3.xml'), payload(3, 'yesterday'))
  const database = openFile(join(site, 'batches.db'), 5000)
  database.exec('CREATE TABLE batches (number INTEGER PRIMARY KEY, taken TEXT NOT NULL)')
  database.exec('CREATE TABLE sensors (serial TEXT PRIMARY KEY, batch INT NOT NULL, volts TEXT)')
  database.close()
}
