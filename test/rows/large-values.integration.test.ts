import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSession } from '../../src/sql/open-session.ts'
import { startMariadb } from './mariadb.ts'
import { Site } from './servers.ts'

const server = await startMariadb('--max-allowed-packet=16M')
if (!server)
  console.warn('SKIPPED: no MariaDB could be started: values above max_allowed_packet are not tested')

/** New sessions take the limit that the server has when they begin. */
const limit = async (bytes: number): Promise<void> => {
  const session = await openSession({ url: server?.url ?? '', password: undefined, timeout: 10_000 })
  await session.run(`SET GLOBAL max_allowed_packet = ${bytes}`)
  await session.close()
}

describe.skipIf(!server)('values that are larger than max_allowed_packet', () => {
  let site: Site
  beforeEach(async () => {
    await limit(16 * 1024 * 1024)
    site = await Site.make('mysql', server?.url)
    const columns = 'id BIGINT PRIMARY KEY, t LONGTEXT, b LONGBLOB, j JSON'
    await site.sql(`CREATE TABLE r (${columns})`, `CREATE TABLE ra (${columns})`)
    site.file('ids.csv', [1, 2])
  })
  afterEach(() => site.drop())

  const large = (last: string): string => `CONCAT(REPEAT('a', 2999999), '${last}')`

  it.each(['t', 'b', 'j'])(
    'of column %s never count as identical because the server can show neither: both versions stay',
    async (column) => {
      const value = (last: string) => (column === 'j' ? `JSON_QUOTE(${large(last)})` : large(last))
      await site.sql(
        `INSERT INTO r (id, ${column}) VALUES (1, ${value('x')}), (2, ${column === 'j' ? "'1'" : "'small'"})`,
        `INSERT INTO ra (id, ${column}) VALUES (1, ${value('y')})`,
      )
      await limit(1024 * 1024)
      await site.move({ forced: new Set(['packet-size'] as const) }).catch(() => undefined)
      expect(await site.rows('SELECT id FROM r WHERE id = 1')).toEqual([{ id: '1' }])
      expect(await site.rows(`SELECT RIGHT(${column}, 2) LIKE '%y%' AS kept FROM ra WHERE id = 1`)).toEqual([
        { kept: '1' },
      ])
    },
  )
})
