import type { Entry, Node, Problems } from './document.ts'
import { Fields, suggestion, type Reading } from './fields.ts'
import type { Codes } from './model.ts'

const SETTINGS = ['ignore_case', 'otherwise', 'quiet'] as const

/** Enums or bits: `{ NEW: 1 }`, or `{ ignore_case: true, otherwise: 9, values: { NEW: 1 } }`. */
export const readCodeTables = (
  node: Node | undefined,
  what: 'enum' | 'bits',
  reading: Reading,
): Map<string, Codes> => {
  const { problems } = reading
  const tables = new Map<string, Codes>()
  if (node?.type !== 'map') {
    if (node) problems.add(node.at, `${what}: must be a map of names`)
    return tables
  }
  for (const { name, value } of node.entries) {
    const { settings: given, codes } = partsOf(value, `${what} ${name}`, problems)
    const settings = new Fields(
      { type: 'map', at: value.at, entries: given },
      `${what} ${name}`,
      SETTINGS,
      reading,
    )
    const stored = (
      code: string,
      { at, value: of }: Pick<Entry, 'at' | 'value'>,
    ): string | number | undefined => {
      const one = of.type === 'scalar' ? of.value : null
      const plain = typeof one === 'boolean' ? Number(one) : one
      if (plain === null) problems.add(at, `${what} ${name}: ${code} must give one value`)
      else if (what === 'bits' && plain !== 0 && plain !== 1)
        problems.add(at, `bits ${name}: ${code} must give 0 or 1`)
      return plain ?? undefined
    }
    const values = new Map<string, string | number>()
    for (const entry of codes) {
      const of = stored(`"${entry.name}"`, entry)
      if (of !== undefined) values.set(entry.name, of)
    }
    const otherwise = settings.node('otherwise')
    tables.set(name, {
      name,
      ignoreCase: settings.flag('ignore_case', false),
      values,
      otherwise: otherwise && stored('otherwise', { at: otherwise.at, value: otherwise }),
      quiet: settings.flag('quiet', false),
    })
  }
  return tables
}

interface Parts {
  readonly settings: readonly Entry[]
  readonly codes: readonly Entry[]
}

/** Settings stand beside `values` alone: without it all names are codes, and a setting would be one of them. */
const partsOf = (node: Node, where: string, problems: Problems): Parts => {
  if (node.type !== 'map') {
    problems.add(node.at, `${where}: must be a map of codes and values, as { NEW: 1 }`)
    return { settings: [], codes: [] }
  }
  const { entries } = node
  const inner = entries.find(({ name }) => name === 'values')
  if (inner?.value.type === 'map')
    return { settings: entries.filter((entry) => entry !== inner), codes: inner.value.entries }
  const setting = entries.find((entry) => isSetting(entry, entries))
  if (!setting) return { settings: [], codes: entries }
  const message = inner
    ? 'values must be a map of codes and values, as { NEW: 1 }'
    : `${setting.name} needs values beside it, as { ${setting.name}: ..., values: { NEW: 1 } }; a code of this name stands under values too`
  problems.add((inner ?? setting).at, `${where}: ${message}`)
  return { settings: [], codes: [] }
}

/** `quiet` may well be a code: it is one unless it alone is true or false. */
const isSetting = (entry: Entry, entries: readonly Entry[]): boolean =>
  entry.name === 'quiet'
    ? isFlag(entry) && entries.every((other) => other === entry || !isFlag(other))
    : SETTINGS.some((name) => name === entry.name)

const isFlag = ({ value }: Entry): boolean => value.type === 'scalar' && typeof value.value === 'boolean'

/** The enum or the bits that a column, or what stands under its `else`, names. */
export const readCodes = (
  fields: Fields,
  known: { readonly enums: ReadonlyMap<string, Codes>; readonly bits: ReadonlyMap<string, Codes> },
): Codes | undefined => {
  if (fields.has('enum') && fields.has('bit'))
    fields.wrong('has enum and bit: one is needed', fields.node('bit')?.at)
  for (const [field, from] of [
    ['enum', known.enums],
    ['bit', known.bits],
  ] as const) {
    const name = fields.text(field)
    if (name === undefined) continue
    const codes = from.get(name)
    if (!codes)
      fields.wrong(
        `${field} ${name} is not among ${field}s${suggestion(name, [...from.keys()])}`,
        fields.node(field)?.at,
      )
    return codes
  }
  return undefined
}
