import { createConnection } from 'mysql2/promise'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { LedgerDatabase } from '../../../src/tracking/ledger/schema-types.ts'
import { openDatabase } from '../../../src/sql/open-database.ts'
import { databasePlace, type DialectName } from '../../../src/sql/database-url.ts'
import { absent } from '../../named-server.ts'
import { postgresAnswers, postgresPlace } from '../../postgres.ts'

/** A database of one's own on one engine, and what makes it vanish. */
export interface Place {
  readonly dialect: DialectName
  readonly url: string
  readonly schema: string
  readonly workDir: string
  open(): Promise<LedgerDatabase>
  drop(): Promise<void>
}

const postgres = postgresPlace()
const mysql = {
  host: process.env['MYSQL_HOST'] ?? '127.0.0.1',
  port: Number(process.env['MYSQL_PORT'] ?? 3306),
  user: process.env['MYSQL_USER'] ?? 'root',
  password: process.env['MYSQL_PASSWORD'] ?? '',
  connectTimeout: 2000,
}

const mysqlAnswers = async (): Promise<boolean> => {
  try {
    await (await createConnection(mysql)).end()
    return true
  } catch (error) {
    return absent('MYSQL_HOST', 'MYSQL_PORT')(error)
  }
}

/** Which engines can be tried here. The others are named, so that nobody takes a skipped test for a passed one. */
export const engines = async (): Promise<DialectName[]> => {
  const there: DialectName[] = ['sqlite']
  if (await postgresAnswers()) there.push('postgres')
  else
    console.warn(`SKIPPED: no PostgreSQL at ${postgres.host}:${postgres.port} (set PGHOST, PGPORT, PGUSER)`)
  if (await mysqlAnswers()) there.push('mysql')
  else
    console.warn(`SKIPPED: no MySQL or MariaDB at ${mysql.host}:${mysql.port} (set MYSQL_HOST, MYSQL_PORT)`)
  return there
}

export const admin = async (dialect: 'postgres' | 'mysql', statement: string): Promise<void> => {
  if (dialect === 'postgres') {
    const client = new pg.Client({ ...postgres, database: 'postgres' })
    await client.connect()
    await client.query(statement).finally(() => client.end())
    return
  }
  const connection = await createConnection(mysql)
  await connection.query(statement).finally(() => connection.end())
}

/** A fresh database: a file in a folder of its own, or a database on the server with a name nobody else has. */
export const freshPlace = async (dialect: DialectName): Promise<Place> => {
  const workDir = mkdtempSync(join(tmpdir(), 'ledger-'))
  const name = `ledger_test_${randomBytes(6).toString('hex')}`
  if (dialect !== 'sqlite') await admin(dialect, `CREATE DATABASE ${name}`)
  const url = {
    sqlite: 'sqlite:ledger.db',
    postgres: `postgres://${postgres.user}:${postgres.password}@${postgres.host}:${postgres.port}/${name}`,
    mysql: `mysql://${mysql.user}:${mysql.password}@${mysql.host}:${mysql.port}/${name}`,
  }[dialect]
  const schema = 'tasker'
  return {
    dialect,
    url,
    schema,
    workDir,
    open: () => {
      const place = databasePlace(url, workDir)
      if (!place) throw new Error('no place')
      return openDatabase({ place, schema, password: undefined, timeout: 5000 })
    },
    drop: async () => {
      if (dialect === 'postgres') await admin(dialect, `DROP DATABASE ${name} WITH (FORCE)`)
      if (dialect === 'mysql') await admin(dialect, `DROP DATABASE ${name}`)
      rmSync(workDir, { recursive: true, force: true })
    },
  }
}
