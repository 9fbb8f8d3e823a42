import type { At, Node, Problems } from '../mapping/document.ts'
import type { Column, Mapping, Table } from '../mapping/model.ts'
import { mappingTypes, PLAIN_TYPES } from './contract-codes.ts'
import { parsePath } from '../mapping/paths.ts'
import { PLAIN_COLUMN } from '../mapping/read-columns.ts'
import { DEFAULT_LIMITS } from '../payload/tree.ts'
import { contractColumn, CONTRACT_DATES, type ColumnContext } from './contract-columns.ts'
import { contractLists, lastOf, NAMES, type RuleList } from './contract-lists.ts'
import { withSoundValues } from './sound-values.ts'
import { madeRows, makerOf, type Placed } from './contract-rows.ts'
import { CONTRACT, placeIn, plainOf, type Contract } from './contract-schema.ts'

/**
 * Reads the original's mapping contract as it is. Its documented results are kept, each with a warning where something is left out or
 * changed; what it gets wrong by accident is not. docs/RECORDS.md lists the differences.
 */
export const readContract = (root: Node, problems: Problems): Mapping => {
  const parsed = CONTRACT.safeParse(plainOf(root))
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues)
      problems.add(placeIn(root, path), `${path.map(String).join('.')}: ${message}`)
    return emptyMapping()
  }
  try {
    return new Builder(parsed.data, root, problems).mapping()
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    problems.add(root.at, `a path of the contract ${error.message}`)
    return emptyMapping()
  }
}

const emptyMapping = (): Mapping => ({
  source: {
    table: undefined,
    query: undefined,
    files: undefined,
    key: undefined,
    payload: undefined,
    format: 'xml',
  },
  record: { root: '', rootText: '', key: parsePath('/x/@x', NAMES), keyType: 'bigint' },
  naming: { namespaces: 'ignore', ignoreAttributeCase: true },
  limits: DEFAULT_LIMITS,
  nullWords: new Set(),
  lists: new Map(),
  tables: [],
  required: [],
  repeatedNames: 'last',
  dateFormats: CONTRACT_DATES,
  notes: [],
})

/** Whether a column has a value of the element around the row's own. */
const isOfParent = (origin: Column['origin']): boolean => origin.type === 'path' && origin.path.up > 0

class Builder {
  readonly #contract: Contract
  readonly #problems: Problems
  readonly #lists: readonly RuleList[]
  readonly #entries: readonly Placed[]
  readonly #notes: { at: At; message: string }[] = []

