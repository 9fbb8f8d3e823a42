import { isChoice, type Choice, type Codes, type Column, type Origin } from './model.ts'
import { writtenEach, writtenRequirements, type Written } from './written-parts.ts'

interface NamesCodes {
  nameOf(codes: Codes): string
}

/** A column as the mapping writes it; a plain value or the key as it is. */
export const writtenColumn = (column: Column, codes: NamesCodes): unknown => {
  const settings = writtenSettings(column, codes)
  const { origin } = column
  if (Object.keys(settings).length === 0) {
    if (origin.type === 'key') return '$key'
    if (origin.type === 'literal') return origin.value
  }
  return { ...writtenOrigin(origin), ...settings }
}

const writtenOrigin = (origin: Origin): Written => {
  switch (origin.type) {
    case 'key':
      return { from: '$key' }
    case 'literal':
      return { value: origin.value }
    case 'now':
      return { expr: 'NOW()' }
    case 'expression':
      return { expr: origin.formula.text, ...(origin.base ? { names_at: origin.base.text } : {}) }
    case 'path':
      return {
        from: origin.path.text,
        ...(origin.take === 'only' ? {} : { take: origin.take }),
        ...(origin.warns ? { warn_repeated: true } : {}),
      }
    case 'choice':
      return { from: writtenChoice(origin.choice) }
  }
}

const writtenChoice = ({ each, where, ignoreCase, prefer, take, value }: Choice): Written => ({
  list: writtenEach(each),
  ...(where.length > 0 ? { where: writtenRequirements(where) } : {}),
  ...(ignoreCase ? { ignore_case: true } : {}),
  ...(prefer ? { prefer: writtenRequirements([prefer]) } : {}),
  ...(take === 'only' ? {} : { take }),
  value: isChoice(value) ? writtenChoice(value) : value.text,
})

const writtenSettings = (column: Column, codes: NamesCodes): Written => {
  const { fallback, formats } = column
  const settings: Written = {
    else: fallback && writtenElse(fallback, codes),
    type: column.type,
    length: column.length,
    precision: column.precision,
    scale: column.scale,
    required: column.required || undefined,
    default: column.default,
    default_aside: column.aside || undefined,
    enum: column.codes && codes.nameOf(column.codes),
    formats: formats.length > 0 ? formats.map(({ text }) => text) : undefined,
    digits: column.digits || undefined,
    strip: column.strip || undefined,
    grouping: column.grouping || undefined,
    round: column.round ? 'half_up' : undefined,
    trim: column.trim ? undefined : false,
    null_words: column.nullWords.length > 0 ? [...column.nullWords] : undefined,
    on_long: other(column.onLong),
    on_bad: other(column.onBad),
    on_unknown: other(column.onUnknown),
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

const other = (word: string): string | undefined => (word === 'fail' ? undefined : word)

const writtenElse = ({ origin, codes }: NonNullable<Column['fallback']>, names: NamesCodes): unknown =>
  origin.type === 'now'
    ? '$now'
    : { ...writtenOrigin(origin), ...(codes ? { enum: names.nameOf(codes) } : {}) }
