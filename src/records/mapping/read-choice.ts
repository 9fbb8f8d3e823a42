import type { Node } from './document.ts'
import { Fields, type Reading } from './fields.ts'
import type { Choice, List } from './model.ts'
import type { Path } from './paths.ts'
import { readEach, readPrefer, readRequirements } from './read-lists.ts'

interface Known extends Reading {
  readonly lists: ReadonlyMap<string, List>
}

/** `{ list, where, prefer, take, value }`; the value may be such a choice again, below the element that was chosen. */
export const readChoice = (node: Node, known: Known): Choice | undefined => {
  const fields = new Fields(node, 'from', ['list', 'where', 'ignore_case', 'prefer', 'take', 'value'], known)
  const each = readEach(fields, 'list', known.lists, known)
  const value = readValue(fields, known)
  if (!each || !value) return undefined
  const where = readRequirements(fields, 'where')
  return {
    each,
    where,
    ignoreCase: fields.flag('ignore_case', false),
    prefer: readPrefer(fields, where),
    take: fields.choice('take', ['only', 'first', 'last'], 'only'),
    value,
  }
}

const readValue = (fields: Fields, known: Known): Path | Choice | undefined => {
  const node = fields.node('value')
  if (node?.type === 'map') return readChoice(node, known)
  const value = fields.path(fields.requiredText('value'), node?.at ?? fields.at)
  if (value?.leaf.type === 'element') fields.wrong('value must end in @attribute or text()')
  return value
}
