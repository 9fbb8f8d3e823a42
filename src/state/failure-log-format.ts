import { LARGEST_RUN, RunSet } from '../common/run-set.ts'

const NEWLINE = 10
const ZERO = 48
const NINE = 57
const isBlank = (byte: number): boolean => byte === 32 || byte === 9 || byte === 13

/** What stands in a failure log. */
export interface FailureLines {
  readonly runs: RunSet
  /** How many lines are no run number, and the numbers (from 1) of the first few of them. */
  readonly junk: number
  readonly junkLines: readonly number[]
  /** Whether the bytes are as we write them: ascending, each run once, nothing else, a newline at the end. */
  readonly tidy: boolean
}

/**
 * Reads a failure log in pieces: one run number a line, blanks around it and leading zeros allowed, in any order, repeated
 * or not. Its memory follows the number of runs, never the length of lines or the amount of junk.
 *
 * A last line without newline may be the rest of an append that a power cut tore. It is believed when it is above the line
 * before it: `FailureLog` appends only runs above the last one and with as many digits, so every torn rest is below it.
 */
export class FailureLineReader {
  #runs = RunSet.EMPTY
  #waiting: number[] = []
  #last = 0
  #line = 1
  #junk = 0
  readonly #junkLines: number[] = []
  #tidy = true

  // The line in hand.
  #value = 0
  #bytes = 0
  #digits = 0
  #ended = false
  #bad = false

  push(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (byte === NEWLINE) this.#finishLine()
      else this.#take(byte)
    }
  }

  end(): FailureLines {
    if (this.#bytes > 0) {
      this.#tidy = false
      if (this.#digits > 0 && this.#value <= this.#last) this.#bad = true
      this.#finishLine()
    }
    this.#merge()
    return { runs: this.#runs, junk: this.#junk, junkLines: this.#junkLines, tidy: this.#tidy }
  }

  #take(byte: number): void {
    this.#bytes++
    if (this.#bad) return
    if (byte >= ZERO && byte <= NINE && !this.#ended) {
      if (byte === ZERO && this.#value === 0) this.#tidy = false
      this.#digits++
      this.#value = this.#value * 10 + byte - ZERO
      this.#bad = this.#value > LARGEST_RUN
    } else if (isBlank(byte)) {
      this.#tidy = false
      this.#ended = this.#digits > 0
    } else this.#bad = true
  }

  #finishLine(): void {
    if (!this.#bad && this.#digits === 0)
      this.#tidy = false // nothing but blanks
    else if (this.#bad || this.#value === 0) this.#addJunk()
    else this.#addRun(this.#value)
    this.#line++
    this.#value = this.#bytes = this.#digits = 0
    this.#ended = this.#bad = false
  }

  #addRun(run: number): void {
    if (run <= this.#last) this.#tidy = false
    if (run !== this.#last) this.#waiting.push(run)
    this.#last = run
    // As many as are merged already, so that reading stays linear (times a logarithm) in the number of lines.
    if (this.#waiting.length > 65_536 + this.#runs.ranges.length) this.#merge()
  }

  #addJunk(): void {
    this.#tidy = false
    this.#junk++
    if (this.#junkLines.length < 5) this.#junkLines.push(this.#line)
  }

  #merge(): void {
    this.#runs = this.#runs.union(RunSet.of(this.#waiting))
    this.#waiting = []
  }
}

/** A failure log's text: one run a line, ascending, each once. */
export const formatFailures = (runs: RunSet): string => {
  let text = ''
  for (const run of runs) text += `${run}\n`
  return text
}
