import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { RecordsDatabase, Session } from '../../../src/records/sql/database.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { openSqliteDatabase } from '../../../src/records/sql/sqlite-database.ts'

const TABLES = [
  'CREATE TABLE parents (id INTEGER PRIMARY KEY)',
  'CREATE TABLE children (id INTEGER PRIMARY KEY, parent INT REFERENCES parents(id) DEFERRABLE INITIALLY DEFERRED)',
  "CREATE TRIGGER no_thirteen BEFORE INSERT ON parents WHEN NEW.id = 13 BEGIN SELECT RAISE(ROLLBACK, 'thirteen'); END",
]

describe('transactions that a SQLite file is asked for at once', () => {
  let database: RecordsDatabase
  let other: RecordsDatabase
  beforeEach(async () => {
    const file = join(temporaryFolder('sqlite'), 'target.db')
    database = openSqliteDatabase(file, 1000)
    other = openSqliteDatabase(file, 1000)
    for (const sql of TABLES) await database.session.change(sql)
    return async () => {
      await database.close()
      await other.close()
    }
  })

  const parents = async (ids: readonly number[]): Promise<string[]> => {
    const ended = await Promise.allSettled(
      ids.map((id) =>
        database.transaction((session) => session.change('INSERT INTO parents (id) VALUES (?)', [id])),
      ),
    )
    return ended.map(({ status }) => status)
  }
  const stored = async (table: string): Promise<unknown[]> =>
    (await other.session.rows(`SELECT id FROM ${table} ORDER BY id`)).map(({ id }) => id)

  it('are on the disk when they resolve, more of them than share a commit', async () => {
    const ids = Array.from({ length: 100 }, (_, index) => index + 100)
    expect(new Set(await parents(ids))).toEqual(new Set(['fulfilled']))
    expect(await stored('parents')).toEqual(ids)
  })
  it('show nothing to others before one of them has resolved', async () => {
    let resolved = 0
    const seen: [number, number][] = []
    const work = (id: number) => async (session: Session) => {
      await session.change('INSERT INTO parents (id) VALUES (?)', [id])
      seen.push([resolved, (await stored('parents')).length])
    }
    await Promise.all([1, 2, 3].map((id) => database.transaction(work(id)).then(() => (resolved += 1))))
    expect(seen).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ])
    expect(await stored('parents')).toEqual([1, 2, 3])
  })
  it('fail alone, with all that they wrote', async () => {
    const half = async (session: Session): Promise<void> => {
      await session.change('INSERT INTO parents (id) VALUES (7)')
      await session.change('INSERT INTO parents (id) VALUES (1)')
    }
    const [first, failed, last] = await Promise.allSettled([
      parents([1]),
      database.transaction(half),
      parents([2]),
    ])
    expect([first, last].map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
    expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' } })
    expect(await stored('parents')).toEqual([1, 2])
  })
  it('fail alone where a trigger rolls the whole transaction back', async () => {
    expect(await parents([1, 13, 2])).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await stored('parents')).toEqual([1, 2])
  })
  it('fail alone where only the commit shows what is wrong', async () => {
    const child = (id: number, parent: number) =>
      database.transaction((session) =>
        session.change('INSERT INTO children (id, parent) VALUES (?, ?)', [id, parent]),
      )
    const ended = await Promise.allSettled([parents([1]), child(1, 1), child(2, 99), child(3, 1)])
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(await stored('children')).toEqual([1, 3])
  })
  it('fail together where the file is held for too long, and can be asked for again', async () => {
    let free = (): void => undefined
    const isFree = new Promise<void>((resolve) => (free = resolve))
    const holder = other.transaction(() => isFree)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await parents([1, 2])).toEqual(['rejected', 'rejected'])
    free()
    await holder
    expect(await parents([1, 2])).toEqual(['fulfilled', 'fulfilled'])
  })
})
