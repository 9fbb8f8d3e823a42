import { ArchiverError } from '../errors.ts'
import { fhiclFromJson } from './from-json.ts'
import { isArray, JsonNumber, JsonObject, type JsonValue } from './json/model.ts'
import { parseFhicl } from './parser.ts'
import { documentParts } from './to-json.ts'

/** A text, and what a reader of it must know. */
export interface FaithfulText {
  readonly text: string
  /** Whether a comment stands elsewhere than it did, or is lost, as artdaq's export has it. */
  readonly commentsMoved: boolean
}

/**
 * The FHiCL of a stored document that reads back as this document: artdaq's own export where that does, and the comments where there is
 * nothing else. artdaq's export changes a few documents without a word (of two tables of the same name the second loses what the first has
 * not; a complex number in a sequence becomes a text): those throw FHICL_INVALID, naming the parameter.
 */
export const faithfulText = (json: JsonObject): FaithfulText => {
  const text = fhiclFromJson(json)
  const given = partsOf(json)
  const comments = isEmpty(given.data) ? commentsOf(json) : ''
  if (comments !== '') return { text: comments, commentsMoved: false }
  if (text === '') throw invalid('the document holds nothing, and an empty text is none')
  const back = readBack(text)
  const changed =
    difference(given.data, back.data) ?? difference(typesOf(given.metadata), typesOf(back.metadata))
  if (changed !== undefined) throw invalid(`artdaq's export changes parameter "${changed}"`)
  return { text, commentsMoved: difference(given.metadata, back.metadata) !== undefined }
}

/** What artdaq's export of a document loses, in words; undefined where it reads back as the document. */
export const lossOfExport = (json: JsonObject): string | undefined => {
  try {
    faithfulText(json)
    return undefined
  } catch (error) {
    if (error instanceof ArchiverError) return error.message
    throw error
  }
}

const invalid = (reason: string): ArchiverError =>
  new ArchiverError('FHICL_INVALID', `cannot be printed as FHiCL that reads back the same: ${reason}`, {
    hint: '--as-artdaq prints what artdaq would',
  })

const partsOf = (json: JsonObject) => {
  const document = json.get('document')
  const parts = document instanceof JsonObject ? document : JsonObject.EMPTY
  return { data: parts.get('data'), metadata: parts.get('metadata') }
}

const isEmpty = (data: JsonValue | undefined): boolean =>
  data instanceof JsonObject && data.values.every((part) => part instanceof JsonObject && part.size === 0)

/** The comments, one a line; the entry of line 0 says that there are none. */
const commentsOf = (json: JsonObject): string => {
  const comments = json.get('comments')
  if (comments === undefined || !isArray(comments)) return ''
  return comments
    .flatMap((entry) => {
      const value = entry instanceof JsonObject ? entry.get('value') : undefined
      return typeof value === 'string' && /^(?:#|\/\/)/.test(value) ? [`${value}\n`] : []
    })
    .join('')
}

const readBack = (text: string) => {
  try {
    return documentParts(parseFhicl(text))
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error
    throw invalid(`artdaq's export is no FHiCL: ${error.message}`)
  }
}

/** Metadata without what is said of comments. */
const typesOf = (value: JsonValue | undefined): JsonValue | undefined => {
  if (!(value instanceof JsonObject)) return value
  const kept = [...value.members()].filter(
    ([key, member]) => typeof member !== 'string' || (key !== 'comment' && key !== 'annotation'),
  )
  return JsonObject.from(kept.map(([key, member]) => [key, typesOf(member) ?? member]))
}

/** The path of the first value that differs. */
const difference = (
  left: JsonValue | undefined,
  right: JsonValue | undefined,
  path = '',
): string | undefined => {
  if (left instanceof JsonObject && right instanceof JsonObject) {
    for (const [position, key] of left.keys.entries()) {
      const inner = path === '' ? key : `${path}.${key}`
      if (right.keys[position] !== key) return inner
      const changed = difference(left.values[position], right.values[position], inner)
      if (changed !== undefined) return changed
    }
    return left.size === right.size ? undefined : path
  }
  if (left !== undefined && right !== undefined && isArray(left) && isArray(right)) {
    for (const [index, value] of left.entries()) {
      const changed = difference(value, right[index], `${path}[${index}]`)
      if (changed !== undefined) return changed
    }
    return left.length === right.length ? undefined : path
  }
  if (left instanceof JsonNumber && right instanceof JsonNumber)
    return left.text === right.text ? undefined : path
  return left === right ? undefined : path
}
