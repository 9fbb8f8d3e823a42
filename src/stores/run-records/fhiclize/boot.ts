import { decode, python, splitLines, strip } from './python-text.ts'
import { isBare, Keys, list, quoted, value, type IsFhicl } from './fhicl-printer.ts'
import { withoutRemark } from './strip-comment.ts'

const PROCESSES = ['BoardReader', 'EventBuilder', 'DataLogger', 'Dispatcher', 'RoutingManager']
const FIELD = new RegExp(`^(Subsystem|${PROCESSES.join('|')})_(.+)$`, 's')
const SUBSYSTEM_FIELDS = ['id', 'source', 'destination']
const PROCESS_FIELDS = ['host', 'port', 'label', 'subsystem']
const BLANKS = python('\\s+', 'g')

interface Line {
  /** With `_` for each run of blanks. */
  readonly key: string
  readonly value: string
  /** `Subsystem` or the kind of process, where the key is one of a block. */
  readonly owner: string | undefined
  readonly field: string
}
/** One subsystem or process: its values by field, those that were repeated in order. */
interface Block {
  readonly owner: string
  readonly fields: Map<string, string[]>
}

/**
 * `boot.txt` to `boot.fcl`. Unlike the original it keeps every `Subsystem source`, takes remarks
 * for remarks and whole keys for keys, and never lets one block run into the next. A field that the original does not know
 * (`fragmentMode`, `prepend`) stands where the original puts it, at the top, when there is one of it; when there are more, each
 * stands in its block.
 */
export const convertBoot = (bytes: Uint8Array, isFhicl: IsFhicl): string => {
  const lines = splitLines(decode(bytes)).flatMap(readLine)
  const counts = new Map<string, number>()
  for (const line of lines) if (line) counts.set(line.key, (counts.get(line.key) ?? 0) + 1)

  const keys = new Keys()
  const plain: string[] = []
  const subsystems: Block[] = []
  const processes: Block[] = []
  let subsystem: Block | undefined
  let process: Block | undefined
  for (const line of lines) {
    if (line === undefined) subsystem = process = undefined
    else if (line.owner === undefined || (!isKnown(line) && counts.get(line.key) === 1))
      plain.push(`${keys.of(line.key)}: ${value(line.value, isFhicl)}`)
    else if (line.owner === 'Subsystem') subsystem = add(subsystem, line, subsystems)
    else process = add(process, line, processes)
  }

  const out = [...plain]
  if (subsystems.length > 0)
    out.push(
      '',
      'subsystem_settings: [',
      ...separated(subsystems.map((one) => printSubsystem(one, isFhicl))),
      ']',
    )
  out.push(
    '',
    'artdaq_process_settings: [',
    ...separated(processes.map((one) => printProcess(one, isFhicl))),
    ']',
  )
  return out.map((line) => `${line}\n`).join('')
}

/** A line that says something; undefined for one that ends a block. */
const readLine = (line: string): (Line | undefined)[] => {
  const text = strip(line)
  const colon = text.indexOf(':')
  if (text === '') return [undefined]
  if (text.startsWith('#') || colon < 0) return []
  const key = strip(text.slice(0, colon)).replace(BLANKS, '_')
  const [, owner, field = ''] = FIELD.exec(key) ?? []
  return [{ key, owner, field, value: withoutRemark(strip(text.slice(colon + 1))) }]
}

const isKnown = ({ owner, field }: Line): boolean =>
  (owner === 'Subsystem' ? SUBSYSTEM_FIELDS : PROCESS_FIELDS).includes(field)

/** Puts a line into its block, or into a new one where the block belongs to another or has that value already. */
const add = (block: Block | undefined, line: Line, blocks: Block[]): Block => {
  const { owner = '', field } = line
  const mayRepeat = field === 'source' || field === 'destination' || !isKnown(line)
  let into = block
  if (into?.owner !== owner || (into.fields.has(field) && !mayRepeat)) {
    into = { owner, fields: new Map() }
    blocks.push(into)
  }
  const values = into.fields.get(field)
  if (values) values.push(line.value)
  else into.fields.set(field, [line.value])
  return into
}

const printSubsystem = ({ fields }: Block, isFhicl: IsFhicl): string => {
  const known = SUBSYSTEM_FIELDS.flatMap((field) => printTexts(field, fields.get(field)))
  return table([...known, ...printOthers(fields, SUBSYSTEM_FIELDS, isFhicl)])
}

const printProcess = ({ owner, fields }: Block, isFhicl: IsFhicl): string => {
  const port = fields.get('port')?.[0]
  return table([
    `name: "${owner}"`,
    ...printTexts('label', fields.get('label') ?? ['not set']),
    ...printTexts('host', fields.get('host') ?? ['not set']),
    ...(port === undefined ? [] : [`port: ${isBare(port) ? port : quoted(port)}`]),
    ...printTexts('subsystem', fields.get('subsystem')),
    ...printOthers(fields, PROCESS_FIELDS, isFhicl),
  ])
}

const printTexts = (field: string, texts: readonly string[] = []): string[] => {
  if (texts.length === 0) return []
  return [`${field}: ${texts.length === 1 ? quoted(texts[0] ?? '') : list(texts)}`]
}

const printOthers = (fields: Block['fields'], known: readonly string[], isFhicl: IsFhicl): string[] => {
  const keys = new Keys()
  for (const key of ['name', ...known]) keys.free(key)
  return [...fields].flatMap(([field, values]) =>
    known.includes(field) ? [] : values.map((one) => `${keys.inTable(field)}: ${value(one, isFhicl)}`),
  )
}

const table = (lines: readonly string[]): string => `{\n${lines.join('\n')}\n}`

const separated = (tables: readonly string[]): string[] =>
  tables.map((text, index) => (index < tables.length - 1 ? `${text},` : text))
