import type { Entry, Node } from './document.ts'
import { Fields, type Reading } from './fields.ts'
import type { Codes } from './model.ts'

/** Enums or bits: `{ NEW: 1 }`, or `{ ignore_case: true, otherwise: 9, values: { NEW: 1 } }`. */
export const readCodeTables = (
  node: Node | undefined,
  what: string,
  reading: Reading,
): Map<string, Codes> => {
  const { problems } = reading
  const tables = new Map<string, Codes>()
  if (node?.type !== 'map') {
    if (node) problems.add(node.at, `${what}: must be a map of names`)
    return tables
  }
  for (const { name, value } of node.entries) {
    const entries = value.type === 'map' ? value.entries : []
    const inner = entries.find((entry) => entry.name === 'values')?.value
    const flagged = inner?.type === 'map'
    const settings = new Fields(
      {
        type: 'map',
        at: value.at,
        entries: flagged ? entries.filter((entry) => entry.name !== 'values') : [],
      },
      `${what} ${name}`,
      ['ignore_case', 'otherwise', 'quiet'],
      reading,
    )
    const given = (
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
    for (const entry of flagged ? inner.entries : entries) {
      const of = given(`"${entry.name}"`, entry)
      if (of !== undefined) values.set(entry.name, of)
    }
    const otherwise = settings.node('otherwise')
    tables.set(name, {
      name,
      ignoreCase: settings.flag('ignore_case', false),
      values,
      otherwise: otherwise && given('otherwise', { at: otherwise.at, value: otherwise }),
      quiet: settings.flag('quiet', false),
    })
  }
  return tables
}
