import { BLANK_CLASS, decodeWithMark, python, splitLines, strip, words } from '../fhiclize/python-text.ts'
import { array, quote } from './quote.ts'

const SEPARATORS = new RegExp(`[${BLANK_CLASS}-]+`, 'gu')
const COMPONENT = python('^Component #\\d+')
const LOWERED = ['Config name', 'DAQInterface start time', 'DAQInterface stop time', 'Total events']
const SECTIONS = [
  'process manager',
  'boardreader',
  'eventbuilder',
  'routingmanager',
  'datalogger',
  'dispatcher',
]

/** metadata.fcl: lists are never emptied, and what is open at the end is lost, unless it is the dispatchers' section. */
export const originalMetadata = (bytes: Uint8Array): string => {
  let text = ''
  const components: string[] = []
  const sections = new Map<string, string[]>()
  let open: string | undefined
  let running = false
  const closeSection = (): void => {
    if (open !== undefined)
      text += `\n${open.replaceAll(' ', '_')}_logfiles: ${array(sections.get(open) ?? [])}\n`
    open = undefined
  }
  const closeComponents = (): void => {
    if (running) text += `components: ${array(components)}\n`
    running = false
  }
  for (const line of splitLines(decodeWithMark(bytes))) {
    const trimmed = strip(line)
    if (trimmed.startsWith('#')) {
      text += `${line}\n`
      continue
    }
    if (trimmed === '') {
      if (open === undefined) closeComponents()
      else closeSection()
      continue
    }
    if (open !== undefined) {
      sections.get(open)?.push(words(trimmed)[0] ?? '')
      continue
    }
    if (running && !COMPONENT.test(trimmed)) closeComponents()
    const colon = trimmed.indexOf(':')
    if (colon < 0) continue
    const [key, value] = [strip(trimmed.slice(0, colon)), strip(trimmed.slice(colon + 1))]
    const section = SECTIONS.find((name) => key === `${name} logfiles`)
    if (COMPONENT.test(key)) {
      components.push(value)
      running = true
    } else if (section !== undefined) {
      open = section
      if (!sections.has(section)) sections.set(section, [])
    } else text += `${plain(key, value)}\n`
  }
  if (open === 'dispatcher') closeSection()
  return text
}

const plain = (key: string, value: string): string => {
  if (LOWERED.some((start) => key.startsWith(start)))
    return `${key.toLowerCase().replaceAll(' ', '_')}: ${quote(value)}`
  if (key.includes('commit/version'))
    return `${key.replace(SEPARATORS, '_').replace('commit/version', 'commit_or_version')}: "${value.replaceAll('"', ' ')}"`
  if (key === 'pmt logfile') return `pmt_logfiles_wildcard: ${quote(value)}`
  return `${key.replace(SEPARATORS, '_')}: ${quote(value)}`
}
