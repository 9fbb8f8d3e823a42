import { openSinks, speaker, type LogOptions, type OpenLog } from './sinks.ts'

export { levelOf, type Level, type Log } from '../../common/log.ts'
export type { OpenLog } from './sinks.ts'

/** The log of a pass: winston, with a transport for the console and, where a file is configured, one for it. */
export const createLog = async (options: LogOptions): Promise<OpenLog> => {
  const { winstonLog } = await import('./winston-log.ts')
  return winstonLog(options)
}

/**
 * The same lines to the same places without winston, which takes 70 ms of processor time to load (docs/BENCHMARKS.md): for what has few
 * lines to write and must start quickly.
 */
export const plainLog = (options: LogOptions): OpenLog => {
  const { console, sinks } = openSinks(options)
  let isClosed = false
  return {
    ...speaker(options, (entry) => {
      for (const sink of isClosed ? [console] : sinks) sink.write(entry)
    }),
    close: () => {
      isClosed = true
      for (const sink of sinks) sink.close()
      return Promise.resolve()
    },
  }
}
