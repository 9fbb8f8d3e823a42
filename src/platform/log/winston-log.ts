import winston from 'winston'
import Transport from 'winston-transport'
import { LEVELS } from '../../common/log.ts'
import type { Entry } from './format.ts'
import { openSinks, speaker, type LogOptions, type OpenLog, type Sink } from './sinks.ts'

/** Gives winston's entries to a sink, each at once, so that no line stays behind at a kill. */
const transportTo = (sink: Sink): Transport =>
  new Transport({
    log: ({ entry }: { readonly entry: Entry }, done: () => void) => {
      sink.write(entry)
      done()
    },
  })

/** A log by winston. It is loaded only where this is called for. */
export const winstonLog = (options: LogOptions): OpenLog => {
  const { console, sinks } = openSinks(options)
  let isClosed = false
  const logger = winston.createLogger({
    levels: Object.fromEntries(LEVELS.map((level, order) => [level, order])),
    level: options.level,
    // The lines are made by the sinks; winston's default would make a JSON text of each beside them.
    format: winston.format((info) => info)(),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston's types import the same class as a namespace
    transports: sinks.map(transportTo),
  })
  return {
    ...speaker(options, (entry) => {
      // A stream that has ended throws where it is written to, out of whatever timer or signal had something to say.
      if (isClosed) console.write(entry)
      else logger.log({ level: entry.level, message: entry.message, entry })
    }),
    close: () =>
      new Promise((resolve) => {
        if (isClosed) {
          resolve()
          return
        }
        isClosed = true
        logger.once('finish', () => {
          for (const sink of sinks) sink.close()
          resolve()
        })
        logger.end()
      }),
  }
}
