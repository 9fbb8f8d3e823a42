/** What a line is about, beside its text: `run`, `stage`, `error` and whatever else a machine should find without parsing. */
export type Fields = Readonly<Record<string, unknown>>

/** Where everything that works logs what it does. A message is one sentence for a person; no call ever throws. */
export interface Log {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
}

/** From the most to the least important. */
export const LEVELS = ['error', 'warn', 'info', 'debug'] as const

export type Level = (typeof LEVELS)[number]

/** The level of a configuration's `app.log_level`, in the original's words or ours; the original takes anything else as INFO. */
export const levelOf = (word: string): Level => {
  switch (word.toLowerCase()) {
    case 'error':
    case 'critical':
      return 'error'
    case 'warn':
    case 'warning':
      return 'warn'
    case 'debug':
      return 'debug'
    default:
      return 'info'
  }
}
