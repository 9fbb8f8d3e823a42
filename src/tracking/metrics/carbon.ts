import { durationText } from '../../common/duration.ts'
import { connect } from 'node:net'
import type { Sample } from './pass-metrics.ts'

/** `carbon`, with the original's keys. */
export interface CarbonOptions {
  readonly host: string
  readonly port: number
  readonly prefix: string
  /** Milliseconds for everything. */
  readonly timeout: number
}

/** Carbon's plaintext protocol: `name value seconds`. What cannot be part of a name becomes `_`. */
export const carbonLines = (prefix: string, samples: readonly Sample[]): string =>
  samples
    .filter(({ value }) => Number.isFinite(value))
    .map(({ name, value, at }) => {
      const path = [prefix.replace(/\.+$/, ''), name].filter((part) => part !== '').join('.')
      return `${path.replace(/[^A-Za-z0-9_.:-]/g, '_')} ${value} ${Math.floor(at / 1000)}\n`
    })
    .join('')

/**
 * Sends a pass's metrics over one connection (the original opened one for each and waited up to two seconds for every one). Rejects when the
 * server cannot be reached or does not take it all within `timeout`.
 */
export const sendCarbon = (
  { host, port, prefix, timeout }: CarbonOptions,
  samples: readonly Sample[],
): Promise<void> => {
  const text = carbonLines(prefix, samples)
  if (text === '') return Promise.resolve()
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    const timer = setTimeout(
      () =>
        socket.destroy(
          new Error(`Carbon at ${host}:${port} did not answer within ${durationText(timeout / 1000)}`),
        ),
      timeout,
    )
    socket.once('error', reject)
    // Closed by both sides: then the kernel there has every byte.
    socket.once('close', (failed) => {
      clearTimeout(timer)
      if (!failed) resolve()
    })
    socket.resume()
    socket.end(text)
  })
}
