import { JsonNumber, JsonObject, type JsonValue } from './model.ts'

/**
 * The text of a document or an index, byte for byte as artdaq writes it (docs/FORMATS.md, FHiCL): a member a line, no
 * indentation, no newline at the end. The value may be nested as deep as the reader allows.
 */
export const writeJson = (value: JsonValue): string => {
  if (typeof value === 'string') return `"${escapeText(value)}"`
  if (value instanceof JsonObject) return writeObject(value)
  if (value instanceof JsonNumber) return value.text
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  return writeArray(value)
}

const writeObject = ({ keys, values }: JsonObject): string => {
  let text = '{\n'
  let separator = ''
  for (let position = 0; position < keys.length; position++) {
    const value = values[position]
    if (value === undefined) continue
    text += `${separator}"${escapeText(keys[position] ?? '')}" : ${writeJson(value)}`
    separator = ',\n'
  }
  return `${text}\n}`
}

const writeArray = (values: readonly JsonValue[]): string => {
  let text = '[\n'
  let separator = ''
  for (const value of values) {
    text += separator + writeJson(value)
    separator = ',\n'
  }
  return `${text}\n]`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

/** The inside of a string: the seven escapes that artdaq knows, everything else as it is. */
export const escapeText = (text: string): string =>
  // eslint-disable-next-line no-control-regex -- these are the characters that are escaped
  /["\\\b\f\n\r\t]/.test(text) ? text.replace(/["\\\b\f\n\r\t]/g, (found) => ESCAPES[found] ?? found) : text
