import { isArray, JsonObject, type JsonArray, type JsonValue } from './json/model.ts'
import { escapeText } from './json/printer.ts'
import { ArchiverError } from '../errors.ts'
import { elementText, scalarText } from './print-scalar.ts'

/** By which metadata the second of two parameters of one name is printed: artdaq's export takes those of the first. */
export type RepeatedNames = 'first' | 'own'

/**
 * FHiCL text from `document.data` and `document.metadata`, byte for byte as artdaq's export (docs/FORMATS.md, FHiCL),
 * faults included. Throws FHICL_INVALID, naming the parameter, where artdaq's export fails too.
 */
export const printFhicl = (
  data: JsonValue | undefined,
  metadata: JsonValue | undefined,
  repeated: RepeatedNames = 'first',
): string => {
  const prolog = section(data, metadata, 'prolog', repeated)
  const main = section(data, metadata, 'main', repeated)
  return prolog === '' ? main : `BEGIN_PROLOG\n${prolog}\nEND_PROLOG\n${main}`
}

const section = (
  data: JsonValue | undefined,
  metadata: JsonValue | undefined,
  name: string,
  repeated: RepeatedNames,
): string => {
  const parameters = objectAt(data, name, 'data')
  const nodes = objectAt(objectAt(metadata, name, 'metadata'), 'children', `metadata.${name}`)
  const nodeOf = repeated === 'first' ? (key: string) => nodes.get(key) : inTurn(nodes)
  let text = ''
  for (const [key, value] of parameters.members()) {
    const node = nodeOf(key)
    const atom = node === undefined ? undefined : atomText(key, value, node)
    if (atom === undefined) throw invalid(key, 'it has no complete metadata')
    text += atom
  }
  return text
}

/** Each call with a key gives the next member of that key. */
const inTurn = (nodes: JsonObject): ((key: string) => JsonValue | undefined) => {
  const waiting = new Map<string, JsonValue[]>()
  for (const [key, node] of [...nodes.members()].reverse()) {
    const others = waiting.get(key)
    if (others) others.push(node)
    else waiting.set(key, [node])
  }
  return (key) => waiting.get(key)?.pop()
}

const objectAt = (parent: JsonValue | undefined, key: string, place: string): JsonObject => {
  const value = parent instanceof JsonObject ? parent.get(key) : undefined
  if (value instanceof JsonObject) return value
  throw new ArchiverError('FHICL_INVALID', `document.${place} has no object "${key}"`)
}

const invalid = (key: string, reason: string): ArchiverError =>
  new ArchiverError('FHICL_INVALID', `parameter "${key}" cannot be printed as FHiCL: ${reason}`)

/** A parameter with the comment above it; undefined where its metadata lacks something, which ends the enclosing table. */
const atomText = (key: string, value: JsonValue, node: JsonValue): string | undefined => {
  if (!(node instanceof JsonObject)) throw invalid(key, 'its metadata is no object')
  const type = textAt(key, node, 'type')
  if (type === undefined) return undefined
  if (key.startsWith('fhicl_pound_include')) return includeText(key, value)
  const body = bodyText(key, value, node, type)
  const comment = textAt(key, node, 'comment')
  const annotation = type === 'table' ? '' : textAt(key, node, 'annotation')
  if (comment === undefined || annotation === undefined) return undefined
  const above = comment.includes('#include ') ? '' : comment
  const behind = type === 'table' ? '' : ` ${annotation}\n`
  return `${above}\n${key}${protectionOf(key, node)}: ${body}${behind}`
}

/** artdaq leaves the value's escapes in. */
const includeText = (key: string, value: JsonValue): string => {
  if (typeof value !== 'string') throw invalid(key, 'an include is no text')
  return ` \n#include "${escapeText(value)}" \n`
}

const protectionOf = (key: string, node: JsonObject): string => {
  const protection = textAt(key, node, 'protection')
  return protection === undefined || protection === '@none' ? '' : ` ${protection}`
}

const textAt = (key: string, node: JsonObject, name: string): string | undefined => {
  const text = node.get(name)
  if (text === undefined || typeof text === 'string') return text
  throw invalid(key, `the ${name} in its metadata is no text`)
}

const bodyText = (key: string, value: JsonValue, node: JsonObject, type: string): string => {
  if (type === 'table' && value instanceof JsonObject) return tableText(key, value, node)
  if (type === 'sequence' && isArray(value)) return sequenceText(key, value, node)
  // A table that is a text: artdaq prints it as a string of the old, unmarked kind.
  const text = scalarText(value, type === 'table' ? 'string' : type)
  if (text === undefined) throw invalid(key, `its value does not fit its type "${type}"`)
  return text
}

const tableText = (key: string, table: JsonObject, node: JsonObject): string => {
  let text = '{\n'
  const nodes = childrenOf(key, node)
  for (const [name, value] of nodes ? table.members() : []) {
    const child = nodes?.get(name)
    const atom = child === undefined ? undefined : atomText(name, value, child)
    if (atom === undefined) break
    text += atom
  }
  return `${text}\n}`
}

const sequenceText = (key: string, values: JsonArray, node: JsonObject): string => {
  const elements: string[] = []
  const nodes = childrenOf(key, node)
  for (const [index, value] of nodes ? values.entries() : []) {
    const child = nodes?.get(String(index))
    const element = child === undefined ? undefined : sequenceElement(`${key}[${index}]`, value, child)
    if (element === undefined) break
    elements.push(element)
  }
  return `[${elements.join(', ')}]`
}

const sequenceElement = (name: string, value: JsonValue, node: JsonValue): string | undefined => {
  if (!(node instanceof JsonObject)) throw invalid(name, 'its metadata is no object')
  const type = textAt(name, node, 'type')
  if (type === undefined) return undefined
  if (!isArray(value) && !(value instanceof JsonObject)) return elementText(value, type)
  const body = bodyText(name, value, node, type)
  if (textAt(name, node, 'comment') === undefined) return undefined
  if (type === 'table') return body
  const annotation = textAt(name, node, 'annotation')
  return annotation === undefined ? undefined : `${body} ${annotation}\n`
}

const childrenOf = (key: string, node: JsonObject): JsonObject | undefined => {
  const children = node.get('children')
  if (children === undefined || children instanceof JsonObject) return children
  throw invalid(key, 'the children in its metadata are no object')
}
