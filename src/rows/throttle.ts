import { existsSync } from 'node:fs'
import type { Session } from '../sql/session.ts'
import type { Gate, Hold, Passed } from './gate.ts'
import { assertMeasurable } from './measurable-limits.ts'
import { sleep } from './options.ts'
import type { Probe } from './probe.ts'
import { inWindow, type Window } from './windows.ts'

/** Why batches are held back, as metrics name it: a label must not hold measurements. */
export type ThrottleCause =
  'operator' | 'flag_file' | 'window' | 'replica_lag' | 'history_list' | 'load' | 'query'

/** Times in milliseconds. */
export interface ThrottleOptions {
  readonly maxLagMs: number | undefined
  readonly maxHll: number | undefined
  readonly maxLoad: ReadonlyMap<string, number>
  readonly criticalLoad: ReadonlyMap<string, number>
  readonly query: string | undefined
  readonly flagFile: string | undefined
  readonly niceRatio: number
  readonly checkIntervalMs: number
  readonly maxPauseMs: number
  readonly windows: readonly Window[]
  readonly probe: Probe
  readonly now: () => number
  readonly monotonic: () => number
}

type Look =
  | { readonly type: 'free' }
  | { readonly type: 'hold'; readonly cause: ThrottleCause; readonly reason: string }
  | { readonly type: 'end'; readonly cause: ThrottleCause; readonly reason: string }

/**
 * Holds batches back while any reason stands, and names it. An operator's pause has no limit; every other pause ends the run after `maxPauseMs`.
 */
export class Throttle implements Gate {
  readonly #options: ThrottleOptions
  #lookedAt = -Infinity
  #lag = -1
  #hll = -1

  constructor(options: ThrottleOptions) {
    this.#options = options
  }

  ready(session: Session): Promise<void> {
    return assertMeasurable(this.#options, session)
  }

  async pass(
    session: Session,
    control: () => Promise<string | undefined>,
    signal: AbortSignal,
    held?: (hold: Hold) => Promise<void>,
  ): Promise<Passed> {
    const { monotonic, checkIntervalMs, maxPauseMs } = this.#options
    const began = monotonic()
    let since = began // the end of an operator's pause, which has no limit
    let reason: string | undefined
    let cause: ThrottleCause | undefined
    let end: string | undefined
    while (!signal.aborted) {
      if (reason === undefined && monotonic() - this.#lookedAt < checkIntervalMs) break
      this.#lookedAt = monotonic()
      const look = await this.#look(session, await control())
      if (look.type === 'free') break
      if (look.reason !== reason)
        await held?.({ reason: look.reason, cause: look.cause, lag: this.#lag, hll: this.#hll })
      reason = look.reason
      cause = look.cause
      if (look.type === 'end') end = look.reason
      else if (reason === PAUSED) since = monotonic()
      else if (monotonic() - since >= maxPauseMs) end = `held back for too long: ${reason}`
      if (end !== undefined) break
      await sleep(checkIntervalMs, signal)
    }
    const throttledMs = reason === undefined ? 0 : monotonic() - began
    return { lag: this.#lag, hll: this.#hll, throttledMs, reason, cause, end }
  }

  rest(batchMs: number): number {
    return batchMs * this.#options.niceRatio
  }

  get lags(): ReadonlyMap<string, number | undefined> {
    return this.#options.probe.lags
  }

  close(): Promise<void> {
    return this.#options.probe.close()
  }

  async #look(session: Session, control: string | undefined): Promise<Look> {
    const { flagFile, windows, now, criticalLoad, maxLoad, query, probe } = this.#options
    if (control === 'cancel') return { type: 'end', cause: 'operator', reason: 'cancelled by an operator' }
    for (const [name, limit] of criticalLoad) {
      const value = await probe.status(session, name)
      if (value !== undefined && value > limit)
        return { type: 'end', cause: 'load', reason: `critical load: ${name} ${value} > ${limit}` }
    }
    if (control === 'pause') return hold('operator', PAUSED)
    if (flagFile !== undefined && existsSync(flagFile)) return hold('flag_file', `flag file ${flagFile}`)
    if (!inWindow(windows, now()))
      return hold('window', `outside of ${windows.map(({ text }) => text).join(', ')}`)
    const busy = (await this.#lagLook(session)) ?? (await this.#hllLook(session))
    if (busy) return busy
    for (const [name, limit] of maxLoad) {
      const value = await probe.status(session, name)
      if (value === undefined) return hold('load', `${name} is not known`)
      if (value > limit) return hold('load', `${name} ${value} > ${limit}`)
    }
    if (query === undefined) return { type: 'free' }
    const value = await probe.query(session, query)
    return value > 0 ? hold('query', `query ${value} > 0`) : { type: 'free' }
  }

  async #lagLook(session: Session): Promise<Look | undefined> {
    const { maxLagMs, probe } = this.#options
    if (maxLagMs === undefined) return undefined
    const lag = await probe.lag(session)
    this.#lag = lag === undefined ? -1 : Math.round(lag)
    if (lag === undefined) return hold('replica_lag', 'replica_lag unknown')
    return lag * 1000 > maxLagMs
      ? hold('replica_lag', `replica_lag ${lag.toFixed(1)}s > ${maxLagMs / 1000}s`)
      : undefined
  }

  async #hllLook(session: Session): Promise<Look | undefined> {
    const { maxHll, probe } = this.#options
    if (maxHll === undefined) return undefined
    const hll = await probe.hll(session)
    this.#hll = hll ?? -1
    if (hll === undefined) return hold('history_list', 'history list length unknown')
    return hll > maxHll ? hold('history_list', `hll ${hll} > ${maxHll}`) : undefined
  }
}

const PAUSED = 'paused by an operator'

const hold = (cause: ThrottleCause, reason: string): Look => ({ type: 'hold', cause, reason })
