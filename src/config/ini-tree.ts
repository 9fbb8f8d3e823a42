import { START, type Entry, type Node, type Problem, type Tree } from './yaml-tree.ts'

interface Section {
  readonly type: 'map'
  readonly at: { readonly line: number; readonly column: number }
  readonly entries: Entry[]
}

/**
 * Reads an INI file as the tree of a YAML one: `[rows]` is a section, `[rows.throttle]` one inside of it, `key = value` or `key: value` a
 * setting, `key[] = value` an item of a list, `"failed:DAILY" = value` one whose name has a colon. As Python's configparser reads it, a line that is indented deeper than its key goes on with the
 * value. A comment begins with `#` or `;` at the beginning of a line, or behind a blank and outside of quotes: `p#word` is a value. Never throws.
 */
export const parseIniTree = (text: string): Tree => {
  const problems: Problem[] = []
  const root: Section = { type: 'map', at: START, entries: [] }
  let section = root
  let open: { readonly indent: number; readonly change: (more: string) => void } | undefined
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const line = index + 1
    const indent = raw.length - raw.trimStart().length
    const at = { line, column: indent + 1 }
    const words = raw.trim()
    if (words === '' || /^[#;]/.test(words)) continue
    if (open && indent > open.indent) {
      open.change(words)
      continue
    }
    open = undefined
    const [, name] = /^\[([^\]]*)\]\s*(?:[#;].*)?$/.exec(words) ?? []
    if (name !== undefined) {
      section = name.split('.').reduce((above, part) => sectionOf(above, part.trim(), at, problems), root)
      continue
    }
    const [, quoted, bare, value] = /^(?:"([^"]+)"|([^=:]*[^=:\s]))\s*[=:](.*)$/.exec(words) ?? []
    const key = quoted ?? bare
    if (key === undefined || value === undefined) {
      problems.push({ at, message: 'is neither [section] nor key = value' })
      continue
    }
    const read = (whole: string): Node => ({ type: 'text', at, text: valueOf(whole) })
    const place = placeOf(section, key, at, problems)
    let whole = value
    place(read(whole))
    open = { indent, change: (more) => place(read((whole = `${whole}\n${more}`))) }
  }
  return { root, problems, readable: problems.length === 0 }
}

const sectionOf = (above: Section, name: string, at: Section['at'], problems: Problem[]): Section => {
  const known = above.entries.find((entry) => entry.name === name)?.value
  if (known?.type === 'map') return known as Section
  if (known) problems.push({ at, message: `${name} is a setting and a section` })
  const section: Section = { type: 'map', at, entries: [] }
  above.entries.push({ name, at, value: section })
  return section
}

/** Where the value of a key goes; a second one of the same name is a problem, or the next item of a list. */
const placeOf = (
  { entries }: Section,
  key: string,
  at: Section['at'],
  problems: Problem[],
): ((value: Node) => void) => {
  const name = key.replace(/\[\]$/, '')
  const known = entries.findIndex((entry) => entry.name === name)
  const list = entries[known]?.value
  const items = list?.type === 'list' ? list.items : []
  const isItem = name !== key
  if (known >= 0 && !(isItem && list?.type === 'list'))
    problems.push({ at, message: `${name} is set twice in this section` })
  const index = known >= 0 ? known : entries.length
  return (value) => {
    entries[index] = { name, at, value: isItem ? { type: 'list', at, items: [...items, value] } : value }
  }
}

/** Without the comment behind it and the quotes around it. A line that goes on is a line of the value. */
const valueOf = (whole: string): string => {
  const text = whole
    .split('\n')
    .map((line) => withoutComment(line).trim())
    .join('\n')
    .trim()
  const [, double, single] = /^(?:"([^"\\]*(?:\\.[^"\\]*)*)"|'([^']*)')$/s.exec(text) ?? []
  if (single !== undefined) return single
  return (double ?? text).replace(double === undefined ? /\\([#;])/g : /\\(["\\#;])/g, '$1')
}

const withoutComment = (line: string): string => {
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at)
    if (quote !== '') quote = character === quote ? '' : quote
    else if (character === '"' || character === "'") quote = character
    else if ('#;'.includes(character) && /^$|\s/.test(line.charAt(at - 1))) return line.slice(0, at)
  }
  return line
}
