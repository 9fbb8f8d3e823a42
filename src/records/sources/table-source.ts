import { ArchiverError, messageOf } from '../../errors.ts'
import type { Source } from '../mapping/model.ts'
import type { RecordsDatabase } from '../sql/database.ts'
import { asText, firstRows, hasPlaceholder, quoted } from '../sql/dialect.ts'
import { retryTransient } from '../sql/retry-transient.ts'
import type { KeyOptions, RecordSource } from './source.ts'

/** Payloads of a table or a query, walked by key. What reads them is tried again where the connection breaks. */
export class TableSource implements RecordSource {
  readonly #database: RecordsDatabase
  readonly #from: string
  readonly #key: string
  readonly #payload: string

  /** Throws MAPPING_INVALID where the mapping does not say which table or query, key and payload, and for a query with a placeholder. */
  constructor(database: RecordsDatabase, { table, query, key, payload }: Source) {
    if ((table === undefined && query === undefined) || key === undefined || payload === undefined)
      throw new ArchiverError('MAPPING_INVALID', 'source: needs table (or query), key and payload', {
        hint: 'source: { table: source_records, key: record_id, payload: payload }',
      })
    const { dialect } = database
    if (query !== undefined && hasPlaceholder(dialect, query))
      throw new ArchiverError(
        'MAPPING_INVALID',
        'source: the query has a ? outside of a text, which stands for a value',
        {
          hint:
            dialect === 'postgres'
              ? 'write the operator ? of jsonb as ??, and so ??| and ??&'
              : 'a query of a mapping has no values',
        },
      )
    this.#database = database
    this.#from =
      query === undefined ? quoted(dialect, table ?? '') : `(${query.replace(/;\s*$/, '')}) source_rows`
    this.#key = quoted(dialect, key)
    this.#payload = quoted(dialect, payload)
  }

  async *keys({ batchSize, from, to }: KeyOptions): AsyncGenerator<readonly string[]> {
    const { dialect } = this.#database
    let last: unknown
    // What SQLite compares with a key must be of the type that this very key has there.
    const kind = dialect === 'sqlite' ? `, typeof(${this.#key}) AS kind` : ''
    for (;;) {
      const conditions: Condition[] = []
      if (last !== undefined) conditions.push({ sql: `${this.#key} > ?`, values: [last] })
      else if (from !== undefined) conditions.push(this.#beside('>=', from))
      if (to !== undefined) conditions.push(this.#beside('<=', to))
      const where = ['1 = 1', ...conditions.map(({ sql }) => sql)].join(' AND ')
      const rows = await this.#rows(
        firstRows(
          dialect,
          batchSize,
          `${asText(dialect, this.#key)} AS item${kind} FROM ${this.#from} WHERE ${this.#key} IS NOT NULL AND ${where} ORDER BY ${this.#key}`,
        ),
        conditions.flatMap(({ values }) => values),
      )
      if (rows.length === 0) return
      const keys = rows.map((row) => String(row['item']))
      yield keys
      const key = keys.at(-1)
      last = key !== undefined && rows.at(-1)?.['kind'] === 'integer' ? BigInt(key) : key
    }
  }

  async read(key: string): Promise<string | Uint8Array | null | undefined> {
    const values = [...new Set([key, this.#bound(key)])]
    const condition = values.map(() => `${this.#key} = ?`).join(' OR ')
    const rows = await this.#rows(
      firstRows(
        this.#database.dialect,
        2,
        `${this.#payload} AS payload FROM ${this.#from} WHERE ${condition}`,
      ),
      values,
    )
    const [row] = rows
    if (!row) return undefined
    if (rows.length > 1)
      throw new ArchiverError(
        'SOURCE_UNAVAILABLE',
        'the source has two rows with one key; its key must be unique',
      )
    const payload = row['payload']
    if (payload === null || typeof payload === 'string' || payload instanceof Uint8Array) return payload
    return JSON.stringify(payload)
  }

  close(): Promise<void> {
    return this.#database.close()
  }

  /** A key beside a bound: in SQLite, where every number stands before every text, each compares with what is of its own type. */
  #beside(operator: '>=' | '<=', bound: string): Condition {
    const value = this.#bound(bound)
    if (typeof value !== 'bigint') return { sql: `${this.#key} ${operator} ?`, values: [bound] }
    return {
      sql: `CASE typeof(${this.#key}) WHEN 'text' THEN ${this.#key} ${operator} ? ELSE ${this.#key} ${operator} ? END`,
      values: [bound, value],
    }
  }

  /** A whole number for SQLite, where the key may be one: without a declared type it compares a number and its text as different. */
  #bound(key: string): unknown {
    return this.#database.dialect === 'sqlite' && /^(?:0|-?[1-9]\d{0,18})$/.test(key) && isInt64(BigInt(key))
      ? BigInt(key)
      : key
  }

  async #rows(sql: string, values: readonly unknown[]) {
    try {
      return await retryTransient(() => this.#database.session.rows(sql, values))
    } catch (cause) {
      throw new ArchiverError('SOURCE_UNAVAILABLE', `cannot read the source: ${messageOf(cause)}`, { cause })
    }
  }
}

interface Condition {
  readonly sql: string
  readonly values: readonly unknown[]
}

const isInt64 = (value: bigint): boolean => BigInt.asIntN(64, value) === value
