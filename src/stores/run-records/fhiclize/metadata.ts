import { BLANK_CLASS, decode, python, splitLines, strip, words } from './python-text.ts'
import { Keys, list, nameValue, quoted, value, type IsFhicl } from './fhicl-printer.ts'

const KNOWN = ['process manager', 'boardreader', 'eventbuilder', 'routingmanager', 'datalogger', 'dispatcher']
const SEPARATORS = new RegExp(`[${BLANK_CLASS}-]+`, 'gu')
const COMPONENT = python('^Component #\\d+')
// Their keys are the original's own: lower case, each space one `_`.
const LOWERED = ['Config name', 'DAQInterface start time', 'DAQInterface stop time', 'Total events']

interface Section {
  readonly key: string
  /** Sections that the original does not know as such stand as an empty text while there is nothing in them. */
  readonly known: boolean
  readonly items: string[]
}
type Line = string | Section

/**
 * `metadata.txt` to `metadata.fcl`. Unlike the original it keeps a section or component list at the end
 * of the file, keeps sections apart and together, takes the `pmt logfile(s)` of before 2019 and every
 * `... logfiles` section, and writes configuration names as text.
 */
export const convertMetadata = (bytes: Uint8Array, isFhicl: IsFhicl): string => {
  const keys = new Keys()
  const written: Line[] = []
  const lists = new Map<string, Section>()
  const placed = new Set<Section>()
  let open: Section | undefined
  let components: Section | undefined
  // The commit text just written, which the next line may carry on.
  let commit: { readonly at: number; readonly key: string; readonly text: string } | undefined

  const section = (key: string, known: boolean): Section => {
    const old = lists.get(key)
    if (old) return old
    const made: Section = { key, known, items: [] }
    lists.set(key, made)
    return made
  }
  const close = (): void => {
    for (const part of [components, open]) {
      if (!part || placed.has(part)) continue
      placed.add(part)
      written.push(part)
    }
    components = open = undefined
  }

  for (const line of splitLines(decode(bytes))) {
    const text = strip(line)
    const before = commit
    commit = undefined
    if (text.startsWith('#')) {
      written.push(/^[ \t]*#/.test(line) ? line : text) // no blank but these two may stand before a remark in FHiCL
    } else if (text === '') {
      close()
    } else if (open) {
      open.items.push(words(text)[0] ?? '')
    } else if (text.startsWith('"') && before !== undefined) {
      // It ended in a line end: the build time stands on a line of its own.
      written[before.at] = `${before.key}: ${quoted(`${before.text} ${text.replaceAll('"', ' ')}`)}`
    } else {
      const colon = text.indexOf(':')
      const key = strip(colon < 0 ? text : text.slice(0, colon))
      const content = strip(text.slice(colon + 1))
      if (!COMPONENT.test(key)) close()
      if (colon < 0) continue
      if (COMPONENT.test(key)) {
        components ??= section('components', true)
        components.items.push(content)
      } else if (isSection(key, content)) {
        open = section(keys.of(key.replace(SEPARATORS, '_')), KNOWN.some((name) => key === `${name} logfiles`)) // prettier-ignore
        if (content !== '') open.items.push(content)
      } else if (key.includes('commit/version')) {
        const name = keys.of(key.replace(SEPARATORS, '_').replace('commit/version', 'commit_or_version'))
        commit = { at: written.length, key: name, text: content.replaceAll('"', ' ') }
        written.push(`${name}: ${quoted(commit.text)}`)
      } else {
        written.push(plain(key, content, keys, isFhicl))
      }
    }
  }
  close()
  return written.map((line) => `${typeof line === 'string' ? line : print(line)}\n`).join('')
}

const isSection = (key: string, content: string): boolean =>
  KNOWN.some((name) => key === `${name} logfiles`) || (key.endsWith(' logfiles') && content === '')

const plain = (key: string, content: string, keys: Keys, isFhicl: IsFhicl): string => {
  const lowered = LOWERED.find((start) => key.startsWith(start))
  if (lowered) {
    const text = lowered === 'Config name' ? nameValue(content) : value(content, isFhicl)
    return `${keys.of(key.toLowerCase().replaceAll(' ', '_'))}: ${text}`
  }
  const isWildcard = key === 'pmt logfile' || key === 'pmt logfile(s)'
  return `${isWildcard ? 'pmt_logfiles_wildcard' : keys.of(key.replace(SEPARATORS, '_'))}: ${value(content, isFhicl)}`
}

const print = ({ key, known, items }: Section): string => {
  if (key === 'components') return `components: ${list(items)}`
  return known || items.length > 0 ? `\n${key}: ${list(items)}` : `${key}: ""`
}
