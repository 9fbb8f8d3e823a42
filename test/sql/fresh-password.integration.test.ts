import { createConnection } from 'mysql2/promise'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Secret } from '../../src/common/secret.ts'
import { openRecordsDatabase } from '../../src/records/sql/open-database.ts'
import { databasePassword } from '../../src/sql/fresh-password.ts'
import { openMysql } from '../../src/sql/mysql.ts'
import { launchMariadb } from '../mariadb.ts'

const mariadb = await launchMariadb()
if (!mariadb) console.warn('SKIPPED: no MariaDB is installed: no password is changed there')
afterAll(() => mariadb?.stop())

const asRoot = async (...statements: string[]): Promise<void> => {
  const root = await createConnection(mariadb?.url ?? '')
  for (const statement of statements) await root.query(statement)
  await root.end()
}

/** Changes the password, and ends the sessions that began with the old one. */
const change = (password: string): Promise<void> =>
  asRoot(`SET PASSWORD FOR app@'%' = PASSWORD('${password}')`, "KILL USER app@'%'")

/** The first question after it finds its connection ended. */
const twice = async (ask: () => Promise<unknown>): Promise<unknown> => {
  await ask().catch(() => undefined)
  return ask()
}

describe.skipIf(mariadb === undefined)('a password of MariaDB that is changed while a daemon runs', () => {
  let written = 'first'
  beforeEach(async () => {
    written = 'first'
    await asRoot("CREATE USER app@'%' IDENTIFIED BY 'first'", "GRANT ALL ON *.* TO app@'%'")
  })
  afterEach(() => asRoot("DROP USER app@'%'"))
  const server = (password = ''): string =>
    (mariadb?.url ?? '').replace('root@', `app${password === '' ? '' : `:${password}`}@`)
  const setting = () => new Secret(written, () => written)
  const url = () => new Secret(server(written), () => server(written))

  it.each([
    { where: 'its own setting', found: () => ({ server: server(), password: setting() }) },
    {
      where: 'the URL',
      found: () => ({
        server: server(written),
        password: databasePassword({ url: url(), password: undefined }),
      }),
    },
  ])('is read again from $where, by the ledger and by records', async ({ found }) => {
    const { server: at, password } = found()
    const ledger = openMysql(at, password, { timeout: 5000, connections: 1 })
    const records = await openRecordsDatabase({
      place: { dialect: 'mysql', server: at },
      password,
      connections: 1,
      timeout: 5000,
    })
    const ask = [() => sql`SELECT 1`.execute(ledger.kysely), () => records.session.rows('SELECT 1 AS one')]
    for (const one of ask) await one()
    await change('second')
    for (const one of ask) await expect(twice(one)).rejects.toThrow(/Access denied/)
    written = 'second'
    for (const one of ask) await twice(one)
    await ledger.close()
    await records.close()
  })
})
