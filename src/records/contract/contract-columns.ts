import { parseExpression } from '../expression/parse-expression.ts'
import { ExpressionSyntaxError } from '../expression/tokens.ts'
import type { At, Problems } from '../mapping/document.ts'
import type { Choice, Column, ColumnType, Each, Formula, Origin } from '../mapping/model.ts'
import { parsePath, type Path } from '../mapping/paths.ts'
import { PLAIN_COLUMN } from '../mapping/read-columns.ts'
import { dateFormat } from '../values/dates.ts'
import { codesOf, has, isLaterStep, mappingTypes } from './contract-codes.ts'
import { attribute, NAMES, type RuleList } from './contract-lists.ts'
import type { Contract, ContractMapping } from './contract-schema.ts'

/**
 * Dates as the original takes them: year first, then month first, with one digit or two. What fits neither is no date here; the original then
 * tries day first.
 */
export const CONTRACT_DATES = [
  'ISO',
  'YYYY-M-D',
  'YYYY-M-D H:mm:ss',
  'YYYY-M-D H:mm:ss.SSS',
  'M/D/YYYY',
  'M/D/YYYY H:mm:ss',
  'M/D/YYYY h:mm:ss A',
  'M/D/YYYY H:mm',
].map(dateFormat)

const TYPES: ReadonlyMap<string, ColumnType> = new Map(
  Object.entries<ColumnType>({
    string: 'text',
    int: 'integer',
    smallint: 'smallint',
    bigint: 'bigint',
    tinyint: 'tinyint',
    decimal: 'decimal',
    float: 'float',
    datetime: 'datetime',
    smalldatetime: 'datetime',
    date: 'date',
    bit: 'bit',
    boolean: 'bit',
  }),
)

/** What columns of a contract are made with. */
export interface ColumnContext {
  readonly contract: Contract
  readonly lists: readonly RuleList[]
  readonly problems: Problems
  /** The list whose elements the rows are; undefined for one row an item. */
  readonly rowsOf: RuleList | undefined
}

/** One entry of the contract's `mappings` as a column. */
export const contractColumn = (
  mapping: ContractMapping,
  at: At,
  context: ColumnContext,
  name = mapping.target_column ?? '',
): Column => {
  const type = TYPES.get(mapping.data_type.toLowerCase())
  if (!type)
    context.problems.add(
      at,
      `${mapping.target_table}.${name}: the data_type ${mapping.data_type} is not known`,
    )
  const nullable = mapping.nullable ?? true
  const isBit = has(mapping, 'char_to_bit', 'boolean_to_bit')
  const isAside = mapping.exclude_default_when_record_empty ?? false
  const codes = codesOf(mapping, at, context)
  const isSecond = codes !== undefined && has(mapping, 'calculated_field') && has(mapping, 'enum')
  const fallback = mapping.default_value === '' ? undefined : (mapping.default_value ?? undefined)
  const given = typeof fallback === 'boolean' ? Number(fallback) : fallback
  const numeric = type !== 'text'
  return {
    ...PLAIN_COLUMN,
    name,
    at,
    origin: originOf(mapping, at, context),
    // The code of the attribute counts where the expression gives nothing.
    fallback: isSecond ? { origin: pathOrigin(mapping, context), codes } : nowOf(mapping),
    type: codes && !isBit && type === 'text' ? undefined : type,
    // -1 is how SQL Server writes a text without a bound.
    length:
      type === 'text' && (mapping.data_length ?? 0) > 0 ? (mapping.data_length ?? undefined) : undefined,
    scale: type === 'decimal' ? (mapping.data_length ?? undefined) : undefined,
    required: !nullable,
    default: isBit && !isLaterStep(mapping) ? (given ?? 0) : nullable && !isAside ? undefined : given,
    codes: isSecond ? undefined : codes,
    formats: type === 'date' || type === 'datetime' ? CONTRACT_DATES : [],
    digits: has(mapping, 'numbers_only') || (has(mapping, 'extract_numeric') && !numeric),
    strip: has(mapping, 'extract_numeric') && numeric ? '$' : '',
    grouping: has(mapping, 'extract_numeric') && numeric ? ',' : '',
    round:
      type === 'integer' ||
      type === 'smallint' ||
      type === 'bigint' ||
      type === 'tinyint' ||
      type === 'decimal',
    onLong: 'cut',
    onBad: nullable ? 'null' : 'fail',
    onUnknown: isBit ? 'fail' : !nullable && given !== undefined ? 'default' : nullable ? 'null' : 'fail',
    aside: isAside,
  }
}

const nowOf = (mapping: ContractMapping): Column['fallback'] =>
  has(mapping, 'default_getutcdate_if_null') ? { origin: { type: 'now' }, codes: undefined } : undefined

