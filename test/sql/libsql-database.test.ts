import Libsql from 'libsql'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openFile, type SqliteFile } from '../../src/sql/libsql-database.ts'
import { isRefusal } from '../../src/sql/data-errors.ts'

describe('a SQLite file', () => {
  let folder: string
  let file: SqliteFile
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sqlite-'))
    file = openFile(join(folder, 'a.db'), 0)
    file.prepare('PRAGMA journal_mode = WAL').all([])
    file.exec('CREATE TABLE t (a INTEGER PRIMARY KEY, b)')
  })
  afterEach(() => {
    file.close()
    rmSync(folder, { recursive: true })
  })
  const stored = (value: unknown): unknown => {
    file.prepare('INSERT INTO t (b) VALUES (?)').run([value])
    return (file.prepare('SELECT b FROM t ORDER BY a DESC LIMIT 1').all([]) as { b: unknown }[])[0]?.b
  }

  it.each([
    [true, 1],
    [false, 0],
    [undefined, null],
    [null, null],
    ['text', 'text'],
    [2 ** 53 - 1, 2 ** 53 - 1],
    [Buffer.from([0, 1, 255]), Buffer.from([0, 1, 255])],
  ])('gives back %o as %o', (value, expected) => expect(stored(value)).toEqual(expected))

  it.each([['a\0b'], [new Date(0)], [{ a: 1 }], [[1]]])(
    'refuses %o as a wrong value, and lives on',
    (value) => {
      const error = ((): unknown => {
        try {
          return stored(value)
        } catch (thrown) {
          return thrown
        }
      })()
      expect(isRefusal(error)).toBe(true)
      expect(stored('next')).toBe('next')
    },
  )

  describe('that another process writes to', () => {
    const busy = (work: () => unknown): void => {
      const other = openFile(join(folder, 'a.db'), 0)
      other.exec('BEGIN IMMEDIATE')
      expect(work).toThrow(/database is locked/)
      other.exec('ROLLBACK')
      other.close()
    }

    it.each([
      ['INSERT INTO t (b) VALUES (1)', 'run' as const],
      ['INSERT INTO t (b) VALUES (1) RETURNING a', 'all' as const],
      ['WITH n AS (SELECT 1) UPDATE t SET b = 2 WHERE a IN (SELECT * FROM n) RETURNING a', 'all' as const],
    ])('commits the next transaction after "%s" was refused', (sql, way) => {
      const statement = file.prepare(sql)
      busy(() => statement[way]([]))
      file.exec('BEGIN IMMEDIATE')
      file.exec('COMMIT')
      expect(() => statement[way]([])).not.toThrow()
    })
    it('could not with the driver alone (control)', () => {
      const bare = new Libsql(join(folder, 'a.db'), { timeout: 0 })
      const statement = bare.prepare('INSERT INTO t (b) VALUES (1)')
      busy(() => statement.run([]))
      bare.exec('BEGIN IMMEDIATE')
      expect(() => bare.exec('COMMIT')).toThrow(/statements in progress/)
      expect(statement.reader).toBe(false) // alive until here
      bare.close()
    })
  })
  it('keeps nothing of a write that breaks a constraint', () => {
    file.prepare('INSERT INTO t (a, b) VALUES (1, 1)').run([])
    expect(() => file.prepare('INSERT INTO t (a, b) VALUES (2, 2), (1, 1)').run([])).toThrow(/UNIQUE/)
    expect(file.prepare('SELECT a FROM t').all([])).toEqual([{ a: 1 }])
  })
})
