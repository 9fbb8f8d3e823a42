import { DEFAULT_LIMITS, type Limits } from '../payload/tree.ts'
import { readContract } from '../contract/read-contract.ts'
import { Problems, readDocument, type Node } from './document.ts'
import { Fields, type Reading } from './fields.ts'
import { MappingError } from './mapping-error.ts'
import type { Mapping, Source } from './model.ts'
import { elementName, type Path } from './paths.ts'
import { readLists } from './read-lists.ts'
import { readCodeTables } from './read-codes.ts'
import { readFormats } from './read-columns.ts'
import { readTables } from './read-tables.ts'

const TOP = [
  'version',
  'namespaces',
  'attribute_case',
  'date_formats',
  'repeated_names',
  'source',
  'record',
  'limits',
  'null_words',
  'lists',
  'tables',
  'enums',
  'bits',
  'required',
] as const

/**
 * Reads a mapping: our YAML, or the original's contract where `xml_root_element` stands in it. `file` names it in messages. Throws a
 * MappingError with every problem, each with its line and column.
 */
export const readMapping = (text: string, file: string): Mapping => {
  const problems = new Problems()
  const root = readDocument(text, problems)
  if (!root) throw new MappingError(file, problems.found)
  const isContract = root.type === 'map' && root.entries.some(({ name }) => name === 'xml_root_element')
  const mapping = isContract ? readContract(root, problems) : readYaml(root, problems)
  if (problems.found.length > 0) throw new MappingError(file, problems.found)
  return mapping
}

const readYaml = (root: Node, problems: Problems): Mapping => {
  const namespaces = readNamespaces(root, problems)
  const plain: Reading = { problems, names: { prefixes: namespaces, ignoreAttributeCase: false } }
  const fields = new Fields(root, 'the mapping', TOP, plain)
  const ignoreAttributeCase = fields.choice('attribute_case', ['exact', 'ignore'], 'exact') === 'ignore'
  const reading: Reading = { problems, names: { prefixes: namespaces, ignoreAttributeCase } }
  if (fields.text('version') !== '1') fields.wrong('version must be 1', fields.node('version')?.at)
  const lists = readLists(fields.node('lists'), reading)
  const nullWords = new Set(fields.texts('null_words'))
  const dateFormats = readFormats(fields, 'date_formats')
  const known = {
    ...reading,
    lists,
    nullWords,
    dateFormats,
    enums: readCodeTables(fields.node('enums'), 'enum', reading),
    bits: readCodeTables(fields.node('bits'), 'bits', reading),
  }
  const required = fields
    .texts('required')
    .flatMap((path) => fields.path(path, fields.node('required')?.at ?? fields.at) ?? [])
  return {
    source: readSource(fields.node('source'), reading),
    record: readRecord(fields, reading),
    naming: { namespaces: namespaces ? 'declared' : 'ignore', ignoreAttributeCase },
    limits: readLimits(fields.node('limits'), reading),
    nullWords,
    lists,
    tables: readTables(fields.node('tables'), known),
    required,
    repeatedNames: fields.choice('repeated_names', ['fail', 'last'], 'fail'),
    dateFormats,
    notes: [],
  }
}

/** Prefixes and their namespaces; undefined where namespaces are ignored. */
const readNamespaces = (root: Node, problems: Problems): ReadonlyMap<string, string> | undefined => {
  const node = root.type === 'map' ? root.entries.find(({ name }) => name === 'namespaces')?.value : undefined
  if (!node || (node.type === 'scalar' && node.text === 'declared')) return new Map()
  if (node.type === 'scalar' && node.text === 'ignore') return undefined
  if (node.type === 'map') {
    for (const { name, value } of node.entries)
      if (value.type !== 'scalar' || value.value === null || value.text === '')
        problems.add(value.at, `namespaces: ${name} must be a text, the namespace of the prefix`)
    return new Map(node.entries.map(({ name, value }) => [name, value.type === 'scalar' ? value.text : '']))
  }
  problems.add(node.at, 'namespaces: must be declared, ignore, or a map of prefixes')
  return new Map()
}

const readRecord = (fields: Fields, reading: Reading): Mapping['record'] => {
  const node = fields.node('record')
  if (!node) {
    fields.wrong('record is missing: the root element and the path of the key')
    return { root: '', rootText: '', key: NO_PATH, keyType: 'bigint' }
  }
  const record = new Fields(node, 'record', ['root', 'key', 'key_type'], reading)
  const rootText = record.requiredText('root')
  const key = record.path(record.requiredText('key'), record.node('key')?.at ?? node.at) ?? NO_PATH
  if (key !== NO_PATH && (!key.absolute || key.leaf.type === 'element'))
    record.wrong('key must be a path from the root to @attribute or text()', record.node('key')?.at)
  let root = ''
  try {
    root = elementName(rootText, reading.names)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    record.wrong(`root: ${error.message}`)
  }
  return { root, rootText, key, keyType: record.choice('key_type', ['bigint', 'text'], 'bigint') }
}

const NO_PATH: Path = { absolute: true, up: 0, steps: [], leaf: { type: 'element' }, text: '' }

const readSource = (node: Node | undefined, reading: Reading): Source => {
  const nothing = {
    table: undefined,
    query: undefined,
    files: undefined,
    key: undefined,
    payload: undefined,
    format: 'xml',
  } as const
  if (!node) return nothing
  const fields = new Fields(node, 'source', ['table', 'query', 'files', 'key', 'payload', 'format'], reading)
  return {
    table: fields.text('table'),
    query: fields.text('query'),
    files: fields.text('files'),
    key: fields.text('key'),
    payload: fields.text('payload'),
    format: fields.choice('format', ['xml', 'json'], 'xml'),
  }
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}

/** A text in memory takes no more. */
const MOST_BYTES = 512 * 1024 ** 2

const readLimits = (node: Node | undefined, reading: Reading): Limits => {
  if (!node) return DEFAULT_LIMITS
  const fields = new Fields(node, 'limits', ['bytes', 'depth', 'nodes', 'attributes'], reading)
  const [, number, unit = ''] =
    /^(\d+)\s*([A-Za-z]*)$/.exec(fields.text('bytes') ?? String(DEFAULT_LIMITS.bytes)) ?? []
  const bytes = Number(number) * (Object.hasOwn(UNITS, unit) ? (UNITS[unit] ?? NaN) : NaN)
  const isSize = bytes >= 1 && bytes <= MOST_BYTES
  if (!isSize) fields.wrong('bytes must be a size such as 64MiB, 512MiB at most', fields.node('bytes')?.at)
  return {
    bytes: isSize ? bytes : DEFAULT_LIMITS.bytes,
    depth: fields.integer('depth', 1, 1000) ?? DEFAULT_LIMITS.depth,
    nodes: fields.integer('nodes', 1, 100_000_000) ?? DEFAULT_LIMITS.nodes,
    attributes: fields.integer('attributes', 1, 1_000_000) ?? DEFAULT_LIMITS.attributes,
  }
}
