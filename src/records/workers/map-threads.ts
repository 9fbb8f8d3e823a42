import { availableParallelism } from 'node:os'
import type { Piscina } from 'piscina'
import { ItemError } from '../item-error.ts'
import type { MappedRecord } from '../map/map-record.ts'
import type { Mapping } from '../mapping/model.ts'
import type { PayloadOptions } from '../map-payload.ts'
import { mapSafely, takeAnswer, type MapAnswer, type MapTask, type MapThreadStart } from './map-task.ts'

export interface MapThreadsOptions {
  readonly mapping: Mapping
  readonly start: MapThreadStart
  /** The built program's file for such a thread; without it all is done on the thread that asks. */
  readonly threadFile: string | undefined
  /** Items in hand at once; with one, no thread is started. */
  readonly workers: number
  /** Milliseconds after which a thread counts as hung. */
  readonly timeout: number
  /** Called once where threads cannot be started: all is done without them then. */
  readonly warn: (message: string) => void
}

/** Starting threads takes as long as mapping so many payloads: a run over a few is over before that. */
const ALONE = 100
/** A payload of so many bytes would hold up the thread that hears signals, and its thread may die of it. */
const LARGE = 262_144
/** Milliseconds without work after which a thread ends. At once, as piscina has it, one would start anew for each item of a slow target. */
const IDLE = 30_000
/** How often a thread may die with one payload. */
const DEATHS = 3

/**
 * Reads and maps payloads in threads. A thread that dies or hangs takes nothing with it: its payload is given to another one, alone, and
 * fails as POISON when that has happened three times.
 */
export class MapThreads {
  readonly #options: MapThreadsOptions
  #pool: Promise<Piscina | undefined> | undefined
  #mapped = 0

  constructor(options: MapThreadsOptions) {
    this.#options = options
  }

  /** As `mapSafely`. */
  async map(payload: string | Uint8Array, options: PayloadOptions): Promise<MappedRecord> {
    const pool = this.#isForThreads(payload.length) ? await (this.#pool ??= this.#started()) : undefined
    if (!pool) return mapSafely(payload, this.#options.mapping, options)
    const task: MapTask = { payload: alone(payload), options }
    for (let death = 1; ; death++) {
      try {
        const signal = AbortSignal.timeout(this.#options.timeout)
        return takeAnswer((await pool.run(task, { signal })) as MapAnswer)
      } catch (error) {
        if (error instanceof ItemError) throw error
        if (death >= DEATHS)
          throw new ItemError(
            'POISON',
            `its thread ${deathOf(error)} three times; look at it before you retry it`,
          )
      }
    }
  }

  /** Ends the threads. Nothing is in hand any more. */
  async close(): Promise<void> {
    const pool = await this.#pool
    await pool?.destroy()
  }

  #isForThreads(size: number): boolean {
    const { threadFile, workers } = this.#options
    return threadFile !== undefined && workers > 1 && (++this.#mapped > ALONE || size >= LARGE)
  }

  /** Undefined where a thread cannot be started: that is no item's fault. */
  async #started(): Promise<Piscina | undefined> {
    const { threadFile = '', workers, start, warn } = this.#options
    const { Piscina } = await import('piscina')
    const maxThreads = Math.min(workers, availableParallelism())
    const pool = new Piscina({
      filename: threadFile,
      workerData: start,
      minThreads: 1,
      maxThreads,
      idleTimeout: IDLE,
    })
    // A thread that dies with nothing in hand would end the process.
    pool.on('error', () => undefined)
    try {
      await pool.run(undefined)
      return pool
    } catch (error) {
      await pool.destroy()
      warn(`payloads are mapped without threads: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }
}

const deathOf = (error: unknown): string =>
  error instanceof Error && error.name === 'AbortError' ? 'hung' : 'died'

/** Bytes that are part of a larger piece of memory would take all of it along. */
const alone = (payload: string | Uint8Array): string | Uint8Array =>
  typeof payload === 'string' || payload.byteLength === payload.buffer.byteLength
    ? payload
    : Uint8Array.from(payload)
