import { TdsServer, type Answer, type Asked } from './tds-server.ts'

/** What happens at the nth request that the pattern fits: an error, a connection that breaks before it took effect, or after. */
export interface Fault {
  readonly at: RegExp | 'begin' | 'commit'
  readonly nth?: number
  readonly does: number | 'cut before' | 'cut after'
}

const COLUMNS: Readonly<Record<string, readonly [string, string][]>> = {
  orders: [
    ['record_id', 'bigint'],
    ['total', 'decimal'],
    ['placed', 'datetime2'],
  ],
}

/**
 * Keeps what a run into SQL Server writes, in memory: log rows and inserted rows count when their transaction is committed, and never after a
 * rollback or a broken connection. It knows the statements of this program by their beginnings, and no SQL.
 */
export class SmallStore {
  readonly log = new Map<string, string>()
  readonly inserted: string[] = []
  readonly server: TdsServer
  readonly #faults: (Fault & { left: number })[]
  readonly #open = new Map<number, { log: Map<string, string>; inserted: string[] }>()
  #hasLog = false

  constructor(faults: readonly Fault[] = []) {
    this.#faults = faults.map((fault) => ({ ...fault, left: fault.nth ?? 1 }))
    this.server = new TdsServer((asked) => this.#answered(asked))
  }

  /** What was asked after the log was made, in its order: the beginnings of statements. */
  get order(): string[] {
    return this.server.asked
      .map(({ type, sql }) =>
        type === 'sql'
          ? (/^(?:INSERT INTO|UPDATE|SET IDENTITY_INSERT) \[\w+\]|^IF OBJECT_ID/.exec(sql)?.[0] ?? 'SELECT')
          : type,
      )
      .filter((one) => one !== 'SELECT' && !one.startsWith('IF'))
  }

  #answered(asked: Asked): Answer {
    const fault = this.#faults.find(
      ({ at, left }) => left > 0 && (typeof at === 'string' ? at === asked.type : at.test(asked.sql)),
    )
    if (fault && --fault.left === 0) {
      if (typeof fault.does === 'number') {
        // A deadlock's victim has no transaction any more.
        if (fault.does === 1205) this.#open.delete(asked.connection)
        return {
          error: fault.does,
          message: `Violation of PRIMARY KEY constraint 'PK_orders'. The value is (secret).`,
        }
      }
      if (fault.does === 'cut after') this.#takeEffect(asked)
      this.#open.delete(asked.connection)
      return 'cut'
    }
    return this.#takeEffect(asked)
  }

  #takeEffect({ type, sql, values, connection }: Asked): Answer {
    const open = this.#open.get(connection)
    switch (type) {
      case 'begin':
        this.#open.set(connection, { log: new Map(), inserted: [] })
        return {}
      case 'rollback':
        if (!open) return { error: 3903, message: 'no corresponding BEGIN TRANSACTION' }
        this.#open.delete(connection)
        return {}
      case 'commit':
        if (!open) return { error: 3902, message: 'no corresponding BEGIN TRANSACTION' }
        for (const [key, status] of open.log) this.log.set(key, status)
        this.inserted.push(...open.inserted)
        this.#open.delete(connection)
        return {}
      case 'sql':
        return this.#statement(sql, values, open)
    }
  }

  #statement(
    sql: string,
    values: Asked['values'],
    open: { log: Map<string, string>; inserted: string[] } | undefined,
  ): Answer {
    if (sql.includes('INFORMATION_SCHEMA.COLUMNS')) return { rows: this.#catalogue(values[0] ?? '') }
    if (sql.startsWith('IF OBJECT_ID')) {
      this.#hasLog = true
      return {}
    }
    const key = (at: number): string => values.at(at) ?? ''
    if (sql.startsWith('INSERT INTO [processing_log]')) {
      if (this.log.has(key(-1))) return { changed: 0 }
      open?.log.set(key(-1), values[1] ?? '')
      return { changed: 1 }
    }
    if (sql.startsWith('UPDATE [processing_log] SET status')) {
      if (this.log.get(key(-1)) === 'success') return { changed: 0 }
      open?.log.set(key(-1), values[0] ?? '')
      return { changed: 1 }
    }
    if (sql.startsWith('INSERT INTO')) {
      open?.inserted.push(`${/\[(\w+)\]/.exec(sql)?.[1] ?? ''}: ${values.join(' ')}`)
      return { changed: 1 }
    }
    if (sql.includes('payload_sha256 AS sha'))
      return {
        rows: values.slice(1).flatMap((item) => {
          const status = this.log.get(item ?? '')
          return status === undefined
            ? []
            : [{ item, status, code: null, retries: '0', session: 's', sha: null, written: '1' }]
        }),
      }
    return { rows: [] }
  }

  #catalogue(table: string): Record<string, string | null>[] {
    const name = table.replace(/[[\]]/g, '')
    const columns =
      name === 'processing_log'
        ? this.#hasLog
          ? [
              ['task', 'nvarchar'],
              ['app_id', 'bigint'],
              ['processed_at', 'datetime2'],
            ]
          : []
        : (COLUMNS[name] ?? [])
    return columns.map(([column = '', type = '']) => ({
      name: column,
      type,
      nullable: 'YES',
      fallback: null,
      length: type === 'nvarchar' ? '100' : null,
      octets: null,
      charset: type === 'nvarchar' ? 'UNICODE' : null,
      digits: type === 'decimal' ? '19' : type === 'bigint' ? '19' : null,
      scale: type === 'decimal' ? '2' : null,
      fraction: type === 'datetime2' ? '3' : null,
      isIdentity: '0',
      isComputed: '0',
    }))
  }
}
