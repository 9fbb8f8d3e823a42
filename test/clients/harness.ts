import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { postgresPlace } from '../postgres.ts'

export const PROGRAM = resolve('dist/main.js')
const server = postgresPlace()

/** Whether a program can be started here: its tests are skipped by name where it cannot. */
export const canRun = (file: string, ...words: string[]): boolean => {
  const there = spawnSync(file, words, { encoding: 'utf8' }).status === 0
  if (!there) console.warn(`SKIPPED: ${[file, ...words].join(' ')} does not run here`)
  return there
}

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A database of executions of its own on PostgreSQL, and programs that report to it. */
export class TrackingSite {
  readonly folder = mkdtempSync(join(tmpdir(), 'tracking-'))
  readonly name = `tracking_test_${randomBytes(6).toString('hex')}`
  readonly env: Record<string, string>

  constructor() {
    this.env = {
      MONITOR_DB_HOST: server.host,
      MONITOR_DB_PORT: String(server.port),
      MONITOR_DB_USER: server.user,
      MONITOR_DB_PASSWORD: server.password,
      MONITOR_DB_NAME: this.name,
      MONITOR_SPOOL_DIR: join(this.folder, 'spool'),
      RUN_ARCHIVER_TRACK: `${process.execPath} ${PROGRAM} track pipe`,
    }
  }

  async create(): Promise<void> {
    await this.admin(`CREATE DATABASE ${this.name}`)
    const made = this.run(process.execPath, [PROGRAM, 'track', 'migrate-schema'])
    if (made.status !== 0) throw new Error(made.stderr)
  }

  async admin(statement: string): Promise<void> {
    const client = new pg.Client({ ...server, database: 'postgres' })
    await client.connect()
    await client.query(statement).finally(() => client.end())
  }

  async query(statement: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ ...server, database: this.name })
    await client.connect()
    const { rows } = await client.query<Record<string, unknown>>(statement).finally(() => client.end())
    return rows
  }

  run(file: string, words: readonly string[], env: Record<string, string> = {}): Ran {
    return spawnSync(file, words, {
      encoding: 'utf8',
      cwd: this.folder,
      timeout: 60_000,
      env: { ...process.env, ...this.env, ...env },
    })
  }

  track(...words: string[]): Ran {
    return this.run(process.execPath, [PROGRAM, 'track', ...words])
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text)
    return path
  }

  async remove(): Promise<void> {
    await this.admin(`DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`)
    rmSync(this.folder, { recursive: true, force: true })
  }
}
