/** First and last run of an unbroken series, both included. */
export type Range = readonly [first: number, last: number]

/** The largest run number that is taken: 15 digits, as a run record directory's name may have. */
export const LARGEST_RUN = 999_999_999_999_999

/**
 * An immutable set of run numbers, kept as sorted ranges that neither touch nor overlap, so that its size in memory
 * follows the number of gaps and not the numbers themselves. Every operation is linear in the number of ranges.
 */
export class RunSet implements Iterable<number> {
  static readonly EMPTY = new RunSet([])
  readonly #ranges: readonly Range[]
  #size: number | undefined

  private constructor(ranges: readonly Range[]) {
    this.#ranges = ranges
  }

  /** Takes runs in any order, repeated or not. */
  static of(runs: Iterable<number>): RunSet {
    const sorted = Float64Array.from(runs).sort()
    const ranges: [number, number][] = []
    let open: [number, number] | undefined
    for (const run of sorted) {
      if (open && run <= open[1] + 1) open[1] = run
      else ranges.push((open = [run, run]))
    }
    return new RunSet(ranges)
  }

  /** Takes ranges in any order, touching or overlapping or not. */
  static ofRanges(ranges: Iterable<Range>): RunSet {
    const sorted = [...ranges].filter(([first, last]) => first <= last).sort((a, b) => a[0] - b[0])
    const merged: [number, number][] = []
    let open: [number, number] | undefined
    for (const [first, last] of sorted) {
      if (open && first <= open[1] + 1) open[1] = Math.max(open[1], last)
      else merged.push((open = [first, last]))
    }
    return new RunSet(merged)
  }

  /** Reads `12000-12050,12060`. Throws a `SyntaxError` that quotes the part it cannot read. */
  static parse(text: string): RunSet {
    const parts = text.split(',').map((part) => part.trim())
    return RunSet.ofRanges(
      parts.map((part): Range => {
        const match = /^(\d{1,15})(?:\s*-\s*(\d{1,15}))?$/.exec(part)
        const first = Number(match?.[1])
        const last = Number(match?.[2] ?? match?.[1])
        if (!match || first < 1)
          throw new SyntaxError(`"${part}" is not a run or a range of runs such as 12000-12050`)
        if (last < first) throw new SyntaxError(`"${part}" ends before it begins`)
        return [first, last]
      }),
    )
  }

  /** `12000-12050,12060`; what `parse` reads. An empty set gives an empty text. */
  toString(): string {
    return this.#ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',')
  }

  get ranges(): readonly Range[] {
    return this.#ranges
  }

  get size(): number {
    return (this.#size ??= this.#ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0))
  }

  get isEmpty(): boolean {
    return this.#ranges.length === 0
  }

  get first(): number | undefined {
    return this.#ranges[0]?.[0]
  }

  get last(): number | undefined {
    return this.#ranges.at(-1)?.[1]
  }

  /** The last run of the unbroken series that begins with the lowest run; 0 for an empty set. */
  get lastContiguous(): number {
    return this.#ranges[0]?.[1] ?? 0
  }

  /** The runs between the first and the last that are not in the set. */
  get gaps(): RunSet {
    const gaps: Range[] = []
    for (let i = 1; i < this.#ranges.length; i++) {
      const before = this.#ranges[i - 1]
      const after = this.#ranges[i]
      if (before && after) gaps.push([before[1] + 1, after[0] - 1])
    }
    return new RunSet(gaps)
  }

  has(run: number): boolean {
    let low = 0
    let high = this.#ranges.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const range = this.#ranges[middle]
      if (!range) return false
      if (run < range[0]) high = middle - 1
      else if (run > range[1]) low = middle + 1
      else return true
    }
    return false
  }

  union(other: RunSet): RunSet {
    if (other.isEmpty) return this
    if (this.isEmpty) return other
    return RunSet.ofRanges([...this.#ranges, ...other.#ranges])
  }

  intersect(other: RunSet): RunSet {
    const shared: Range[] = []
    let i = 0
    let j = 0
    while (true) {
      const a = this.#ranges[i]
      const b = other.#ranges[j]
      if (!a || !b) return new RunSet(shared)
      const first = Math.max(a[0], b[0])
      const last = Math.min(a[1], b[1])
      if (first <= last) shared.push([first, last])
      if (a[1] < b[1]) i++
      else j++
    }
  }

  minus(other: RunSet): RunSet {
    if (other.isEmpty || this.isEmpty) return this
    const left: Range[] = []
    let j = 0
    for (const [first, last] of this.#ranges) {
      let from = first
      while (from <= last) {
        const cut = other.#ranges[j]
        if (!cut || cut[0] > last) break
        if (cut[1] < from) {
          j++
          continue
        }
        if (cut[0] > from) left.push([from, cut[0] - 1])
        from = cut[1] + 1
        if (cut[1] <= last) j++
      }
      if (from <= last) left.push([from, last])
    }
    return new RunSet(left)
  }

  /** The runs greater than `run`. */
  above(run: number): RunSet {
    return this.intersect(new RunSet([[run + 1, Infinity]]))
  }

  /** The runs less than or equal to `run`. */
  upTo(run: number): RunSet {
    return this.intersect(new RunSet([[-Infinity, run]]))
  }

  /** The lowest `count` runs. */
  take(count: number): RunSet {
    const taken: Range[] = []
    let left = count
    for (const [first, last] of this.#ranges) {
      if (left <= 0) break
      taken.push([first, Math.min(last, first + left - 1)])
      left -= last - first + 1
    }
    return new RunSet(taken)
  }

  equals(other: RunSet): boolean {
    return this.toString() === other.toString()
  }

  *[Symbol.iterator](): Generator<number> {
    for (const [first, last] of this.#ranges) for (let run = first; run <= last; run++) yield run
  }
}
