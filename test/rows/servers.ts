import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { moveRows } from '../../src/rows/move-rows.ts'
import type { RowsOptions, RowsOutcome } from '../../src/rows/options.ts'
import { dialectFor } from '../../src/rows/server.ts'
import { openSession } from '../../src/sql/open-session.ts'
import type { Session } from '../../src/sql/session.ts'
import { fitsThread, runBeside } from '../command-thread.ts'
import { absent } from '../named-server.ts'
import { postgresPlace } from '../postgres.ts'

export const DIALECTS = ['mysql', 'postgres'] as const
export type Name = (typeof DIALECTS)[number]

const urlOf = (name: Name, database: string): string => {
  if (name === 'mysql')
    return `mysql://root@${process.env['MYSQL_HOST'] ?? '127.0.0.1'}:${process.env['MYSQL_PORT'] ?? 3306}/${database}`
  const { host, port, user, password } = postgresPlace()
  return `postgres://${user}${password ? `:${password}` : ''}@${host}:${port}/${database}`
}

const openUrl = (url: string): Promise<Session> => openSession({ url, password: undefined, timeout: 10_000 })

const inDatabase = (url: string, database: string): string => url.replace(/[^/]*$/, database)

export const serverAnswers = async (name: Name): Promise<boolean> =>
  openUrl(urlOf(name, name === 'mysql' ? 'mysql' : 'postgres')).then(
    async (session) => {
      await session.close()
      return true
    },
    absent(...(name === 'mysql' ? ['MYSQL_HOST', 'MYSQL_PORT'] : ['PGHOST', 'PGPORT'])),
  )

/** A database of a test's own, with a folder for the configuration, the ids and work_dir. */
export class Site {
  readonly name: Name
  readonly database: string
  readonly session: Session
  readonly folder: string

  readonly #admin: string

  private constructor(name: Name, database: string, session: Session, admin: string) {
    this.#admin = admin
    this.name = name
    this.database = database
    this.session = session
    this.folder = mkdtempSync(join(tmpdir(), 'archiver-rows-'))
  }

  /** `server` is the URL of another server's own database; there, a database may have a name that it has here too. */
  static async make(
    name: Name,
    server = urlOf(name, name === 'mysql' ? 'mysql' : 'postgres'),
    named?: string,
  ): Promise<Site> {
    const isTaken = server === urlOf(name, name === 'mysql' ? 'mysql' : 'postgres')
    const database = named === undefined || isTaken ? `rows_${randomBytes(6).toString('hex')}` : named
    const admin = await openUrl(server)
    await admin.run(`CREATE DATABASE ${database}`)
    await admin.close()
    return new Site(name, database, await openUrl(inDatabase(server, database)), server)
  }

