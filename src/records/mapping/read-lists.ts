import { isNothing, type Node } from './document.ts'
import { Fields, suggestion, type Reading } from './fields.ts'
import type { Each, List, Requirement, Unique } from './model.ts'
import { elementName, type Path } from './paths.ts'

const LIST = ['each', 'require', 'ignore_case', 'otherwise', 'any_of', 'unique', 'min', 'max'] as const

/** The lists of a mapping. A list may walk elements below those of a list that stands before it. */
export const readLists = (node: Node | undefined, reading: Reading): Map<string, List> => {
  const lists = new Map<string, List>()
  if (!node) return lists
  if (node.type !== 'map') {
    reading.problems.add(node.at, 'lists: must be a map of names and lists')
    return lists
  }
  for (const { name, value } of node.entries) lists.set(name, readList(name, value, lists, reading))
  return lists
}

const readList = (name: string, node: Node, lists: ReadonlyMap<string, List>, reading: Reading): List => {
  const fields = new Fields(node, `list ${name}`, LIST, reading)
  const require = readRequirements(fields, 'require')
  const min = fields.integer('min', 0, 1_000_000) ?? 0
  const max = fields.integer('max', 0, 1_000_000) ?? Infinity
  if (!fields.node('each')) fields.wrong('each is missing: the elements, such as /order/person')
  if (min > max) fields.wrong(`min ${min} is above max ${max}`, fields.node('min')?.at)
  return {
    name,
    each: readEach(fields, 'each', lists, reading) ?? NO_ELEMENT,
    require,
    ignoreCase: fields.flag('ignore_case', false),
    otherwise: fields.choice('otherwise', ['skip', 'fail'], 'skip'),
    anyOf: readPaths(fields, 'any_of'),
    unique: readUnique(fields, require, reading),
    min,
    max,
  }
}

const NO_ELEMENT: Each = { type: 'list', list: '', below: [], text: '' }

const readPaths = (fields: Fields, name: string): Path[] =>
  fields.texts(name).flatMap((text) => fields.path(text, fields.node(name)?.at ?? fields.at) ?? [])

/** `{ "@role": [MAIN, OTHER], "@id": present }`. */
export const readRequirements = (fields: Fields, name: string): Requirement[] => {
  const node = fields.node(name)
  if (!node) return []
  if (node.type !== 'map') {
    fields.wrong(`${name} must be a map of paths and values`, node.at)
    return []
  }
  return node.entries.flatMap(({ name: path, at, value }) => {
    const read = fields.path(path, at)
    const items = value.type === 'list' ? value.items : [value]
    const values = items.flatMap((item) => {
      if (item.type === 'scalar' && !isNothing(item)) return [item.text]
      fields.wrong(`${name} ${path}: must be "present" or a list of values`, item.at)
      return []
    })
    const isPresent = value.type === 'scalar' && value.text === 'present'
    return read ? [{ path: read, values: isPresent ? 'present' : values }] : []
  })
}

const readUnique = (
  fields: Fields,
  require: readonly Requirement[],
  reading: Reading,
): Unique | undefined => {
  const node = fields.node('unique')
  if (!node) return undefined
  const unique = new Fields(node, 'unique', ['by', 'prefer', 'then'], reading)
  const by = readPaths(unique, 'by')
  if (by.length === 0) unique.wrong('by must name what makes two elements the same')
  return {
    by,
    prefer: readPrefer(unique, require),
    then: unique.choice('then', ['last', 'first', 'fail'], 'last'),
  }
}

/** `prefer: "@role"`, in the order of the values that `require` gives it, or `{ "@kind": [HOME, WORK] }`. */
export const readPrefer = (fields: Fields, require: readonly Requirement[]): Requirement | undefined => {
  const node = fields.node('prefer')
  if (!node) return undefined
  if (node.type === 'map') {
    const [preferred] = readRequirements(fields, 'prefer')
    if (node.entries.length !== 1)
      fields.wrong('prefer must name one path with its values, as { "@kind": [HOME, WORK] }', node.at)
    else if (preferred?.values === 'present')
      fields.wrong(
        `prefer ${preferred.path.text} needs an order: give its values as { "${preferred.path.text}": [...] }`,
        node.at,
      )
    return preferred
  }
  if (node.type === 'list') {
    fields.wrong('prefer must be a path, or one path with its values, as { "@kind": [HOME, WORK] }', node.at)
    return undefined
  }
  const { text } = node
  const required = require.find(({ path }) => path.text === text)
  if (required && required.values !== 'present') return required
  fields.wrong(
    `prefer ${text} needs an order: give its values in require, or here as { "${text}": [...] }`,
    node.at,
  )
  return undefined
}

/** `people`, `people/address` or a path; undefined where the field is not there. */
export const readEach = (
  fields: Fields,
  name: string,
  lists: ReadonlyMap<string, List>,
  reading: Reading,
): Each | undefined => {
  const text = fields.text(name)
  const at = fields.node(name)?.at
  if (text === undefined || at === undefined) {
    if (name !== 'each' && !at) fields.wrong(`${name} is missing`)
    return undefined
  }
  const [first = '', ...rest] = text.split('/')
  if (lists.has(first)) {
    try {
      return { type: 'list', list: first, below: rest.map((step) => elementName(step, reading.names)), text }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      fields.wrong(`${name}: ${error.message}`, at)
      return undefined
    }
  }
  const path = fields.path(text, at)
  if (!path) return undefined
  if (path.leaf.type !== 'element') fields.wrong(`${name} "${text}" must end at an element`, at)
  else if (!path.absolute && name === 'each')
    fields.wrong(
      `${name} "${text}" is neither a list nor a path from the root${suggestion(first, [...lists.keys()])}`,
      at,
    )
  return { type: 'path', path, text }
}
