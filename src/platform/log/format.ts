import { localTime } from '../../common/local-time.ts'
import { inspect } from 'node:util'
import type { Fields, Level } from '../../common/log.ts'
import { isSecretKey, printable, printableJson, type Redact } from '../../common/redact.ts'
import { Secret } from '../../common/secret.ts'

/** One thing to say, before it is known how it will look. `time` is epoch milliseconds. */
export interface Entry {
  readonly time: number
  readonly level: Level
  readonly message: string
  readonly fields: Fields
}

export type Format = 'human' | 'json'

/** The names that Python's logging has for the levels: what reads the original's log reads this one. */
const PYTHON: Record<Level, string> = { error: 'ERROR', warn: 'WARNING', info: 'INFO', debug: 'DEBUG' }

/** sd-daemon(3): what journald takes off the front of a line as its priority. */
const PRIORITY: Record<Level, string> = { error: '<3>', warn: '<4>', info: '<6>', debug: '<7>' }

const LOGGERS: Readonly<Record<string, string>> = { import: 'importer', migrate: 'migrator' }

/** The line (or lines: a stack trace is indented below) of an entry, without the last newline. Nothing in it is secret. */
export const lineOf = (entry: Entry, format: Format, redact: Redact): string =>
  format === 'json' ? jsonLine(entry, redact) : humanLine(entry, redact)

/** As `lineOf`, for standard error under systemd: each line carries its priority, and none its time (journald has it). */
export const journalLine = (entry: Entry, format: Format, redact: Redact): string => {
  const text = format === 'json' ? jsonLine(entry, redact) : textOf(entry, redact).join('\n')
  return text
    .split('\n')
    .map((line) => PRIORITY[entry.level] + line)
    .join('\n')
}

/** `2025-10-03 15:50:01,123 - run_record_archiver.importer - INFO - text`, in local time (RUN_RECORDS.md section 7.5). */
const humanLine = (entry: Entry, redact: Redact): string => {
  const [first = '', ...more] = textOf(entry, redact)
  return [`${asctime(entry.time)} - ${loggerOf(entry)} - ${PYTHON[entry.level]} - ${first}`, ...more].join(
    '\n',
  )
}

const jsonLine = (entry: Entry, redact: Redact): string => {
  const { stage, run, ...others } = entry.fields
  const record = {
    time: new Date(entry.time).toISOString(),
    level: PYTHON[entry.level],
    logger: loggerOf(entry),
    message: entry.message,
    ...(stage === undefined ? {} : { STAGE: stage }),
    ...(run === undefined ? {} : { RUN: run }),
    ...others,
  }
  return printableJson(shown(record, redact, 0))
}

const textOf = (entry: Entry, redact: Redact): string[] => {
  const { error } = entry.fields
  const stack = error instanceof Error && showsStack(entry) ? (error.stack ?? '').split('\n').slice(1) : []
  return [entry.message, ...stack.map((line) => `    ${line.trim()}`)].map((line) => printable(redact(line)))
}

/** A stack is for whoever looks for a bug: an error that has no code of ours, or somebody who asked for detail. */
const showsStack = ({ fields: { error }, level }: Entry): boolean =>
  level === 'debug' || (level === 'error' && error instanceof Error && !('exitCode' in error))

const loggerOf = ({ fields: { stage } }: Entry): string => {
  const name = typeof stage === 'string' ? LOGGERS[stage] : undefined
  return name === undefined ? 'run_record_archiver' : `run_record_archiver.${name}`
}

/** Local time as Python's logging writes it. */
export const asctime = (time: number): string => {
  const milliseconds = String(new Date(time).getMilliseconds()).padStart(3, '0')
  return `${localTime(time)},${milliseconds}`
}

const DEEPEST = 6

/** A value as a log may show it: secrets masked by type, by key and by look; errors with their code; nothing endless. */
const shown = (value: unknown, redact: Redact, depth: number): unknown => {
  if (typeof value === 'string') return redact(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Secret) return value.toString()
  if (depth >= DEEPEST) return '[deeper]'
  if (value instanceof Error) return shownError(value, redact, depth)
  if (Array.isArray(value)) return value.map((item) => shown(item, redact, depth + 1))
  if (Object.getPrototypeOf(value) !== Object.prototype && Object.getPrototypeOf(value) !== null)
    return redact(inspect(value, { depth: 1, breakLength: Infinity }))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      isSecretKey(key) ? '[secret]' : shown(item, redact, depth + 1),
    ]),
  )
}

const shownError = (error: Error, redact: Redact, depth: number): unknown => ({
  name: error.name,
  message: redact(error.message),
  ...('code' in error ? { code: shown(error.code, redact, depth + 1) } : {}),
  ...(error.stack === undefined ? {} : { stack: redact(error.stack) }),
  ...(error.cause === undefined ? {} : { cause: shown(error.cause, redact, depth + 1) }),
})