  get url(): string {
    return inDatabase(this.#admin, this.database)
  }

  get schema(): string {
    return this.name === 'mysql' ? this.database : 'public'
  }

  get dialect() {
    return dialectFor(this.session)
  }

  async sql(...statements: string[]): Promise<void> {
    for (const statement of statements) await this.session.run(statement)
  }

  async count(table: string, where = '1 = 1'): Promise<number> {
    const { rows } = await this.session.run(`SELECT count(*) AS n FROM ${table} WHERE ${where}`)
    return Number(rows[0]!['n'])
  }

  async rows(sql: string): Promise<readonly Readonly<Record<string, string | null>>[]> {
    return (await this.session.run(sql)).rows
  }

  /** The live table `r` and its archive `ra` with ids 1 to `count`. */
  async fill(count: number, more = ''): Promise<void> {
    const text =
      this.name === 'mysql' ? 'VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci' : 'varchar(40)'
    const columns = `id BIGINT PRIMARY KEY, t ${text}, n DECIMAL(12,2), d DOUBLE PRECISION${more}`
    await this.sql(`CREATE TABLE r (${columns})`, `CREATE TABLE ra (${columns})`)
    if (count > 0) await this.insert(1, count)
  }

  async insert(from: number, to: number): Promise<void> {
    await this.sql(
      this.name === 'mysql'
        ? `INSERT INTO r (id, t, n, d) SELECT seq, CONCAT('row ', seq), seq / 3, seq / 7 FROM seq_${from}_to_${to}`
        : `INSERT INTO r (id, t, n, d) SELECT i, 'row ' || i, i / 3.0, i / 7.0 FROM generate_series(${from}, ${to}) i`,
    )
  }

  /** Waits until a session of this database waits for another one's lock. */
  async untilBlocked(): Promise<void> {
    const waiting =
      this.name === 'mysql'
        ? "SELECT 1 FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id WHERE t.trx_state = 'LOCK WAIT' AND p.db = DATABASE()"
        : "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    // InnoDB shows a new picture only to who has not asked for a tenth of a second.
    for (let tries = 0; tries < 100; tries++) {
      if ((await this.rows(waiting)).length > 0) return
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    throw new Error('the move never waited for the application')
  }

  /** The last text that a writer gave to each row while it was live. */
  readonly seen = new Map<string, string>()
  #side: Promise<Session> | undefined

  /** A writer's update through a connection of its own. */
  async side(update: string): Promise<void> {
    this.#side ??= openUrl(this.url)
    const { affected } = await (await this.#side).run(update)
    const [, text = '', id = ''] = /t = '([^']*)'.* id = (\d+)/.exec(update) ?? []
    if (affected === 1) this.seen.set(id, text)
  }

  /** Count and checksum of both tables together, and the ids that are in both. */
  async whole(): Promise<{ rows: number; sum: string; both: number }> {
    const hash =
      this.name === 'mysql'
        ? "BIT_XOR(CONV(LEFT(MD5(CONCAT_WS('|', id, t, n, CONCAT(d))), 15), 16, 10))"
        : 'sum(hashtextextended(ROW(id, t, n, d)::text, 0)::numeric)'
    // Each table by itself: together they would be a temporary table on disk.
    const { rows } = await this.session.run(
      `SELECT a.n + b.n AS n, ${this.name === 'mysql' ? 'a.h ^ b.h' : 'COALESCE(a.h, 0) + COALESCE(b.h, 0)'} AS h
       FROM (SELECT count(*) AS n, ${hash} AS h FROM r) a, (SELECT count(*) AS n, ${hash} AS h FROM ra) b`,
    )
    return {
      rows: Number(rows[0]!['n']),
      sum: String(rows[0]!['h']),
      both: await this.count('r JOIN ra USING (id)'),
    }
  }

  file(name: string, ids: readonly (string | number)[]): string {
    const path = join(this.folder, name)
    writeFileSync(path, `${ids.join('\n')}\n`)
    return path
  }

  config(more: Readonly<Record<string, unknown>> = {}): string {
    const path = join(this.folder, 'config.yaml')
    const rows = {
      source: this.url,
      table: 'r',
      archive_table: 'ra',
      files: join(this.folder, '*.csv'),
      batch_size: 100,
      ...more,
    }
    writeFileSync(
      path,
      JSON.stringify({ app: { work_dir: join(this.folder, 'work') }, ledger: { url: 'off' }, rows }, null, 2),
      { mode: 0o600 },
    )
    return path
  }

  /** Moves rows in this process, as the command does. */
  move(more: Partial<RowsOptions> = {}): Promise<RowsOutcome> {
    const files = readdirSync(this.folder)
      .filter((file) => file.endsWith('.csv'))
      .map((file) => join(this.folder, file))
    return moveRows({ ...moveOptions(this.url, files), ...more })
  }

  async run(...words: string[]): Promise<Ended> {
    return runArchiver(['rows', 'run', join(this.folder, 'config.yaml'), ...words])
  }

  async drop(): Promise<void> {
    await (await this.#side)?.close()
    await this.session.close()
    const admin = await openUrl(this.#admin)
    await admin.run(`DROP DATABASE ${this.database}${this.name === 'postgres' ? ' WITH (FORCE)' : ''}`)
    await admin.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The options of a move of `r` to `ra`. */
export const moveOptions = (url: string, files: readonly string[]): RowsOptions => {
  const free = { lag: 0, hll: 0, throttledMs: 0, reason: undefined, cause: undefined, end: undefined }
  return {
    places: {
      source: { url, password: undefined, timeout: 10_000 },
      archive: undefined,
      log: undefined,
    },
    table: 'r',
    archiveTable: 'ra',
    files,
    where: undefined,
    children: [],
    list: { columns: [], header: 'auto', badLines: 'stop' },
    batchSize: 100,
    mode: 'move',
    onBatchError: 'stop',
    runTimeMs: undefined,
    limitBatches: undefined,
    sleepMs: 0,
    graceMs: 10_000,
    forced: new Set(),
    gate: {
      ready: () => Promise.resolve(),
      pass: () => Promise.resolve(free),
      rest: () => 0,
      lags: new Map(),
      close: () => Promise.resolve(),
    },
    listener: () => undefined,
    warn: () => undefined,
    redact: (text) => text,
    signal: new AbortController().signal,
    monotonic: () => performance.now(),
    now: () => Date.now(),
    quietMs: 30_000,
    self: { pid: process.pid, host: 'test', bootId: 'boot', startTicks: 1 },
    here: { host: 'test', bootId: 'boot', startTicksOf: () => undefined },
    runId: 'test',
  }
}

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly out: string
  readonly err: string
}

/** Starts the built program. */
export const startArchiver = (words: readonly string[]): { child: ChildProcess; ended: Promise<Ended> } => {
  const child = spawn(process.execPath, ['dist/main.js', ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += String(chunk)))
  child.stderr.on('data', (chunk: Buffer) => (err += String(chunk)))
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, out, err })),
  )
  return { child, ended }
}

/** Runs the built program to its end, in a thread where no process is meant; two at once are started with `startArchiver`. */
export const runArchiver = async (words: readonly string[]): Promise<Ended> => {
  if (!fitsThread(words)) return startArchiver(words).ended
  const { status, signal, stdout, stderr } = await runBeside(words)
  return { code: status, signal, out: stdout, err: stderr }
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at)
