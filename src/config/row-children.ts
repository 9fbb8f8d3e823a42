import type { JsonSchema, Kind } from './value-types.ts'

/** A table whose rows refer to those of the table above it, and go with them. */
export interface ChildSetting {
  readonly table: string
  /** Columns that hold the parent's primary key, in its order. */
  readonly key: readonly string[]
  /** Left out: the child's name with what the parent's archive adds to the parent's name. */
  readonly archiveTable: string | undefined
  readonly children: readonly ChildSetting[]
}

const NAMES = ['table', 'key', 'archive_table', 'children']

const texts = (value: unknown): readonly string[] =>
  [value].flat().filter((item): item is string => typeof item === 'string' && item !== '')

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const childOf = (value: unknown, at: string): ChildSetting => {
  if (!isMap(value)) throw new SyntaxError(`${at} must have table and key`)
  const odd = Object.keys(value).find((name) => !NAMES.includes(name))
  if (odd !== undefined) throw new SyntaxError(`${at} may have ${NAMES.join(', ')}, and nothing else`)
  const { table, key, archive_table: archiveTable } = value
  const columns = texts(key)
  if (typeof table !== 'string' || table === '') throw new SyntaxError(`${at}.table must be the child table`)
  if (columns.length === 0 || columns.length !== [key].flat().length)
    throw new SyntaxError(
      `${at}.key must be the child's column that holds the parent's key, or a list of them`,
    )
  if (archiveTable !== undefined && typeof archiveTable !== 'string')
    throw new SyntaxError(`${at}.archive_table must be a table`)
  const children = childrenOf(value['children'], `${at}.children`)
  return { table, key: columns, archiveTable: archiveTable || undefined, children }
}

const childrenOf = (value: unknown, at: string): readonly ChildSetting[] => {
  if (value === undefined || value === '') return []
  if (!Array.isArray(value))
    throw new SyntaxError(`${at === '' ? '' : `${at} `}must be a list of child tables`)
  return value.map((item, number) => childOf(item, `${at}[${number}]`))
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw new SyntaxError('must be a list of child tables')
  }
}

const itemSchema: JsonSchema = {
  type: 'object',
  required: ['table', 'key'],
  additionalProperties: false,
  properties: {
    table: { type: 'string' },
    key: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
    archive_table: { type: 'string' },
    children: { type: 'array', items: { type: 'object' } },
  },
}

const shown = ({ table, key, children }: ChildSetting): string =>
  `${table} by ${key.join(', ')}${children.length === 0 ? '' : ` [${children.map(shown).join('; ')}]`}`

/** Child tables, each with children of its own. An INI file has them as JSON. */
export const childTables: Kind<readonly ChildSetting[]> = {
  type: 'list of {table, key, archive_table, children}',
  forms: ['tree', 'text'],
  secret: false,
  json: { type: 'array', items: itemSchema },
  read: (raw) => {
    const children = childrenOf(typeof raw === 'string' ? parsed(raw) : raw, '')
    return children
  },
  show: (children) => `[${children.map(shown).join('; ')}]`,
}
