import type { Node } from './document.ts'
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
    const values = new Map<string, string | number>()
    for (const entry of flagged ? inner.entries : entries)
      if (entry.value.type === 'scalar' && entry.value.value !== null) {
        const of = typeof entry.value.value === 'boolean' ? Number(entry.value.value) : entry.value.value
        if (what === 'bits' && of !== 0 && of !== 1)
          problems.add(entry.at, `bits ${name}: "${entry.name}" must give 0 or 1`)
        values.set(entry.name, of)
      } else problems.add(entry.at, `${what} ${name}: "${entry.name}" must give one value`)
    const otherwise = settings.node('otherwise')
    tables.set(name, {
      name,
      ignoreCase: settings.flag('ignore_case', false),
      values,
      otherwise:
        otherwise?.type === 'scalar' && typeof otherwise.value !== 'boolean'
          ? (otherwise.value ?? undefined)
          : undefined,
      quiet: settings.flag('quiet', false),
    })
  }
  return tables
}
