import { readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ArchiveFolder } from '../../../src/rows/archive-files/archive-folder.ts'
import { archivedRows } from '../../../src/rows/archive-files/exact-rows.ts'
import { beginRestore, restoreRows } from '../../../src/rows/archive-files/restore-files.ts'
import { filesPair } from '../../../src/rows/preflight/archive-files.ts'
import type { Session } from '../../../src/sql/session.ts'
import { FilesSite } from '../files-site.ts'
import { serverAnswers, Site } from '../servers.ts'

const isThere = await serverAnswers('mysql')
if (!isThere) console.warn('SKIPPED: no mysql server answers: no rows are restored from files there')

/** A session that notes the statements that set something. */
const noting = (session: Session, set: string[]): Session => ({
  ...session,
  run: (sql, parameters) => {
    if (sql.startsWith('SET ')) set.push(sql)
    return session.run(sql, parameters)
  },
})

describe.skipIf(!isThere)('a restore of several files of MariaDB rows', () => {
  let site: Site
  let files: FilesSite
  beforeEach(async () => {
    site = await Site.make('mysql')
    files = new FilesSite(site)
  })
  afterEach(() => site.drop())

  it('sets the mode of its connection once, and gives invalid values of each file back', async () => {
    await site.sql(
      "CREATE TABLE r (id INT PRIMARY KEY, e ENUM('a', 'b'))",
      "SET sql_mode = ''",
      "INSERT IGNORE INTO r VALUES (1, 'none'), (2, 'a'), (3, 'none')",
    )
    site.file('ids.csv', [1, 2, 3])
    await site.move({ ...files.options(), batchSize: 1 })
    const placed = files.files('placed')
    expect([await site.count('r'), placed.length]).toEqual([0, 3])
    const { folder } = files
    const about = { folder, format: 'jsonl' } as const
    const archive = new ArchiveFolder(about, `${site.schema}.r`)
    const set: string[] = []
    const session = noting(site.session, set)
    const table = await site.dialect.describe(session, 'r')
    const { pair } = filesPair(table!, about, session)
    await site.sql("SET sql_mode = 'STRICT_ALL_TABLES'")
    const restore = async (path: string): Promise<number> => {
      const content = await archive.content(`${basename(dirname(path))}/${basename(path)}`)
      expect(content).toEqual(readFileSync(path))
      const rows = archivedRows('jsonl', site.dialect, pair, content!)
      return (await restoreRows(session, site.dialect, pair, rows)).restored
    }
    // Control: a connection that was not made ready takes no invalid value.
    await expect(
      restore(placed[0]!)
        .then(() => restore(placed[1]!))
        .then(() => restore(placed[2]!)),
    ).rejects.toThrow()
    await site.sql('DELETE FROM r')
    set.length = 0
    await beginRestore(session)
    for (const path of placed) expect(await restore(path)).toBe(1)
    expect(set.filter((sql) => sql.includes('sql_mode'))).toHaveLength(1)
    expect(await site.rows('SELECT id, CAST(e AS UNSIGNED) AS e FROM r ORDER BY id')).toEqual([
      { id: '1', e: '0' },
      { id: '2', e: '1' },
      { id: '3', e: '0' },
    ])
  })
})
