import type { At } from '../mapping/document.ts'
import type { Column, RowRule } from '../mapping/model.ts'
import { mappingTypes } from './contract-codes.ts'
import { PLAIN_COLUMN } from '../mapping/read-columns.ts'
import { contractColumn, type ColumnContext } from './contract-columns.ts'
import { lastOf } from './contract-lists.ts'
import type { ContractMapping } from './contract-schema.ts'

/** An entry of the contract with its place. */
export interface Placed {
  readonly mapping: ContractMapping
  readonly at: At
}

/** The rows that one table gets from mapping types which make rows, and the columns that make such a row the same row. */
export interface MadeRows {
  readonly key: readonly string[]
  readonly rows: readonly RowRule[]
}

const MAKERS = [
  'add_score',
  'add_indicator',
  'add_history',
  'add_report_lookup',
  'policy_exceptions',
  'warranty_field',
  'add_collateral',
]

/** The mapping type that makes a row of an entry, and what stands in its brackets. */
export const makerOf = (
  mapping: ContractMapping,
): { name: string; argument: string | undefined } | undefined =>
  mappingTypes(mapping).find(({ name }) => MAKERS.includes(name))

/** The rows of a table all of whose entries make rows. `owner` is the column of the record's key. */
export const madeRows = (entries: readonly Placed[], owner: string, context: ColumnContext): MadeRows => {
  const maker = entries.map(({ mapping }) => makerOf(mapping)?.name).find((name) => name !== undefined)
  switch (maker) {
    case 'add_score':
      return {
        key: [owner, 'score_identifier'],
        rows: single(entries, owner, 'score_identifier', 'score', context),
      }
    case 'add_indicator':
      return {
        key: [owner, 'indicator'],
        rows: single(entries, owner, 'indicator', 'value', context).map(asIndicator),
      }
    case 'add_history':
      return {
        key: [owner, 'name', 'source'],
        rows: entries.map((entry) => lookup(entry, owner, 'source', context)),
      }
    case 'add_report_lookup':
      return {
        key: [
          owner,
          'name',
          ...(entries.every(({ mapping }) => makerOf(mapping)?.argument) ? ['source_report_key'] : []),
        ],
        rows: entries.map((entry) => lookup(entry, owner, 'source_report_key', context)),
      }
    case 'policy_exceptions':
      return {
        key: [owner, 'policy_exception_type_enum'],
        rows: grouped(entries, owner, 'policy_exception_type_enum', context),
      }
    case 'warranty_field':
      return {
        key: [owner, 'warranty_type_enum'],
        rows: grouped(entries, owner, 'warranty_type_enum', context),
      }
    default:
      return { key: [owner, 'sort_order'], rows: grouped(entries, owner, 'sort_order', context) }
  }
}

/** The constant in brackets: a number where it is written as one, else a text. `007` is a text, because the number would be written 7. */
const literal = (name: string, text: string, at: At): Column => ({
  ...PLAIN_COLUMN,
  name,
  at,
  origin: { type: 'literal', value: /^(?:0|-?[1-9]\d{0,14})$/.test(text) ? Number(text) : text },
})

const ownerColumn = (name: string, at: At): Column => ({ ...PLAIN_COLUMN, name, at, origin: { type: 'key' } })

const single = (
  entries: readonly Placed[],
  owner: string,
  naming: string,
  value: string,
  context: ColumnContext,
): RowRule[] =>
  entries.map(({ mapping, at }) => ({
    columns: [
      ownerColumn(owner, at),
      literal(naming, makerOf(mapping)?.argument ?? '', at),
      contractColumn({ ...mapping, nullable: true }, at, context, value),
    ],
    when: undefined,
    needs: [{ column: value, aboveZero: false }],
  }))

const TRUTHY = new Map(['y', 'yes', 'true', 't', '1'].map((word) => [word, '1']))

const asIndicator = (rule: RowRule): RowRule => ({
  ...rule,
  columns: rule.columns.map((column) =>
    column.name === 'value'
      ? {
          ...column,
          type: 'text',
          codes: { name: 'indicator', ignoreCase: true, values: TRUTHY, otherwise: undefined, quiet: true },
        }
      : column,
  ),
})

/** Words that say nothing where rows are made of values. */
const SILENT = ['null', 'Null', 'NULL', 'none', 'None', 'NONE']
const spoken = (column: Column): Column => ({ ...column, nullWords: SILENT })

/** A row of name and value, for a value that says something: the words null and none do not. */
const lookup = ({ mapping, at }: Placed, owner: string, extra: string, context: ColumnContext): RowRule => {
  const element = lastOf(mapping.xml_path)
  const name = mapping.xml_attribute ?? ''
  const argument = makerOf(mapping)?.argument
  const isHistory = extra === 'source'
  // The text as it is, whatever type the contract gives it.
  const value = spoken(
    contractColumn({ ...mapping, data_type: 'string', nullable: true }, at, context, 'value'),
  )
  return {
    columns: [
      ownerColumn(owner, at),
      literal('name', isHistory ? `[${name}]` : name, at),
      ...(isHistory ? [literal(extra, `[${element}]`, at)] : argument ? [literal(extra, argument, at)] : []),
      value,
    ],
    when: undefined,
    needs: [{ column: 'value', aboveZero: false }],
  }
}

/** One row for each number in brackets; entries with empty brackets belong to all of them. */
const grouped = (
  entries: readonly Placed[],
  owner: string,
  naming: string,
  context: ColumnContext,
): RowRule[] => {
  const groups = new Map<string, Placed[]>()
  const shared: Placed[] = []
  for (const entry of entries) {
    const argument = makerOf(entry.mapping)?.argument ?? ''
    if (argument === '') shared.push(entry)
    else groups.set(argument, [...(groups.get(argument) ?? []), entry])
  }
  return [...groups].map(([argument, own]) => {
    const at = own[0]?.at ?? { line: 1, column: 1 }
    const column = ({ mapping, at: place }: Placed): Column =>
      spoken(contractColumn(mapping, place, context, columnName(mapping)))
    const deciding = own.filter(
      ({ mapping }) =>
        !mappingTypes(mapping).some(({ name }) => name === 'calculated_field' || name === 'char_to_bit'),
    )
    return {
      columns: [
        ownerColumn(owner, at),
        literal(naming, argument, at),
        ...own.map(column),
        ...shared.map(column),
      ],
      when: undefined,
      needs: deciding.map(({ mapping }) => ({
        column: columnName(mapping),
        // A value of 0 alone makes no collateral.
        aboveZero: mapping.target_column === 'wholesale_value',
      })),
    }
  })
}

/** Entries of policy exceptions name no column. */
const columnName = (mapping: ContractMapping): string => {
  if (mapping.target_column) return mapping.target_column
  return makerOf(mapping)?.argument === '' || makerOf(mapping)?.argument === undefined
    ? 'notes'
    : 'reason_code'
}
