import type { ItemOutcome } from './process-item.ts'

/** What a run counts; written to its metrics file under the names of the program that this grew from. */
export class RunMetrics {
  readonly #started: number
  readonly #codes = new Map<string, number>()
  readonly #stages = new Map<string, number>()
  readonly #failedKeys: string[] = []
  readonly #warnedKeys: string[] = []
  attempted = 0
  succeeded = 0
  failed = 0
  present = 0
  doneBefore = 0
  rows = 0
  busyMs = 0

  /** `started` in epoch milliseconds. */
  constructor(started: number) {
    this.#started = started
  }

  add({ key, status, result, rowsWritten, error, warnings, milliseconds }: ItemOutcome): void {
    this.attempted++
    this.busyMs += milliseconds
    this.rows += rowsWritten
    if (status === 'done before') this.doneBefore++
    else if (status === 'success') {
      this.succeeded++
      if (result === 'present') this.present++
    } else if (error) {
      this.failed++
      this.#codes.set(error.code, (this.#codes.get(error.code) ?? 0) + 1)
      this.#stages.set(error.stage, (this.#stages.get(error.stage) ?? 0) + 1)
      if (this.#failedKeys.length < MOST_KEYS) this.#failedKeys.push(key)
    }
    if (warnings > 0 && this.#warnedKeys.length < MOST_KEYS) this.#warnedKeys.push(key)
  }

  get codes(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#codes].sort())
  }

  /** The document of the metrics file. */
  document(now: number, about: Readonly<Record<string, unknown>>, workers: number): object {
    const seconds = Math.max(0.001, (now - this.#started) / 1000)
    const tried = this.succeeded + this.failed
    return {
      run_timestamp: new Date(this.#started).toISOString(),
      ...about,
      target_schema: null,
      pooling: true,
      total_applications_processed: tried,
      total_applications_successful: this.succeeded,
      total_applications_failed: this.failed,
      success_rate: tried === 0 ? 0 : round((this.succeeded / tried) * 100),
      total_duration_seconds: round(seconds),
      applications_per_minute: round((tried / seconds) * 60),
      total_database_inserts: this.rows,
      parallel_efficiency: round(Math.min(1, this.busyMs / 1000 / seconds / workers)),
      failure_summary: { by_stage: Object.fromEntries([...this.#stages].sort()), by_code: this.codes },
      failed_apps: this.#failedKeys,
      quality_issue_apps: this.#warnedKeys,
      // There are no batches of payloads: each item is by itself.
      batch_details: [],
      present: this.present,
      done_before: this.doneBefore,
    }
  }
}

const MOST_KEYS = 1000

const round = (value: number): number => Math.round(value * 100) / 100
