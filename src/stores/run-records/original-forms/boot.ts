import { decodeWithMark, python, splitLines, strip } from '../fhiclize/python-text.ts'
import { isNumeric } from '../fhiclize/fhicl-printer.ts'
import { quote } from './quote.ts'

const BLANKS = python('\\s+', 'g')
const SUBSYSTEM = ['Subsystem_id', 'Subsystem_source', 'Subsystem_destination']
const PROCESSES = ['BoardReader', 'EventBuilder', 'DataLogger', 'Dispatcher', 'RoutingManager']
const TOKENS = ['host', 'port', 'label', 'subsystem']

/** boot.fcl: a key is known by what it contains, the last value counts, and a block without a label runs into the next. */
export const originalBoot = (bytes: Uint8Array): string => {
  const plain: string[] = []
  const subsystems = new Map<string, ReadonlyMap<string, string>>()
  const processes = new Map<string, ReadonlyMap<string, string>>()
  let subsystem = new Map<string, string>()
  let process = new Map<string, string>()
  const finish = (): void => {
    const [label, id] = [givenOf(process, 'label'), givenOf(subsystem, 'id')]
    if (label !== undefined) {
      processes.set(label, process)
      process = new Map()
    }
    if (id !== undefined) {
      subsystems.set(id, subsystem)
      subsystem = new Map()
    }
  }
  for (const line of splitLines(decodeWithMark(bytes)).map(strip)) {
    const colon = line.indexOf(':')
    if (line.startsWith('#') || (line !== '' && colon < 0)) continue
    if (line === '') {
      finish()
      continue
    }
    const key = strip(line.slice(0, colon)).replace(BLANKS, '_')
    const value = strip(line.slice(colon + 1))
    const ofSubsystem = SUBSYSTEM.find((name) => key.includes(name))
    const owner = ofSubsystem === undefined ? ownerOf(key) : undefined
    if (ofSubsystem !== undefined) subsystem.set(ofSubsystem.slice('Subsystem_'.length), value)
    else if (owner) {
      process.set('name', owner.process)
      process.set(owner.token, value)
    } else plain.push(`${key}: ${isNumeric(value) ? value : quote(value)}\n`)
  }
  finish()
  const tables = (name: string, lines: readonly (readonly string[])[]): string =>
    `\n${name}: [\n${lines.map((one) => `{\n${one.join('\n')}\n}`).join(',\n')}${lines.length > 0 ? '\n' : ''}]\n`
  return (
    plain.join('') +
    (subsystems.size > 0 ? tables('subsystem_settings', [...subsystems.values()].map(printSubsystem)) : '') +
    tables('artdaq_process_settings', [...processes.values()].map(printProcess))
  )
}

const ownerOf = (key: string): { readonly process: string; readonly token: string } | undefined => {
  for (const process of PROCESSES)
    for (const token of TOKENS) if (key.includes(`${process}_${token}`)) return { process, token }
  return undefined
}

/** A field's value, which may be an empty text: the words "not set" stand for none. */
const givenOf = (fields: ReadonlyMap<string, string>, field: string): string | undefined => {
  const value = fields.get(field)
  return value === 'not set' ? undefined : value
}

const printSubsystem = (fields: ReadonlyMap<string, string>): readonly string[] =>
  ['id', 'source', 'destination'].flatMap((field) => {
    const value = givenOf(fields, field)
    return value === undefined ? [] : [`${field}: "${value}"`]
  })

const printProcess = (fields: ReadonlyMap<string, string>): readonly string[] => {
  const [port, subsystem] = [givenOf(fields, 'port'), givenOf(fields, 'subsystem')]
  return [
    `name: "${fields.get('name') ?? ''}"`,
    `label: "${fields.get('label') ?? ''}"`,
    `host: "${fields.get('host') ?? 'not set'}"`,
    ...(port === undefined ? [] : [`port: ${port}`]),
    ...(subsystem === undefined ? [] : [`subsystem: "${subsystem}"`]),
  ]
}