const originOf = (mapping: ContractMapping, at: At, context: ColumnContext): Origin => {
  if (has(mapping, 'calculated_field')) {
    const formula = contractFormula(
      mapping.expression ?? '',
      at,
      context.problems,
      `${mapping.target_table}.${mapping.target_column ?? ''}`,
    )
    return formula
      ? { type: 'expression', formula, base: parsePath(mapping.xml_path, NAMES) }
      : { type: 'literal', value: null }
  }
  const person = mappingTypes(mapping).find(({ name }) => PERSON_ORDER.has(name))?.name
  if (person !== undefined) return personOrigin(mapping, PERSON_ORDER.get(person) ?? 0, context)
  if (has(mapping, 'curr_address_only')) return currentAddress(mapping, context)
  return pathOrigin(mapping, context)
}

/** An expression, or undefined with a problem. */
const contractFormula = (text: string, at: At, problems: Problems, where: string): Formula | undefined => {
  try {
    return { text, expression: parseExpression(text) }
  } catch (error) {
    if (!(error instanceof ExpressionSyntaxError)) throw error
    problems.add(at, `${where}: expression, character ${error.at}: ${error.message}`)
    return undefined
  }
}

/** Which of the contact list's kinds a mapping type asks for. */
const PERSON_ORDER: ReadonlyMap<string, number> = new Map([
  ['last_valid_pr_contact', 0],
  ['last_valid_sec_contact', 1],
  ['authu_contact', 1],
])

/**
 * The last person of a kind that has a number: an attribute of it, of its preferred address, or of an element below it. Persons whom the list
 * leaves out because nothing else is known of them count as well.
 */
const personOrigin = (mapping: ContractMapping, order: number, context: ColumnContext): Origin => {
  const contacts = context.lists.filter(({ parent, identity }) => !parent && identity !== undefined)
  const isBelow = ({ elementPath }: RuleList): boolean => `${mapping.xml_path}/`.startsWith(`${elementPath}/`)
  const contact = contacts.find(isBelow) ?? contacts[0]
  const kind = contact?.kind
  const value = kind?.values[order]
  if (!contact || !kind || value === undefined || !mapping.xml_attribute) return pathOrigin(mapping, context)
  return {
    type: 'choice',
    choice: {
      each: atPath(contact.elementPath),
      where: [
        { path: attribute(contact.identity ?? ''), values: 'present' },
        { path: attribute(kind.name), values: [value] },
      ],
      ignoreCase: true,
      prefer: undefined,
      take: 'last',
      value: ofPerson(mapping, contact, context),
    },
  }
}

const ofPerson = (mapping: ContractMapping, contact: RuleList, { lists }: ColumnContext): Choice | Path => {
  const name = mapping.xml_attribute ?? ''
  const rest = mapping.xml_path.slice(contact.elementPath.length + 1)
  if (rest === '' || !mapping.xml_path.startsWith(`${contact.elementPath}/`)) return attribute(name)
  const list = lists.find(({ elementPath, parent }) => parent === contact && elementPath === mapping.xml_path)
  if (!list?.kind) return parsePath(`${rest}/@${name}`, NAMES)
  return {
    each: { type: 'path', path: parsePath(rest, NAMES), text: rest },
    where: [],
    ignoreCase: true,
    prefer: { path: attribute(list.kind.name), values: list.kind.values.slice(0, 1) },
    take: 'last',
    value: attribute(name),
  }
}

const atPath = (text: string): Each => ({ type: 'path', path: parsePath(text, NAMES), text })

const currentAddress = (mapping: ContractMapping, context: ColumnContext): Origin => {
  const list = context.lists.find(({ elementPath }) => elementPath === mapping.xml_path)
  if (!list?.kind || context.rowsOf !== list.parent || !mapping.xml_attribute)
    return pathOrigin(mapping, context)
  return {
    type: 'choice',
    choice: {
      each: { type: 'path', path: parsePath(list.element, NAMES), text: list.elementPath },
      where: [{ path: attribute(list.kind.name), values: list.kind.values.slice(0, 1) }],
      ignoreCase: true,
      prefer: undefined,
      take: 'last',
      value: attribute(mapping.xml_attribute ?? ''),
    },
  }
}

/** An attribute where the contract says, relative to the row's element where it is at or around it. The last element counts. */
const pathOrigin = (
  { xml_path: path, xml_attribute: name }: ContractMapping,
  { rowsOf }: ColumnContext,
): Origin =>
  name
    ? { type: 'path', path: relativePath(path, name, rowsOf?.elementPath), take: 'last', warns: true }
    : { type: 'literal', value: null }

const relativePath = (elementPath: string, name: string, rowsAt: string | undefined): Path => {
  if (rowsAt === undefined) return parsePath(`${elementPath}/@${name}`, NAMES)
  if (elementPath === rowsAt) return attribute(name)
  if (elementPath.startsWith(`${rowsAt}/`))
    return parsePath(`${elementPath.slice(rowsAt.length + 1)}/@${name}`, NAMES)
  if (rowsAt.startsWith(`${elementPath}/`)) {
    const up = rowsAt
      .slice(elementPath.length + 1)
      .split('/')
      .map(() => '..')
      .join('/')
    return parsePath(`${up}/@${name}`, NAMES)
  }
  return parsePath(`${elementPath}/@${name}`, NAMES)
}
