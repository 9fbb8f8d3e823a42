import { makeOnce } from '../../sql/make.ts'
import type { Session, Statement } from '../../sql/session.ts'
import { addColumns, createTable, LOG_TABLES, type LogTable } from './tables.ts'

type Value = string | number | null

/** The log tables of one database, through one connection. */
export class LogDatabase {
  readonly session: Session
  /** The database (MySQL) or schema (PostgreSQL) of the tables. */
  readonly schema: string
  /** Where the rows are, if the tables are in another database: several sources may share them there. */
  readonly source: string | undefined
  constructor(session: Session, schema: string, source?: string) {
    this.session = session
    this.source = source
    this.schema = schema
  }

  /** SQL, with its values, that no execution of another source fulfils, by its id: those that have no name of a source are of an earlier version. */
  notOfOthers(id: string): { readonly sql: string; readonly values: readonly string[] } {
    if (this.source === undefined) return { sql: '', values: [] }
    return {
      sql: ` AND ${id} NOT IN (SELECT id FROM {process_logs} WHERE source_name <> ?)`,
      values: [this.source],
    }
  }

  /** The server's clock in its own time zone, so that queries with NOW() agree. */
  get now(): string {
    return this.session.dialect === 'mysql'
      ? "CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', @@GLOBAL.time_zone)"
      : 'clock_timestamp()'
  }

  place(table: string): string {
    const mark = this.session.dialect === 'mysql' ? '`' : '"'
    return `${mark}${this.schema}${mark}.${mark}${table}${mark}`
  }

  /** Names of log tables that are views here: the ledger's own. */
  async views(): Promise<readonly string[]> {
    const { rows } = await this.session.run(
      this.#sql('SELECT table_name AS name FROM information_schema.views WHERE table_schema = ?'),
      [this.schema],
    )
    const names = rows.map(({ name }) => name ?? '')
    return names.filter((name) => name in LOG_TABLES)
  }

  /** Log tables, as another program may have made them, that a rollback or a crash treats in another way than the rows. */
  async unfit(): Promise<readonly string[]> {
    const { rows } = await this.session.run(
      this.session.dialect === 'mysql'
        ? "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE' AND ENGINE <> 'InnoDB'"
        : "SELECT relname AS name FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = $1 AND relkind = 'r' AND relpersistence <> 'p'",
      [this.schema],
    )
    return rows.map(({ name }) => name ?? '').filter((name) => name in LOG_TABLES)
  }

  /** Whether the log tables are there, all of them and ours: a first run that was killed leaves some, and the original script has its own. */
  async exists(): Promise<boolean> {
    for (const table of Object.keys(LOG_TABLES)) if ((await this.columnsOf(table)).size === 0) return false
    return (await this.columnsOf('batch_processing_logs')).has('ids_requested')
  }

  /** These columns for a SELECT: those that tables of an earlier version lack are NULL. */
  async selection(table: LogTable, names: readonly string[], alias: string): Promise<string> {
    const present = await this.columnsOf(table)
    return names.map((name) => `${present.has(name) ? `${alias}.${name}` : 'NULL'} AS ${name}`).join(', ')
  }

  /** Makes the tables, and adds columns that those of an earlier version lack. Safe by several processes at once. */
  async prepare(): Promise<void> {
    for (const table of Object.keys(LOG_TABLES)) await makeOnce(() => this.#make(table))
  }

  async #make(table: string): Promise<void> {
    const { dialect } = this.session
    const place = (name: string): string => this.place(name)
    const present = await this.columnsOf(table)
    if (present.size === 0) await this.session.run(createTable(table, dialect, place))
    else for (const sql of addColumns(table, present, dialect, place)) await this.session.run(sql)
  }

  /** The columns that a log table has; none where it is not there. */
  async columnsOf(table: string): Promise<ReadonlySet<string>> {
    const { rows } = await this.session.run(
      this.#sql(
        'SELECT column_name AS name FROM information_schema.columns WHERE table_schema = ? AND table_name = ?',
      ),
      [this.schema, table],
    )
    return new Set(rows.map(({ name }) => name ?? ''))
  }

  /** Runs a statement with `{table}` for the name of a log table, `?` for a value and `{now}` for the time. */
  async run(text: string, values: readonly Value[] = []) {
    const { sql, parameters } = this.statement(text, values)
    return this.session.run(sql, parameters)
  }

  /** The same, to be run with others. */
  statement(sql: string, parameters: readonly Value[] = []): Statement {
    const named = sql
      .replaceAll('{now}', this.now)
      .replace(/\{(\w+)\}/g, (_match, table: string) => this.place(table))
    return { sql: this.#sql(named), parameters }
  }

  /** Runs statements in a transaction of their own: all of them happen, or none. */
  async runWhole(statements: readonly Statement[]): Promise<void> {
    const begin = this.session.dialect === 'mysql' ? 'START TRANSACTION' : 'BEGIN'
    try {
      await this.session.runAll([{ sql: begin }, ...statements, { sql: 'COMMIT' }])
    } catch (error) {
      await this.session.run('ROLLBACK').catch(() => undefined) // a broken connection has rolled back by itself
      throw error
    }
  }

  /** Inserts a row. Times may be given as the text `now`. */
  async insert(table: LogTable, cells: Readonly<Record<string, Value>>): Promise<void> {
    const { sql, parameters } = this.insertion(table, cells)
    await this.session.run(sql, parameters)
  }

  /** The statement that inserts a row. */
  insertion(table: LogTable, cells: Readonly<Record<string, Value>>): Statement {
    const names = Object.keys(cells)
    return this.statement(
      `INSERT INTO {${table}} (${names.join(', ')}) VALUES (${names.map(this.#value(cells)).join(', ')})`,
      this.#parameters(cells),
    )
  }

  /** Inserts a row and gives its id. */
  async insertNew(table: LogTable, cells: Readonly<Record<string, Value>>): Promise<number> {
    const names = Object.keys(cells)
    const returning = this.session.dialect === 'mysql' ? '' : ' RETURNING id'
    const { rows } = await this.run(
      `INSERT INTO {${table}} (${names.join(', ')}) VALUES (${names.map(this.#value(cells)).join(', ')})${returning}`,
      this.#parameters(cells),
    )
    if (returning !== '') return Number(rows[0]?.['id'])
    return Number((await this.session.run('SELECT LAST_INSERT_ID() AS id')).rows[0]?.['id'])
  }

  async update(
    table: LogTable,
    cells: Readonly<Record<string, Value>>,
    where: string,
    values: readonly Value[],
  ): Promise<number> {
    const set = Object.keys(cells).map((name) => `${name} = ${this.#value(cells)(name)}`)
    if (this.session.dialect === 'postgres' && table !== 'row_conflicts')
      set.push('updated_at = clock_timestamp()')
    const { affected } = await this.run(`UPDATE {${table}} SET ${set.join(', ')} WHERE ${where}`, [
      ...this.#parameters(cells),
      ...values,
    ])
    return affected
  }

  #value(cells: Readonly<Record<string, Value>>): (name: string) => string {
    return (name) => (isNow(name, cells) ? '{now}' : '?')
  }

  #parameters(cells: Readonly<Record<string, Value>>): Value[] {
    return Object.entries(cells).flatMap(([name, value]) => (isNow(name, cells) ? [] : [value]))
  }

  #sql(text: string): string {
    let number = 0
    return this.session.dialect === 'mysql' ? text : text.replaceAll('?', () => `$${++number}`)
  }
}

const isNow = (name: string, cells: Readonly<Record<string, Value>>): boolean =>
  /(?:_time|_at)$/.test(name) && cells[name] === 'now'
