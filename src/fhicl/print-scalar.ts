import { isArray, JsonNumber, JsonObject, type JsonValue } from './json/model.ts'

/** The text of a parameter's value by its type; undefined where the value does not fit the type, or there is no such type. */
export const scalarText = (value: JsonValue, type: string): string | undefined => {
  if (isArray(value) || value instanceof JsonObject) return undefined
  if (typeof value === 'string') return textOf(value, type)
  if (typeof value === 'boolean') return type === 'bool' ? String(value) : undefined
  return type === 'number' ? numberText(value) : undefined
}

/** The text of a sequence's element: types without quotes of their own get some where the text asks for them. */
export const elementText = (value: string | boolean | JsonNumber, type: string): string => {
  if (typeof value === 'boolean') return String(value)
  if (value instanceof JsonNumber) return numberText(value)
  const asItIs = type === 'number' || type.startsWith('string_')
  return (asItIs ? textOf(value, type) : undefined) ?? quotedWhereNeeded(value)
}

const textOf = (text: string, type: string): string | undefined => {
  switch (type) {
    case 'string_doublequoted':
      return `"${text}"`
    case 'string_singlequoted':
      return `'${text}'`
    case 'string':
      return quotedWhereNeeded(text)
    case 'string_unquoted':
    case 'number':
    case 'bool':
    case 'nil':
    case 'complex':
    case 'tableid':
      return text
    default:
      return undefined
  }
}

const quotedWhereNeeded = (text: string): string => (/[ .%()/\-\\]/.test(text) ? `"${text}"` : text)

const numberText = (number: JsonNumber): string =>
  number.isInteger ? number.text : decimalText(number.toNumber())

/** artdaq prints three decimals at most, and an exponent where the number is large or small. */
const decimalText = (value: number): string => {
  const size = Math.abs(value)
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) {
    const [mantissa = '', exponent = ''] = value.toExponential(3).split('e')
    const digits = exponent.replace(/^[+-]/, '').padStart(2, '0')
    return `${trimmed(mantissa)}e${exponent.startsWith('-') ? '-' : ''}${digits}`
  }
  return trimmed(value.toFixed(3))
}

/** Without trailing zeros, but with one digit behind the point. */
const trimmed = (decimal: string): string => decimal.replace(/0+$/, '').replace(/\.$/, '.0')
