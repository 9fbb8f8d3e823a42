import { availableParallelism } from 'node:os'
import type { Piscina } from 'piscina'
import type { RunPlace } from '../../stores/index-data.ts'
import type { NewRun, NewRunPlace } from '../../stores/store.ts'
import { collectSooner } from '../../platform/collect-sooner.ts'
import type { Stop } from '../../stores/artdaqdb/write/write-documents.ts'
import type { Look } from '../../stores/run-records/inspect-record.ts'
import type { StagedComparison } from '../verify/compare-run.ts'
import { type Answer, takeAnswer } from './error-transfer.ts'
import { type RecordPlace, type RunWork, runWork, type WorkSettings } from './convert-run.ts'

export interface ThreadsOptions {
  readonly settings: WorkSettings
  /** The built program's file for a worker thread; without it all is done on the thread that asks. */
  readonly file: string | undefined
  /** How many runs are worked on at the same time. */
  readonly workers: number
  /** Where artdaqDB holds a run, with the indexes there, for threads that compare: each would read them again. */
  readonly placeOf?: ((run: number) => Promise<RunPlace | undefined>) | undefined
}

/** What a worker thread is given when it starts. */
export interface ThreadStart {
  readonly settings: WorkSettings
  /** One number, shared by all threads: not 0 when what is in hand is to be dropped. */
  readonly dropped: SharedArrayBuffer
}

/** What is sent to a worker thread. */
export type Task =
  | { readonly kind: 'look'; readonly record: Pick<RecordPlace, 'path'> }
  | { readonly kind: 'write'; readonly record: RecordPlace; readonly place: NewRunPlace }
  | {
      readonly kind: 'compare'
      readonly run: number
      readonly most: number
      readonly place: RunPlace | undefined
    }

/** Starting threads takes as long as doing so much work: a pass over a few runs is over before that. */
const ALONE = 10
/** The same for comparing, which takes less time for each run. */
const COMPARED_ALONE = 30
/**
 * V8's young space of a thread, in megabytes; it gives a third of it, rounded up to a power of two, to what is new. A thread holds nothing between two
 * runs, and storing takes no longer in a small one. Comparing reads more in less time, and took 1.25 times as long in it (docs/BENCHMARKS.md).
 */
const YOUNG_MB = { compare: 24, store: 12 } as const
/** From so many pieces of work on, what the pass keeps of its runs counts, and V8 is not to hold four times as much. Each run is two. */
const VERY_MANY = 20_000

/**
 * The work on runs, spread over the machine's processors while a pass goes on (`during`), and done on the thread that asks otherwise: a
 * thread's calls to the system are direct, so that it does in a third of the time what the main thread does, which must hear signals
 * while a disk hangs. A thread that hangs or dies takes nothing with it that counts: documents count when the main thread commits them.
 */
export class Threads implements RunWork {
  readonly #options: ThreadsOptions
  readonly #alone: RunWork
  #started: Promise<Piscina> | undefined
  #dropped = new SharedArrayBuffer(4)
  #passes = 0
  #asked = 0
  #sent = 0

  constructor(options: ThreadsOptions) {
    this.#options = options
    this.#alone = runWork(options.settings)
  }

  /** Does a pass with threads at hand. They have ended when this returns. `abandon`: what they have in hand is to be dropped. */
  async during<T>(abandon: AbortSignal, pass: () => Promise<T>): Promise<T> {
    const drop = (): void => void Atomics.store(new Int32Array(this.#dropped), 0, 1)
    if (abandon.aborted) drop()
    abandon.addEventListener('abort', drop)
    this.#passes++
    try {
      return await pass()
    } finally {
      abandon.removeEventListener('abort', drop)
      if (--this.#passes === 0) await this.#end()
    }
  }

  look(record: Pick<RecordPlace, 'path'>, stop: Stop): Promise<Look> {
    return this.#isAlone() ? this.#alone.look(record, stop) : this.#run({ kind: 'look', record })
  }

  write(record: RecordPlace, place: NewRunPlace, stop: Stop): Promise<NewRun> {
    return this.#isAlone()
      ? this.#alone.write(record, place, stop)
      : this.#run({ kind: 'write', record, place })
  }

  /**
   * Compares a run's copies (`compareRun`) on a thread. Resolves to `large` where its documents have more bytes than `most`, and nothing was done; undefined
   * where the thread that asks is to do it.
   */
  compare(run: number, most: number): Promise<StagedComparison | 'large'> | undefined {
    if (!this.#comparesOnThreads || this.#isAlone(COMPARED_ALONE)) return undefined
    return this.#compare(run, most)
  }

  /**
   * So many runs are going to be compared in this pass. Where that is worth threads they start now, while the caller goes on listing, and compare
   * the first runs too: the thread that asks takes five times as long for each.
   */
  expectComparisons(count: number): void {
    if (!this.#comparesOnThreads || this.#passes === 0 || count <= COMPARED_ALONE) return
    this.#asked = Infinity
    this.#started ??= this.#start('compare')
    this.#started.catch(() => undefined) // it is thrown where the first comparison waits for it
  }

  /** How many runs are to be compared at the same time: as many as keep threads, or a server, busy. */
  get atOnce(): number {
    const { file, workers } = this.#options
    if (file === undefined) return 1
    return this.#comparesOnThreads ? 2 * Math.min(workers, availableParallelism()) : workers
  }

  get #comparesOnThreads(): boolean {
    const { settings, file } = this.#options
    return settings.copies !== undefined && file !== undefined
  }

  #isAlone(most = ALONE): boolean {
    return this.#options.file === undefined || this.#passes === 0 || ++this.#asked <= most
  }

  async #compare(run: number, most: number): Promise<StagedComparison | 'large'> {
    // What keeps this thread from knowing it, the one that compares finds for itself, and judges.
    const place = await this.#options.placeOf?.(run).catch(() => undefined)
    return await this.#run({ kind: 'compare', run, most, place })
  }

  async #run<T>(task: Task): Promise<T> {
    if (++this.#sent === VERY_MANY) collectSooner()
    const pool = await (this.#started ??= this.#start(task.kind))
    const answer: unknown = await pool.run(task)
    return takeAnswer(answer as Answer<T>)
  }

  async #start(kind: Task['kind']): Promise<Piscina> {
    const { Piscina } = await import('piscina')
    const { settings, file, workers } = this.#options
    const threads = Math.min(workers, availableParallelism())
    const start: ThreadStart = { settings, dropped: this.#dropped }
    return new Piscina({
      filename: file ?? '',
      workerData: start,
      resourceLimits: { maxYoungGenerationSizeMb: kind === 'compare' ? YOUNG_MB.compare : YOUNG_MB.store },
      minThreads: threads,
      maxThreads: threads,
      // While one run waits for its syncs the thread works on another.
      concurrentTasksPerWorker: Math.ceil((2 * workers) / threads),
    })
  }

  async #end(): Promise<void> {
    const pool = await this.#started
    this.#started = undefined
    this.#dropped = new SharedArrayBuffer(4)
    this.#asked = 0
    await pool?.destroy()
  }
}
