import { stringify } from 'yaml'
import { DEFAULT_LIMITS } from '../payload/tree.ts'
import type { Codes, List, Mapping, RowRule, Table, Unique } from './model.ts'
import { writtenColumn } from './write-columns.ts'
import { writtenEach, writtenRequirements, type Written } from './written-parts.ts'

/**
 * A mapping as YAML that reads as the same mapping. Only for mappings without prefixes of namespaces, such as those made from a contract of
 * the original. `head`: lines of a comment above it.
 */
export const writeMapping = (mapping: Mapping, head: readonly string[]): string => {
  const codes = new CodeTables()
  const tables = mapping.tables.map((table) => writtenTable(table, codes))
  const { source, record, naming, limits, nullWords, required, dateFormats } = mapping
  const document: Written = {
    version: 1,
    ...(naming.namespaces === 'ignore' ? { namespaces: 'ignore' } : {}),
    ...(naming.ignoreAttributeCase ? { attribute_case: 'ignore' } : {}),
    source: withoutNothing({ ...source }),
    record: { root: record.rootText, key: record.key.text, key_type: record.keyType },
    ...(JSON.stringify(limits) === JSON.stringify(DEFAULT_LIMITS) ? {} : { limits: { ...limits } }),
    ...(nullWords.size > 0 ? { null_words: [...nullWords] } : {}),
    ...(required.length > 0 ? { required: required.map(({ text }) => text) } : {}),
    ...(mapping.repeatedNames === 'last' ? { repeated_names: 'last' } : {}),
    ...(dateFormats.length > 0 ? { date_formats: dateFormats.map(({ text }) => text) } : {}),
    // In their order, which an object would not keep of names of digits: a list stands before those below it.
    ...(mapping.lists.size > 0
      ? { lists: new Map([...mapping.lists].map(([name, list]) => [name, writtenList(list)])) }
      : {}),
    tables,
    ...(codes.written.size > 0 ? { enums: Object.fromEntries(codes.written) } : {}),
  }
  const comment = head.map((line) => `# ${line}\n`).join('')
  return comment + stringify(document, { lineWidth: 0, flowCollectionPadding: true })
}

/** Enums and bits under names; two that share a name and differ get two names. */
class CodeTables {
  readonly written = new Map<string, Written>()

  nameOf({ name, values, ignoreCase, otherwise, quiet }: Codes): string {
    const table: Written = {
      ...(ignoreCase ? { ignore_case: true } : {}),
      ...(otherwise === undefined ? {} : { otherwise }),
      ...(quiet ? { quiet: true } : {}),
      values: Object.fromEntries(values),
    }
    for (let number = 1; ; number++) {
      const one = number === 1 ? name : `${name}_${number}`
      const known = this.written.get(one)
      if (known && JSON.stringify(known) !== JSON.stringify(table)) continue
      this.written.set(one, table)
      return one
    }
  }
}

const withoutNothing = (values: Written): Written =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))

const writtenUnique = ({ by, prefer, then }: Unique): Written => ({
  by: by.map(({ text }) => text),
  ...(prefer ? { prefer: writtenRequirements([prefer]) } : {}),
  then,
})

const writtenList = (list: List): Written => ({
  each: writtenEach(list.each),
  ...(list.require.length > 0 ? { require: writtenRequirements(list.require) } : {}),
  ...(list.ignoreCase ? { ignore_case: true } : {}),
  otherwise: list.otherwise,
  ...(list.anyOf.length > 0 ? { any_of: list.anyOf.map(({ text }) => text) } : {}),
  ...(list.unique ? { unique: writtenUnique(list.unique) } : {}),
  ...(list.min > 0 ? { min: list.min } : {}),
  ...(list.max < Infinity ? { max: list.max } : {}),
})

const writtenTable = (table: Table, codes: CodeTables): Written => {
  const [only] = table.rows
  const isPlain = only && table.rows.length === 1 && !only.when && only.needs.length === 0
  return {
    table: table.name,
    ...(table.each ? { each: writtenEach(table.each) } : {}),
    key: [...table.key],
    ...(table.shared ? { shared: true } : {}),
    ...(table.skipWhenEmpty ? { skip_when_empty: true } : {}),
    ...(isPlain
      ? { columns: writtenColumns(only, codes) }
      : { rows: table.rows.map((rule) => writtenRow(rule, codes)) }),
  }
}

const writtenColumns = ({ columns }: RowRule, codes: CodeTables): Written =>
  Object.fromEntries(columns.map((column) => [column.name, writtenColumn(column, codes)]))

const writtenRow = (rule: RowRule, codes: CodeTables): Written => ({
  set: writtenColumns(rule, codes),
  ...(rule.when ? { when: rule.when.text } : {}),
  ...(rule.needs.length > 0
    ? { needs: rule.needs.map(({ column, aboveZero }) => (aboveZero ? { above_zero: column } : column)) }
    : {}),
})
