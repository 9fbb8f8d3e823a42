import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { migrate, type Migration } from '../../../src/sql/migrate.ts'
import { writeRows } from '../../../src/tracking/ledger/upsert.ts'
import { migrateLedger } from '../../../src/tracking/ledger/migrate-ledger.ts'
import { LEDGER_MIGRATIONS } from '../../../src/tracking/ledger/migrations/ledger-migrations.ts'
import { OWN_VIEWS } from '../../../src/tracking/ledger/own-views.ts'
import { TABLES } from '../../../src/tracking/ledger/tables.ts'
import { VIEWS } from '../../../src/tracking/ledger/views.ts'
import { openDatabase } from '../../../src/sql/open-database.ts'
import { databasePlace } from '../../../src/sql/database-url.ts'
import { admin, engines, freshPlace, type Place } from './engines.ts'

const options = { now: () => 0, by: 'test' }

describe.each(await engines())('a ledger on %s', (dialect) => {
  let place: Place
  beforeEach(async () => (place = await freshPlace(dialect)))
  afterEach(() => place.drop())

  it('has every table and every view, and says which version it is', async () => {
    const database = await place.open()
    expect(await migrateLedger(database, options)).toEqual([])
    for (const name of Object.keys(TABLES)) {
      const table = database.schema ? `${database.schema}.${name}` : name
      expect((await sql.raw(`SELECT * FROM ${table}`).execute(database.kysely)).rows).toEqual([])
    }
    const own = OWN_VIEWS.map((name) => (database.schema ? `${database.schema}.${name}` : name))
    for (const name of [...VIEWS, 'pipeline_status_history', ...own])
      expect((await sql.raw(`SELECT * FROM ${name}`).execute(database.kysely)).rows).toEqual([])
    await database.close()
  })

  it('is migrated once, however often and by however many programs at once', async () => {
    const databases = await Promise.all([1, 2, 3].map(() => place.open()))
    await Promise.all(databases.map((database) => migrateLedger(database, options)))
    for (const database of databases) await migrateLedger(database, options)
    const table = databases[0]?.schema ? 'tasker.schema_version' : 'schema_version'
    const { rows } = await sql<{
      version: number
    }>`SELECT version FROM ${sql.raw(table)} ORDER BY version`.execute(databases[0]!.kysely)
    expect(rows.map(({ version }) => version)).toEqual([
      0,
      ...LEDGER_MIGRATIONS.map(({ version }) => version),
    ])
    for (const database of databases) await database.close()
  })

  it('is brought to the end by the next start when a migration was cut short after any of its statements', async () => {
    const database = await place.open()
    for (const migration of LEDGER_MIGRATIONS) {
      const before = LEDGER_MIGRATIONS.filter(({ version }) => version < migration.version)
      const statements = migration.statements(dialect, dialect === 'postgres' ? 'tasker' : undefined)
      for (let cut = 0; cut < statements.length; cut += 3) {
        const broken: Migration = {
          ...migration,
          statements: () => [...statements.slice(0, cut), 'THIS IS NO SQL'],
        }
        const attempt = { subsystem: 'ledger', migrations: [...before, broken], ...options }
        await expect(migrate(database, attempt)).rejects.toThrow()
      }
    }
    expect(await migrateLedger(database, options)).toEqual([])
    await database.close()
  })

  it('of version 1 keeps every row', async () => {
    const database = await place.open()
    await migrate(database, { subsystem: 'ledger', migrations: LEDGER_MIGRATIONS.slice(0, 1), ...options })
    const cells = {
      run_id: 'a0000000-0000-4000-8000-000000000001',
      task_name: 'incremental',
      hostname: 'daq01',
      process_id: 7,
      execution_start: '2026-01-02 03:04:05.678',
      last_update: '2026-01-02 03:04:06.000',
      execution_status: 'FINISHED',
      revision: 3,
    }
    await writeRows(
      database.kysely,
      [{ table: 'executions', cells, transient: false }],
      dialect,
      database.schema,
    )
    expect(await migrateLedger(database, options)).toEqual([])
    const { rows } = await sql`SELECT task_name, process_id, revision, eta_basis FROM
      ${sql.raw(database.schema ? 'tasker.executions' : 'executions')}`.execute(database.kysely)
    expect(rows).toEqual([{ task_name: 'incremental', process_id: 7, revision: 3, eta_basis: null }])
    await database.close()
  })

  it('that a newer program made is left alone', async () => {
    const database = await place.open()
    const future: Migration = { version: 99, name: 'future', statements: () => [] }
    await migrateLedger(database, { ...options, migrations: [...LEDGER_MIGRATIONS, future] })
    await expect(migrateLedger(database, options)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
    await database.close()
  })

  it('leaves a table alone that has the name of a view', async () => {
    const database = await place.open()
    await sql`CREATE TABLE process_logs (id INTEGER)`.execute(database.kysely)
    await sql`INSERT INTO process_logs VALUES (7)`.execute(database.kysely)
    expect(await migrateLedger(database, options)).toEqual(['process_logs'])
    expect((await sql`SELECT id FROM process_logs`.execute(database.kysely)).rows).toEqual([{ id: 7 }])
    await database.close()
  })
})

describe.skipIf(!(await engines()).includes('postgres'))(
  'a PostgreSQL user who may make nothing in public',
  () => {
    it('has the views beside the tables, in the schema that was made for the ledger', async () => {
      const place = await freshPlace('postgres')
      const role = new URL(place.url).pathname.slice(1).replace('test', 'role')
      await admin('postgres', `CREATE ROLE ${role} LOGIN PASSWORD 'pw-of-the-role'`)
      try {
        const owner = await place.open()
        await sql.raw(`CREATE SCHEMA tasker AUTHORIZATION ${role}`).execute(owner.kysely)
        await owner.close()
        const server = new URL(place.url)
        server.username = role
        server.password = 'pw-of-the-role'
        const where = { dialect: 'postgres', server: server.href } as const
        const database = await openDatabase({
          place: where,
          schema: 'tasker',
          password: undefined,
          timeout: 5000,
        })
        expect(await migrateLedger(database, options)).toEqual([])
        expect((await sql`SELECT * FROM tasker.process_logs`.execute(database.kysely)).rows).toEqual([])
        await database.close()
      } finally {
        await place.drop()
        await admin('postgres', `DROP ROLE ${role}`)
      }
    })

    it('leave the views of another ledger in the same database to it, and make their own beside their tables', async () => {
      const place = await freshPlace('postgres')
      try {
        const to = databasePlace(place.url, place.workDir)!
        const ledgers = ['mu2e', 'sbnd'].map((schema) => ({
          place: to,
          schema,
          password: undefined,
          timeout: 5000,
        }))
        for (let again = 0; again < 2; again++)
          for (const ledger of ledgers) {
            const database = await openDatabase(ledger)
            await sql.raw(`DROP TABLE IF EXISTS ${ledger.schema}.schema_version`).execute(database.kysely)
            expect(await migrateLedger(database, options)).toEqual([])
            await database.close()
          }
        const database = await place.open()
        const { rows } = await sql<{ place: string; tables: string }>`
          SELECT view_schema AS place, table_schema AS tables FROM information_schema.view_table_usage
          WHERE view_name = 'process_logs' ORDER BY 1`.execute(database.kysely)
        expect(rows).toEqual([
          { place: 'public', tables: 'mu2e' },
          { place: 'sbnd', tables: 'sbnd' },
        ])
        await database.close()
      } finally {
        await place.drop()
      }
    })
  },
)
