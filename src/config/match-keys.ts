import { isSection, type Key, type Keys, type Section } from './schema.ts'
import { suggest } from '../common/suggest.ts'
import { START, type At, type Entry, type Node, type Problem } from './yaml-tree.ts'

/** A setting, and what the file says of it. */
export interface Placed {
  readonly path: string
  readonly name: string
  /** The path of the section it stands in; empty at the top. */
  readonly section: string
  readonly key: Key
  /** Its own line, or that of the nearest section that is there. */
  readonly at: At
  readonly node: Node | undefined
  /** For a secret: what `<key>_file` says. */
  readonly file: Entry | undefined
}

/**
 * Lays the tree of a file over the table of keys: every setting of the table with its place. What is in the file and not
 * in the table is a problem, with the setting that was probably meant.
 */
export const placeSettings = (
  keys: Keys,
  root: Node,
): { readonly settings: readonly Placed[]; readonly problems: readonly Problem[] } => {
  const problems: Problem[] = []
  const settings: Placed[] = []

  const visit = (
    { keys: table, short }: Pick<Section, 'keys' | 'short'>,
    node: Node | undefined,
    at: At,
    section: string,
  ): void => {
    const entries =
      node?.type === 'text' && short !== undefined
        ? [{ name: short, at, value: node }]
        : entriesOf(node, at, section)
    const pathOf = (name: string) => (section === '' ? name : `${section}.${name}`)
    for (const entry of entries)
      if (!isKnown(table, entry.name))
        problems.push({ at: entry.at, message: unknown(pathOf(entry.name), entry.name, table, keys) })
    for (const [name, row] of Object.entries(table)) {
      const entry = entries.find((candidate) => candidate.name === name)
      if (isSection(row)) visit(row, entry?.value, entry?.at ?? at, pathOf(name))
      else {
        const file = row.kind.secret
          ? entries.find((candidate) => candidate.name === `${name}_file`)
          : undefined
        const value = entry?.value.type === 'none' ? undefined : entry?.value
        settings.push({ path: pathOf(name), name, section, key: row, at: entry?.at ?? at, node: value, file })
      }
    }
  }

  const entriesOf = (node: Node | undefined, at: At, section: string): readonly Entry[] => {
    if (node === undefined || node.type === 'none') return []
    if (node.type === 'map') return node.entries
    const what = section === '' ? 'a configuration' : `${section}:`
    const isGlued = node.type === 'text' && /^\w+\s*[:=]/.test(node.text)
    problems.push({
      at,
      message: `${what} must be a section with keys of its own${isGlued ? '; behind each key stand a colon and a space' : ''}`,
    })
    return []
  }

  visit({ keys }, root, START, '')
  return { settings, problems }
}

const isKnown = (table: Keys, name: string): boolean => {
  if (Object.hasOwn(table, name)) return true
  const row = name.endsWith('_file') ? name.slice(0, -'_file'.length) : undefined
  if (row === undefined || !Object.hasOwn(table, row)) return false
  const known = table[row]
  return known !== undefined && !isSection(known) && known.kind.secret
}

const unknown = (path: string, name: string, table: Keys, all: Keys): string => {
  const near = suggest(name, namesIn(table))
  if (near !== undefined) return `${path}: there is no such setting; did you mean ${near}?`
  const elsewhere = sectionsWith(name, all)
  if (elsewhere !== undefined) return `${path}: there is no such setting here; it belongs under ${elsewhere}`
  return `${path}: there is no such setting (docs/CONFIG.md lists them all)`
}

function* namesIn(table: Keys): Generator<string> {
  for (const [name, row] of Object.entries(table)) {
    yield name
    if (!isSection(row) && row.kind.secret) yield `${name}_file`
  }
}

const sectionsWith = (name: string, table: Keys, section = ''): string | undefined => {
  for (const [candidate, row] of Object.entries(table)) {
    if (!isSection(row)) continue
    const path = section === '' ? candidate : `${section}.${candidate}`
    if (isKnown(row.keys, name)) return path
    const deeper = sectionsWith(name, row.keys, path)
    if (deeper !== undefined) return deeper
  }
  return undefined
}
