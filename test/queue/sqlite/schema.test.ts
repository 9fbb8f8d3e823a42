import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { prepareTables } from '../../../src/queue/sqlite/schema.ts'
import { openFile } from '../../../src/sql/libsql-database.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'queue-schema-'))
  path = join(folder, 'queue.db')
  const file = openFile(path, 1000)
  prepareTables(file, path)
  // As version 4 left it.
  file.exec('DROP INDEX work_ordered; DROP INDEX work_failed; PRAGMA user_version = 4')
  file.exec(`INSERT INTO work (stage, key, ordinal, added_at) VALUES ('import', '7', 7, 1)`)
  file.close()
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Version, the indexes of version 5, and the items. */
const found = (): unknown => {
  const file = openFile(path, 1000)
  try {
    const [row] = file.prepare('PRAGMA user_version').all([]) as { user_version: number }[]
    const indexes = file
      .prepare(`SELECT name FROM sqlite_schema WHERE name IN ('work_ordered', 'work_failed') ORDER BY name`)
      .all([]) as { name: string }[]
    const items = file.prepare('SELECT key FROM work').all([]) as { key: string }[]
    return [row?.user_version, indexes.map(({ name }) => name), items.map(({ key }) => key)]
  } finally {
    file.close()
  }
}

/** Brings the tables up to date, and loses its process at the statement of this number: what is not committed goes with the connection. */
const killedAt = (number: number, skips: (sql: string) => boolean = () => false): boolean => {
  const file = openFile(path, 1000)
  let count = 0
  const dying = new Proxy(file, {
    get: (target, name) =>
      name === 'exec'
        ? (sql: string) => {
            if (skips(sql)) return
            if (count++ >= number) throw new Error('killed')
            target.exec(sql)
          }
        : (Reflect.get(target, name) as (...args: unknown[]) => unknown).bind(target),
  })
  try {
    prepareTables(dying, path)
    return false
  } catch (error) {
    expect(error).toMatchObject({ message: 'killed' })
    return true
  } finally {
    try {
      file.exec('ROLLBACK')
    } catch {
      // no transaction is open
    }
    file.close()
  }
}

const OLD = [4, [], ['7']]
const NEW = [5, ['work_failed', 'work_ordered'], ['7']]

describe('tables of the version before', () => {
  it('are brought up to date with their items', () => {
    const file = openFile(path, 1000)
    prepareTables(file, path)
    file.close()
    expect(found()).toEqual(NEW)
  })

  it('are whole, as they were or up to date, wherever that is killed, and the next start finishes it', () => {
    let kills = 0
    while (killedAt(kills)) {
      expect(found(), `killed at statement ${kills}`).toEqual(OLD)
      kills++
    }
    expect(kills).toBeGreaterThan(3)
    expect(found()).toEqual(NEW)
  })

  it('would be left half way without the transaction (control)', () => {
    let kills = 0
    const seen = new Set<string>()
    while (killedAt(kills++, (sql) => sql === 'BEGIN IMMEDIATE' || sql === 'COMMIT'))
      seen.add(JSON.stringify(found()))
    expect([...seen].filter((one) => one !== JSON.stringify(OLD) && one !== JSON.stringify(NEW))).not.toEqual(
      [],
    )
  })

  it('of a later program are refused, and stay as they are', () => {
    const file = openFile(path, 1000)
    file.exec('PRAGMA user_version = 6')
    expect(() => prepareTables(file, path)).toThrow(/is of a later version \(6\) of this program/)
    file.close()
    expect(found()).toEqual([6, [], ['7']])
  })
})
