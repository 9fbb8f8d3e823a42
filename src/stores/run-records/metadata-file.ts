import { decode, python, splitLines, strip } from './fhiclize/python-text.ts'

// DAQInterface's form since April 2019, the one before, and Mu2e's.
const TIME = python('^(?:(?:DAQInterface|FarmManager) s|S)(tart|top) time:\\s+(.*)')
const CONFIG_NAME = python('^\\s*Config name\\s*:(.*)')
const COMPONENT = python('^\\s*Component #\\d+\\s*:(.*)')

/** What `metadata.txt` says of a run. */
export interface RunMetadata {
  /** The first configuration name that is not empty, as it stands there; undefined: none. */
  readonly configName: string | undefined
  readonly components: readonly string[]
  /** Start and stop lines, in the order of the file. */
  readonly times: readonly { readonly what: 'start' | 'stop'; readonly text: string }[]
  readonly started: boolean
  /** Whether there is a stop line: the only proof that a run has ended. */
  readonly ended: boolean
}

/** What stands in a `metadata.txt` that is missing. */
export const NO_METADATA: RunMetadata = {
  configName: undefined,
  components: [],
  times: [],
  started: false,
  ended: false,
}

/** Reads `metadata.txt`, of any age and of Mu2e. Never throws: what it cannot read it does not mention. */
export const parseMetadata = (bytes: Uint8Array): RunMetadata => {
  let configName: string | undefined
  const components: string[] = []
  const times: { what: 'start' | 'stop'; text: string }[] = []
  for (const line of splitLines(decode(bytes))) {
    configName ??= textOf(CONFIG_NAME.exec(line))
    const component = textOf(COMPONENT.exec(line))
    if (component !== undefined) components.push(component)
    const time = TIME.exec(line)
    if (time) times.push({ what: time[1] === 'tart' ? 'start' : 'stop', text: time[2] ?? '' })
  }
  const says = (what: 'start' | 'stop'): boolean =>
    times.some((time) => time.what === what && strip(time.text) !== '')
  return { configName, components, times, started: says('start'), ended: says('stop') }
}

/**
 * `metadata.txt` as it may have been before its times were appended, each with a blank line before it, up to the first stop time. None where there is
 * no stop time.
 */
export const earlierMetadata = (bytes: Uint8Array): readonly Uint8Array[] => {
  const lines = splitLines(decode(bytes))
  const times = lines.flatMap((line, at) => {
    const [, what, text = ''] = TIME.exec(line) ?? []
    return what === undefined ? [] : [{ at, isStop: what === 'top' && strip(text) !== '' }]
  })
  const stop = times.findIndex(({ isStop }) => isStop)
  return times.slice(0, stop + 1).flatMap(({ at }) => {
    const before = lines.slice(0, at)
    const text = before.map((line) => `${line}\n`).join('')
    return (before.at(-1) === '' ? [text, text.slice(0, -1)] : [text]).map((one) => Buffer.from(one))
  })
}

const textOf = (match: RegExpExecArray | null): string | undefined => {
  const text = strip(match?.[1] ?? '')
  return text === '' ? undefined : text
}
