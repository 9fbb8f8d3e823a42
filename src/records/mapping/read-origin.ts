import type { ValueRules } from './check-values.ts'
import type { Node } from './document.ts'
import { Fields, type Reading } from './fields.ts'
import type { Codes, Column, List, Origin } from './model.ts'
import { readChoice } from './read-choice.ts'
import { readCodes } from './read-codes.ts'

/** What columns refer to by name. */
export interface Known extends Reading, ValueRules {
  readonly lists: ReadonlyMap<string, List>
  readonly enums: ReadonlyMap<string, Codes>
  readonly bits: ReadonlyMap<string, Codes>
}

const ORIGINS = ['from', 'expr', 'value'] as const

/** A value that the mapping gives itself; true and false are 1 and 0. */
export const literal = (value: string | number | boolean | null): Origin => ({
  type: 'literal',
  value: typeof value === 'boolean' ? Number(value) : value,
})

/** Where a value comes from: `from`, `expr` or `value`. `asText`: as for a default. */
export const readOrigin = (fields: Fields, known: Known, asText: boolean): Origin => {
  const given = ORIGINS.filter((name) => fields.has(name))
  const [name] = given
  if (name === undefined || given.length > 1) {
    fields.wrong(
      name === undefined ? 'needs one of from, expr and value' : `has ${given.join(' and ')}: one is needed`,
    )
    return literal(null)
  }
  const node = fields.node(name)
  const take = fields.choice('take', ['only', 'first', 'last'], 'only')
  const warns = fields.flag('warn_repeated', false)
  const namesAt = fields.text('names_at')
  checkBeside({ take: take !== 'only', warn_repeated: warns, names_at: namesAt !== undefined }, name, fields)
  if (name === 'value') {
    if (node && node.type !== 'scalar') fields.wrong('value must be one value', node.at)
    if (node?.type !== 'scalar') return literal(null)
    if (node.text === '$key') return { type: 'key' }
    return literal(asText && typeof node.value === 'number' ? node.text : node.value)
  }
  if (!node) {
    fields.wrong(`${name} is null; write value: null where no value is meant`)
    return literal(null)
  }
  if (name === 'expr') {
    const text = fields.text('expr')
    const formula = text === undefined ? undefined : fields.formula(text, node.at)
    const base =
      namesAt === undefined ? undefined : fields.path(namesAt, fields.node('names_at')?.at ?? fields.at)
    return formula ? { type: 'expression', formula, base } : literal(null)
  }
  if (node.type === 'map') {
    const choice = readChoice(node, known)
    return choice ? { type: 'choice', choice } : literal(null)
  }
  const text = fields.text('from')
  if (text === '$key') return { type: 'key' }
  const path = text === undefined ? undefined : fields.path(text, node.at)
  if (!path) return literal(null)
  if (path.leaf.type === 'element')
    fields.wrong(`from "${path.text}" must end in @attribute or text()`, node.at)
  return { type: 'path', path, take, warns }
}

/** Settings that have an effect on one kind of origin alone. */
const checkBeside = (
  set: Readonly<Record<'take' | 'warn_repeated' | 'names_at', boolean>>,
  name: (typeof ORIGINS)[number],
  fields: Fields,
): void => {
  const isChoice = name === 'from' && fields.node(name)?.type === 'map'
  if (set.take && isChoice) fields.wrong('take stands inside from, beside its list', fields.node('take')?.at)
  for (const setting of ['take', 'warn_repeated'] as const)
    if (set[setting] && (name !== 'from' || (isChoice && setting !== 'take')))
      fields.wrong(`${setting} needs from with a path`, fields.node(setting)?.at)
  if (set.names_at && name !== 'expr') fields.wrong('names_at needs expr', fields.node('names_at')?.at)
}

/** What counts where a column has no value: `$now`, or a value from elsewhere with codes of its own. */
export const readElse = (node: Node | undefined, known: Known, asText: boolean): Column['fallback'] => {
  if (!node) return undefined
  if (node.type === 'scalar' && node.text === '$now') return { origin: { type: 'now' }, codes: undefined }
  const fields = new Fields(
    node,
    'else',
    ['from', 'expr', 'value', 'take', 'names_at', 'warn_repeated', 'enum', 'bit'],
    known,
  )
  return { origin: readOrigin(fields, known, asText), codes: readCodes(fields, known) }
}
