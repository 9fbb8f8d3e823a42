import type { At } from '../mapping/document.ts'
import type { Column, Mapping, Table } from '../mapping/model.ts'
import { catalogueColumns } from './catalogue.ts'
import type { CatalogueColumn } from './catalogue-column.ts'
import type { RecordsDatabase } from './database.ts'
import { narrowing } from './narrowing.ts'
import { referencedTables, uniqueKeys } from './table-facts.ts'

/** Something in which a mapping and the target's tables do not fit. `problem`: items will fail, or values change; `note`: some may. */
export interface Misfit {
  readonly at: At
  readonly severity: 'problem' | 'note'
  readonly table: string
  readonly column?: string
  readonly message: string
}

/** What the database knows of a table. */
export interface TableFacts {
  readonly columns: ReadonlyMap<string, CatalogueColumn>
  readonly keys: readonly (readonly string[])[]
  readonly references: readonly string[]
}

/** Holds a mapping against the catalogue of the target. Writes nothing. */
export const checkTarget = async (database: RecordsDatabase, mapping: Mapping): Promise<Misfit[]> => {
  const facts = new Map<string, TableFacts>()
  for (const { name } of mapping.tables) {
    const columns = await catalogueColumns(database, name)
    if (!columns) continue
    const [keys, references] = [await uniqueKeys(database, name), await referencedTables(database, name)]
    facts.set(name, { columns, keys, references })
  }
  return mapping.tables.flatMap((table, index) => {
    const known = facts.get(table.name)
    if (!known)
      return [
        {
          at: table.at,
          severity: 'problem' as const,
          table: table.name,
          message: 'the target has no such table',
        },
      ]
    const later = mapping.tables.slice(index + 1).map(({ name }) => name)
    return [
      ...keyMisfits(table, known),
      ...orderMisfits(table, known, later),
      ...columnMisfits(table, known, database.dialect === 'sqlite'),
      ...requiredMisfits(table, known),
    ]
  })
}

const keyMisfits = ({ name, key, at }: Table, { keys }: TableFacts): Misfit[] => {
  const isUnique = keys.some((unique) => unique.every((column) => key.includes(column)))
  if (isUnique) return []
  const message = `no unique index on ${key.join(', ')}: a row that is there already would be stored twice`
  return [{ at, severity: 'problem', table: name, message }]
}

const orderMisfits = ({ name, at }: Table, { references }: TableFacts, later: readonly string[]): Misfit[] =>
  [...new Set(references)]
    .filter((other) => later.some((one) => one === other || one.endsWith(`.${other}`)))
    .map((other) => ({
      at,
      severity: 'problem',
      table: name,
      message: `its rows refer to ${other}, which stands after it and is inserted later`,
    }))

const columnMisfits = (table: Table, { columns }: TableFacts, isSqlite: boolean): Misfit[] => {
  const seen = new Set<string>()
  return table.rows
    .flatMap((rule) => rule.columns)
    .flatMap((column): Misfit[] => {
      const about = { at: column.at, table: table.name, column: column.name }
      const there = columns.get(column.name)
      const said = narrowingOf(column, there, isSqlite)
      if (!said || seen.has(`${column.name} ${said.message}`)) return []
      seen.add(`${column.name} ${said.message}`)
      return [{ ...about, ...said }]
    })
}

const narrowingOf = (
  column: Column,
  there: CatalogueColumn | undefined,
  isSqlite: boolean,
): Pick<Misfit, 'severity' | 'message'> | undefined =>
  there
    ? narrowing(column, there, isSqlite)
    : { severity: 'problem', message: 'the table has no such column' }

/** Columns that must not be null, and for which the mapping may or will have nothing. */
const requiredMisfits = (table: Table, { columns }: TableFacts): Misfit[] => {
  const needed = [...columns.values()].filter(({ nullable, hasDefault }) => !nullable && !hasDefault)
  return needed.flatMap(({ name }): Misfit[] => {
    const given = table.rows.map((rule) => rule.columns.find((column) => column.name === name))
    const about = { table: table.name, column: name }
    if (given.some((column) => column === undefined))
      return [
        {
          ...about,
          at: table.at,
          severity: 'problem',
          message: 'must not be null, and the mapping has nothing for it',
        },
      ]
    const open = given.find((column) => column && mayBeNull(column))
    return open
      ? [
          {
            ...about,
            at: open.at,
            severity: 'note',
            message:
              'must not be null: without required or default, an item without a value fails by CONSTRAINT',
          },
        ]
      : []
  })
}

const mayBeNull = ({ required, default: fallback, origin }: Column): boolean => {
  if (required || fallback !== undefined) return false
  return !(
    origin.type === 'key' ||
    origin.type === 'now' ||
    (origin.type === 'literal' && origin.value !== null)
  )
}
