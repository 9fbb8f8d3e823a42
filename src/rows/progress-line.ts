import type { RowsEvent, RowsListener } from './events.ts'
import type { Gate } from './gate.ts'

export interface ProgressOptions {
  /** Writes to the terminal as it is, without a line end. */
  readonly write: (text: string) => void
  readonly columns: number
  readonly monotonic: () => number
  readonly gate: Pick<Gate, 'lags'>
}

/** How far the file in hand is. Times in milliseconds. */
export interface FileProgress {
  readonly file: string
  readonly ids: number
  /** Ids that are done, with those of earlier runs. */
  readonly done: number
  /** Ids that this run did, in this time. */
  readonly own: number
  readonly milliseconds: number
  /** The largest lag of the replicas in seconds; undefined: none is watched; NaN: one does not answer. */
  readonly lag: number | undefined
  readonly heldBack: string | undefined
}

const BAR = 24

/** `ids.csv |████------| 44000/200000 ids, 43210 rows/s, 4s left, lag 0s`. Pure. */
export const progressText = ({ file, ids, done, own, milliseconds, lag, heldBack }: FileProgress): string => {
  const full = ids === 0 ? BAR : Math.min(BAR, Math.floor((BAR * done) / ids))
  const rate = (own * 1000) / Math.max(1, milliseconds)
  const left = rate > 0 ? leftText((ids - done) / rate) : '?'
  const parts = [`${done}/${ids} ids`, `${Math.round(rate)} rows/s`, `${left} left`]
  if (lag !== undefined) parts.push(Number.isNaN(lag) ? 'lag unknown' : `lag ${Math.round(lag)}s`)
  if (heldBack !== undefined) parts.push(`held back: ${heldBack}`)
  return `${file} |${'█'.repeat(full)}${'-'.repeat(BAR - full)}| ${parts.join(', ')}`
}

const leftText = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole}s`
  return whole < 3600
    ? `${Math.floor(whole / 60)}m ${whole % 60}s`
    : `${Math.floor(whole / 3600)}h ${Math.floor((whole % 3600) / 60)}m`
}

/** One line at the bottom of a terminal, drawn again after each batch; whole lines are printed above it. */
export class ProgressLine {
  readonly #options: ProgressOptions
  #file: { readonly name: string; readonly ids: number; readonly began: number } | undefined
  #done = 0
  #own = 0
  #heldBack: string | undefined
  #isDrawn = false

  constructor(options: ProgressOptions) {
    this.#options = options
  }

  /** Prints something whole, and the line again below it. */
  print(what: () => void): void {
    this.#clear()
    what()
    this.#draw()
  }

  readonly listener: RowsListener = (event: RowsEvent) => {
    switch (event.type) {
      case 'file-started':
        this.#file = { name: event.file, ids: event.ids, began: this.#options.monotonic() }
        this.#done = this.#own = 0
        break
      case 'file-resumed':
        this.#done = event.records
        break
      case 'batch-done':
        this.#done += event.counts.requested
        this.#own += event.counts.requested
        this.#heldBack = undefined
        break
      case 'held-back':
      case 'throttled':
        this.#heldBack = event.reason
        break
      case 'file-done':
      case 'file-failed':
      case 'killed':
      case 'ended':
        this.#clear()
        this.#file = undefined
        return
      default:
        return
    }
    this.#clear()
    this.#draw()
  }

  #draw(): void {
    const { write, columns, monotonic, gate } = this.#options
    if (!this.#file) return
    const { name, ids, began } = this.#file
    const lags = [...gate.lags.values()].map((lag) => lag ?? NaN)
    const text = progressText({
      file: name,
      ids,
      done: this.#done,
      own: this.#own,
      milliseconds: monotonic() - began,
      lag: lags.length === 0 ? undefined : Math.max(...lags),
      heldBack: this.#heldBack,
    })
    write(
      Array.from(text)
        .slice(0, Math.max(20, columns - 1))
        .join(''),
    )
    this.#isDrawn = true
  }

  #clear(): void {
    if (this.#isDrawn) this.#options.write('\r\u001b[K')
    this.#isDrawn = false
  }
}
