import type { Fields, Level } from '../../common/log.ts'
import type { OpenLog } from './logger.ts'

/** Milliseconds after which a line that goes on being repeated is logged again. */
const HOUR = 3_600_000
/** Lines that are remembered. */
const KEPT = 2000

interface Said {
  at: number
  dropped: number
}

/**
 * Keeps the log of a daemon short while a store is away for a day: a line that was logged within the last hour is counted instead of logged. Only
 * while `active`, which is after a pass that ended in trouble: a pass that works says all it has to say.
 */
export class RepeatFilter {
  active = false
  readonly #now: () => number
  readonly #said = new Map<string, Said>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** The same log without repeated lines. */
  over(log: OpenLog): OpenLog {
    const at =
      (level: Level) =>
      (message: string, fields?: Fields): void => {
        const line = this.#due(`${level} ${timeless(message)}`, message)
        if (line !== undefined) log[level](line, fields)
      }
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      close: () => log.close(),
    }
  }

  /** The line as it is to be logged; undefined where it was logged lately. */
  #due(key: string, message: string): string | undefined {
    const now = this.#now()
    const said = this.#said.get(key)
    const isRecent = said !== undefined && Math.abs(now - said.at) < HOUR
    if (this.active && isRecent) {
      said.dropped += 1
      return undefined
    }
    this.#said.delete(key)
    this.#said.set(key, { at: now, dropped: 0 })
    const oldest = this.#said.keys().next().value
    if (this.#said.size > KEPT && oldest !== undefined) this.#said.delete(oldest)
    return said === undefined || said.dropped === 0
      ? message
      : `${message} (${said.dropped === 1 ? 'once' : `${said.dropped} times`} more since it was logged)`
  }
}

/** A line without what differs each time: pids, moments, durations and rates. */
const timeless = (message: string): string =>
  message
    .replace(/\d{4}-\d\d-\d\d[T ][\d:.,]+Z?/g, '<time>')
    .replace(/\bPID:? \d+|\bpid \d+|\bprocess \d+/g, '<pid>')
    .replace(/\b\d+(?:\.\d+)? (?:ms|s|min|h|runs\/s)\b/g, '<duration>')
