import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresAnswers, postgresPlace } from '../postgres.ts'
import { runProgram } from '../site.ts'

const hasPostgres = await postgresAnswers()
const NAME = `archiver_refused_${process.pid}`
const folder = mkdtempSync(join(tmpdir(), 'refused-'))
const config = join(folder, 'config.yaml')
const { host, port, user, password } = postgresPlace()

const inPostgres = async (database: string, ...statements: string[]): Promise<void> => {
  const client = new pg.Client({ ...postgresPlace(), database })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}
const configure = (as: string, word: string): void =>
  writeFileSync(
    config,
    `app:\n  work_dir: ${folder}\nledger:\n  url: postgres://${as}:${word}@${host}:${port}/${NAME}\n`,
  )

describe.skipIf(!hasPostgres)('a command whose database user may not read one of the tables', () => {
  beforeAll(async () => {
    await inPostgres('postgres', `CREATE DATABASE ${NAME}`, `CREATE ROLE ${NAME} LOGIN PASSWORD 'weak'`)
    configure(user, encodeURIComponent(password))
    const made = runProgram(['track', 'migrate-schema', '--config', config])
    expect(made.stderr).toBe('')
    await inPostgres(
      NAME,
      `GRANT USAGE ON SCHEMA tasker TO ${NAME}`,
      `GRANT SELECT ON ALL TABLES IN SCHEMA tasker TO ${NAME}`,
      `REVOKE SELECT ON tasker.tasks FROM ${NAME}`,
    )
    configure(NAME, 'weak')
  })
  afterAll(async () => {
    await inPostgres(
      'postgres',
      `DROP DATABASE IF EXISTS ${NAME} WITH (FORCE)`,
      `DROP ROLE IF EXISTS ${NAME}`,
    )
    rmSync(folder, { recursive: true, force: true })
  })

  it.each(['current', 'archive'])('says what the server refused, and no bug: track %s', (command) => {
    const { status, stderr } = runProgram(['track', command, '--config', config])
    expect(stderr).toMatch(/permission denied for table \w+ \[DATABASE_REFUSED\]\n {2}look at the rights/)
    expect(status).toBe(1)
  })
  it('says it in the JSON document, too', () => {
    const { status, stdout } = runProgram(['track', 'current', '--json', '--config', config])
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'DATABASE_REFUSED' } })
    expect(status).toBe(1)
  })
})
