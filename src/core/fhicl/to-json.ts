import { JsonNumber, JsonObject, type JsonArray, type JsonValue } from '../artdaq-json/model.ts'
import { writeJson } from '../artdaq-json/writer.ts'
import type { Comment, FhiclDocument, FhiclValue, Parameter } from './document.ts'

/** The parts of a stored document that come from the text; the store puts the others round them. */
export interface DocumentParts {
  /** `document.data`: `prolog` and `main`, every leaf the source text of its value. */
  readonly data: JsonObject
  /** `document.metadata`: the same shape in nodes of type, comment, annotation, protection and children. */
  readonly metadata: JsonObject
  /** `comments`, in line order; one entry for line 0 where there is none. */
  readonly comments: JsonArray
}

/** What a document's text becomes in a stored document (docs/FORMATS.md, FHiCL). */
export const documentParts = ({ prolog, main, comments }: FhiclDocument): DocumentParts => ({
  data: JsonObject.of(['prolog', dataOf(prolog)], ['main', dataOf(main)]),
  metadata: JsonObject.of(['prolog', rootOf('prolog', prolog)], ['main', rootOf('main', main)]),
  comments: (comments.length === 0 ? NO_COMMENTS : comments).map(commentEntry),
})

export interface Origin {
  /** The document's name: `notprovided`, or the entity it is stored under. */
  readonly name: string
  /** When it was parsed, as `artdaqStamp` writes it. */
  readonly stamp: string
}

/** What artdaq's own conversion gives for a text, before anything is stored. */
export const fhiclToJson = (document: FhiclDocument, { name, stamp }: Origin): JsonObject => {
  const { data, metadata, comments } = documentParts(document)
  return JsonObject.of(
    ['document', JsonObject.of(['data', data], ['metadata', metadata])],
    ['comments', comments],
    ['origin', originOf({ name, stamp })],
    ['version', 'notprovided'],
    ['entities', []],
    ['configurations', []],
  )
}

/** The text of `fhiclToJson`, without a newline at the end. */
export const fhiclToJsonText = (document: FhiclDocument, origin: Origin): string =>
  writeJson(fhiclToJson(document, origin))

/** `origin` as parsing gives it; storing adds `created` and `rawdata`. */
export const originOf = ({ name, stamp }: Origin): JsonObject =>
  JsonObject.of(['format', 'fhicl'], ['name', name], ['source', 'fhicl_to_json'], ['timestamp', stamp])

const NO_COMMENTS: readonly Comment[] = [{ line: 0, text: 'No comments' }]

const commentEntry = ({ line, text }: Comment): JsonObject =>
  new JsonObject(['linenum', 'value'], [new JsonNumber(line), text])

const dataOf = (parameters: readonly Parameter[]): JsonObject =>
  new JsonObject(
    parameters.map(({ key }) => key),
    parameters.map(({ value }) => valueOf(value)),
  )

const valueOf = (value: FhiclValue): JsonValue => {
  if (value.type === 'table') return dataOf(value.members)
  return value.type === 'sequence' ? value.elements.map(valueOf) : value.text
}

const rootOf = (name: string, parameters: readonly Parameter[]): JsonObject =>
  new JsonObject(['type', 'comment', 'children'], ['table', `#${name}`, nodesOf(parameters)])

const nodesOf = (parameters: readonly Parameter[]): JsonObject =>
  new JsonObject(
    parameters.map(({ key }) => key),
    parameters.map(({ value }) => nodeOf(value)),
  )

const LEAF = ['type', 'comment', 'annotation']
const TABLE = ['type', 'comment', 'children']
const SEQUENCE = [...LEAF, 'children']

const nodeOf = (value: FhiclValue): JsonObject => {
  const { type, comment, annotation, protection } = value
  if (protection !== '') return protectedNode(value)
  if (type === 'table') return new JsonObject(TABLE, [type, comment, nodesOf(value.members)])
  const leaf = [type, comment, annotation]
  return type === 'sequence'
    ? new JsonObject(SEQUENCE, [...leaf, elementNodes(value.elements)])
    : new JsonObject(LEAF, leaf)
}

/** Protection stands before the children, where there are any. */
const protectedNode = (value: FhiclValue): JsonObject => {
  const bare = nodeOf({ ...value, protection: '' })
  const at = bare.keys.at(-1) === 'children' ? bare.size - 1 : bare.size
  return new JsonObject(
    bare.keys.toSpliced(at, 0, 'protection'),
    bare.values.toSpliced(at, 0, value.protection),
  )
}

const elementNodes = (elements: readonly FhiclValue[]): JsonObject =>
  new JsonObject(
    elements.map((_, index) => String(index)),
    elements.map(nodeOf),
  )
