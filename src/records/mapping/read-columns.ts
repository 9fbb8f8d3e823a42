import { dateFormat, type DateFormat } from '../values/dates.ts'
import { valueFaults } from './check-values.ts'
import { isNothing, type Node } from './document.ts'
import { Fields } from './fields.ts'
import { TYPES, type Column } from './model.ts'
import { readCodes } from './read-codes.ts'
import { literal, readElse, readOrigin, type Known } from './read-origin.ts'

const COLUMN = [
  'from',
  'expr',
  'value',
  'take',
  'type',
  'length',
  'precision',
  'scale',
  'required',
  'default',
  'default_aside',
  'else',
  'names_at',
  'warn_repeated',
  'enum',
  'bit',
  'formats',
  'digits',
  'strip',
  'grouping',
  'round',
  'trim',
  'null_words',
  'on_long',
  'on_bad',
  'on_unknown',
] as const

/** What a column is when the mapping says nothing else. */
export const PLAIN_COLUMN = {
  fallback: undefined,
  type: undefined,
  length: undefined,
  precision: undefined,
  scale: undefined,
  required: false,
  default: undefined,
  codes: undefined,
  formats: [],
  digits: false,
  strip: '',
  grouping: '',
  round: false,
  trim: true,
  nullWords: [],
  onLong: 'fail',
  onBad: 'fail',
  onUnknown: 'fail',
  aside: false,
} as const satisfies Partial<Column>

/** One column of a table. A plain value is stored as it is; `$key` is the record's key. */
export const readColumn = (name: string, node: Node, where: string, known: Known): Column => {
  if (isNothing(node))
    known.problems.add(node.at, `${where}, column ${name}: has no value; write null where none is meant`)
  if (node.type === 'scalar')
    return {
      ...PLAIN_COLUMN,
      name,
      at: node.at,
      origin: node.text === '$key' ? { type: 'key' } : literal(node.value),
    }
  const fields = new Fields(node, `${where}, column ${name}`, COLUMN, known)
  const type = fields.choice('type', [...TYPES, ''], '')
  const precision = fields.integer('precision', 1, 65)
  const isPlainText = type === 'text' && !fields.has('enum') && !fields.has('bit')
  const column: Column = {
    ...PLAIN_COLUMN,
    name,
    at: node.at,
    origin: readOrigin(fields, known, isPlainText),
    fallback: readElse(fields.node('else'), known, isPlainText),
    aside: fields.flag('default_aside', false),
    type: type === '' ? undefined : type,
    length: fields.integer('length', 1, 2_147_483_647),
    precision,
    // decimal(5) is decimal(5, 0), as in SQL.
    scale: fields.integer('scale', 0, 38) ?? (type === 'decimal' && precision !== undefined ? 0 : undefined),
    required: fields.flag('required', false),
    default: readDefault(fields, isPlainText),
    codes: readCodes(fields, known),
    formats: readFormats(fields, 'formats'),
    digits: fields.flag('digits', false),
    strip: fields.text('strip') ?? '',
    grouping: fields.text('grouping') ?? '',
    round: fields.choice('round', ['half_up', 'no'], 'no') === 'half_up',
    trim: fields.flag('trim', true),
    nullWords: fields.texts('null_words'),
    onLong: fields.choice('on_long', ['fail', 'cut'], 'fail'),
    onBad: fields.choice('on_bad', ['fail', 'null', 'default'], 'fail'),
    onUnknown: fields.choice('on_unknown', ['fail', 'null', 'default'], 'fail'),
  }
  checkTogether(column, fields)
  for (const { setting, message } of valueFaults(column, known))
    fields.wrong(message, (setting === 'codes' ? codesNode(fields) : fields.node(setting))?.at)
  return column
}

const codesNode = (fields: Fields): Node | undefined => fields.node('enum') ?? fields.node('bit')

const checkTogether = (
  { type, scale, precision, length, formats, onBad, onUnknown, ...column }: Column,
  fields: Fields,
): void => {
  if (scale !== undefined && type !== 'decimal' && type !== 'datetime')
    fields.wrong('scale needs type: decimal or datetime')
  if (type === 'datetime' && (scale ?? 0) > 6) fields.wrong('the scale of a datetime is 6 at most')
  if (precision !== undefined && type !== 'decimal') fields.wrong('precision needs type: decimal')
  if (type === 'decimal' && precision !== undefined && (scale ?? 0) > precision)
    fields.wrong('scale is above precision')
  if (length !== undefined && type !== 'text' && type !== undefined) fields.wrong('length needs type: text')
  if (formats.length > 0 && type !== 'date' && type !== 'datetime')
    fields.wrong('formats needs type: date or datetime')
  if ((onBad === 'default' || onUnknown === 'default') && column.default === undefined)
    fields.wrong('default is missing, which on_bad or on_unknown asks for')
}

/** `asText`: the characters that stand in the file, `0123` as it is. */
const readDefault = (fields: Fields, asText: boolean): string | number | undefined => {
  const node = fields.node('default')
  if (node?.type !== 'scalar') {
    if (node) fields.wrong('default must be one value', node.at)
    return undefined
  }
  if (node.value === '') return undefined
  if (asText) return node.text
  return typeof node.value === 'boolean' ? Number(node.value) : (node.value ?? undefined)
}

/** The formats under a name. */
export const readFormats = (fields: Fields, name: string): DateFormat[] =>
  fields.texts(name).flatMap((text) => {
    try {
      return [dateFormat(text)]
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      fields.wrong(`format "${text}" ${error.message}`, fields.node(name)?.at)
      return []
    }
  })
