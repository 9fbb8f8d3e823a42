import { LEVELS, type Fields, type Level, type Log } from '../../common/log.ts'
import { redact as redactByLook, type Redact } from '../../common/redact.ts'
import { journalLine, lineOf, type Entry, type Format } from './format.ts'
import { RotatingFile, type Rotation } from './rotating-file.ts'

export interface LogOptions extends Partial<Rotation> {
  readonly level: Level
  /** For the console alone, where it is to say less than the file: beside a progress bar. */
  readonly consoleLevel?: Level
  readonly format: Format
  /** Beside the console, lines go to this file. */
  readonly file?: string | undefined
  /** Takes a line for the console, without its newline. What it throws (a closed pipe) is swallowed. */
  readonly out: (line: string) => void
  /** Whether standard error is read by journald (`$JOURNAL_STREAM`): lines then begin with their priority. */
  readonly journald: boolean
  readonly now: () => number
  /** Made by `redactor` from the configuration's secrets; without it only what looks like a secret is masked. */
  readonly redact?: Redact
}

/** A log that must be closed, so that its last lines are out. What is logged after that goes to the console alone. */
export interface OpenLog extends Log {
  close(): Promise<void>
}

/** The original's limits, made to work. */
const ROTATION: Rotation = { maxBytes: 500 * 1024 * 1024, maxFiles: 5, maxDays: 14 }

/** A place where lines go. Neither method throws. */
export interface Sink {
  write(entry: Entry): void
  close(): void
}

/** The console, and with it all places that the options name. */
export const openSinks = (
  options: LogOptions,
): { readonly console: Sink; readonly sinks: readonly Sink[] } => {
  const { format, file, out, journald, now, redact = redactByLook, consoleLevel = 'debug' } = options
  const say = (line: string): void => {
    try {
      out(line)
    } catch {
      // A console that is gone (EPIPE, a full /dev) takes nothing with it.
    }
  }
  const render = journald ? journalLine : lineOf
  const console: Sink = {
    write: (entry) => {
      if (LEVELS.indexOf(entry.level) <= LEVELS.indexOf(consoleLevel)) say(render(entry, format, redact))
    },
    close: () => undefined,
  }
  const sinks: Sink[] = [console]
  if (file !== undefined) {
    const rotation = { ...ROTATION, ...definedOf(options) }
    const rotating = new RotatingFile(file, rotation, now, (message) =>
      say(render({ time: now(), level: 'warn', message, fields: {} }, format, redact)),
    )
    sinks.push({
      write: (entry) => rotating.write(lineOf(entry, format, redact)),
      close: () => rotating.close(),
    })
  }
  return { console, sinks }
}

const definedOf = ({ maxBytes, maxFiles, maxDays }: LogOptions): Partial<Rotation> => ({
  ...(maxBytes === undefined ? {} : { maxBytes }),
  ...(maxFiles === undefined ? {} : { maxFiles }),
  ...(maxDays === undefined ? {} : { maxDays }),
})

/** A log of the options' level that writes entries. */
export const speaker = ({ level, now }: LogOptions, write: (entry: Entry) => void): Log => {
  const limit = LEVELS.indexOf(level)
  const at =
    (own: Level) =>
    (message: string, fields: Fields = {}): void => {
      if (LEVELS.indexOf(own) <= limit) write({ time: now(), level: own, message, fields })
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