  constructor(contract: Contract, root: Node, problems: Problems) {
    this.#contract = contract
    this.#problems = problems
    this.#lists = contractLists(contract)
    this.#entries = contract.mappings.map((mapping, index) => ({
      mapping,
      at: placeIn(root, ['mappings', index]),
    }))
  }

  mapping(): Mapping {
    const contract = this.#contract
    const identity = this.#entries.find(({ mapping }) =>
      mappingTypes(mapping).some(({ name }) => name === 'identity_insert'),
    )
    if (!identity) {
      this.#problems.add(
        { line: 1, column: 1 },
        'mappings: no entry has identity_insert, so that the key is not known',
      )
      return emptyMapping()
    }
    const owner = identity.mapping.target_column ?? 'app_id'
    return {
      ...emptyMapping(),
      source: {
        ...emptyMapping().source,
        table: contract.source_table ?? undefined,
        key: owner,
        payload: contract.source_column ?? undefined,
      },
      record: {
        root: contract.xml_root_element,
        rootText: contract.xml_root_element,
        key: parsePath(`${identity.mapping.xml_path}/@${identity.mapping.xml_attribute ?? ''}`, NAMES),
        keyType: 'bigint',
      },
      lists: new Map(this.#lists.map(({ list }) => [list.name, list])),
      tables: this.#tableNames().map((name) =>
        withSoundValues(this.#table(name, owner, identity), this.#notes),
      ),
      required: [parsePath(contract.xml_application_path, NAMES)],
      notes: this.#notes,
    }
  }

  /** Tables that the contract maps to, in its order; those that it forgot to order come last. */
  #tableNames(): string[] {
    const mapped = new Set(this.#entries.map(({ mapping }) => mapping.target_table))
    const ordered = (this.#contract.table_insertion_order ?? []).filter((name) => mapped.has(name))
    return [...new Set([...ordered, ...mapped])]
  }

  #table(name: string, owner: string, identity: Placed): Table {
    const entries = this.#entries.filter(({ mapping }) => mapping.target_table === name)
    const at = entries[0]?.at ?? { line: 1, column: 1 }
    const rowsOf = this.#rowsOf(name)
    const context: ColumnContext = {
      contract: this.#contract,
      lists: this.#lists,
      problems: this.#problems,
      rowsOf,
    }
    this.#note(entries)
    if (entries.some(({ mapping }) => makerOf(mapping)))
      return {
        name,
        shared: false,
        skipWhenEmpty: false,
        each: undefined,
        at,
        ...madeRows(entries, owner, context),
      }
    const columns = this.#columns(entries, context, owner)
    return {
      name,
      key: rowsOf ? this.#listKey(rowsOf, entries, columns) : [owner],
      shared: false,
      skipWhenEmpty: !rowsOf && name !== identity.mapping.target_table,
      each: rowsOf && { type: 'list', list: rowsOf.list.name, below: [], text: rowsOf.list.name },
      rows: [{ columns, when: undefined, needs: [] }],
      at,
    }
  }

  /** The list whose elements are the rows of a table: by its relationship, of whose path the last segment counts. */
  #rowsOf(table: string): RuleList | undefined {
    const path = this.#contract.relationships?.find(
      ({ child_table: child }) => child === table,
    )?.xml_child_path
    return path === undefined ? undefined : this.#lists.find(({ element }) => element === lastOf(path))
  }

  #columns(entries: readonly Placed[], context: ColumnContext, owner: string): Column[] {
    const columns = entries
      .filter(({ mapping }) => mapping.target_column)
      .map(({ mapping, at }) => contractColumn(mapping, at, context))
    const at = entries[0]?.at ?? { line: 1, column: 1 }
    const known = (name: string): boolean => columns.some((column) => column.name === name)
    const table = entries[0]?.mapping.target_table
    const foreign = this.#contract.relationships?.find(
      ({ child_table: child }) => child === table,
    )?.foreign_key_column
    const { rowsOf } = context
    const added: Column[] = []
    const number = (name: string, path: string): Column => ({
      ...PLAIN_COLUMN,
      name,
      at,
      type: 'bigint',
      required: true,
      origin: { type: 'path', path: parsePath(path, NAMES), take: 'only', warns: false },
    })
    const identity = rowsOf?.parent?.identity
    if (identity !== undefined && foreign !== undefined && foreign !== owner && !known(foreign))
      added.push(number(foreign, `../@${identity}`))
    const own = rowsOf?.identity
    const isMapped = entries.some(
      ({ mapping }) =>
        mapping.xml_attribute?.toLowerCase() === own?.toLowerCase() &&
        mapping.xml_path === rowsOf?.elementPath,
    )
    // A person's row has its number, whether the contract maps it or not.
    if (own !== undefined && !isMapped && !known(own)) added.push(number(own, `@${own}`))
    const needsOwner = rowsOf?.parent === undefined || foreign === owner
    if (needsOwner && !known(owner)) added.push({ ...PLAIN_COLUMN, name: owner, at, origin: { type: 'key' } })
    return [...added, ...columns]
  }

  /** A person by its id; what is below a person by that id and its kind. */
  #listKey(rowsOf: RuleList, entries: readonly Placed[], columns: readonly Column[]): string[] {
    const columnOf = (attribute: string | undefined): string | undefined =>
      entries.find(
        ({ mapping }) =>
          mapping.xml_attribute?.toLowerCase() === attribute?.toLowerCase() &&
          mapping.xml_path === rowsOf.elementPath,
      )?.mapping.target_column ?? undefined
    const own = rowsOf.parent
      ? columnOf(rowsOf.kind?.name)
      : (columnOf(rowsOf.identity) ?? columns.find(({ name }) => name === rowsOf.identity)?.name)
    const parent = rowsOf.parent ? columns.find(({ origin }) => isOfParent(origin))?.name : undefined
    const key = [parent, own].filter((name) => name !== undefined)
    return key.length > 0 ? key : columns.slice(0, 1).map(({ name }) => name)
  }

  /** Constructs whose result is another one here. */
  #note(entries: readonly Placed[]): void {
    for (const { mapping, at } of entries) {
      const where = `${mapping.target_table}.${mapping.target_column ?? ''}`
      for (const { name } of mappingTypes(mapping))
        if (!PLAIN_TYPES.has(name) && !makerOf(mapping))
          this.#notes.push({
            at,
            message: `${where}: the mapping type ${name} is not known and has no effect`,
          })
        else if (name === 'extract_numeric')
          this.#notes.push({
            at,
            message: `${where}: extract_numeric takes $ and grouping commas away; the original joins all digits, so that 36.50 becomes 3650`,
          })
        else if (name === 'calculated_field' && /[<>]/.test(mapping.expression ?? ''))
          this.#notes.push({
            at,
            message: `${where}: numbers are compared as numbers; the original compares them as text`,
          })
      if (/date/.test(mapping.data_type))
        this.#notes.push({
          at,
          message: `${where}: a date that is not ISO or month first is no date; the original tries day first as well`,
        })
    }
  }
}
