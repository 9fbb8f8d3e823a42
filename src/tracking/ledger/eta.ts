/** How far a piece of work is: items done of all, and the work as a whole in steps. */
export interface Progress {
  readonly done: number
  /** Undefined where nobody knows yet. */
  readonly total: number | undefined
}

/** 0 to 100 with two places; undefined without a total. More done than announced is not more than all. */
export const percent = ({ done, total }: Progress): number | undefined => {
  if (total === undefined) return undefined
  if (total <= 0) return 100
  return Math.round(Math.min(1, Math.max(0, done / total)) * 10_000) / 100
}

/**
 * The share of the whole: steps that have ended and the part of the current one that is done, of all steps. (The task tracker counted
 * a step as done when it starts, so its last step shows 100 % before it runs.)
 */
export const overallPercent = (
  endedSteps: number,
  totalSteps: number | undefined,
  current: Progress | undefined,
): number | undefined => {
  if (totalSteps === undefined) return undefined
  const part = current ? (percent(current) ?? 0) / 100 : 0
  return percent({ done: endedSteps + part, total: Math.max(totalSteps, endedSteps + (current ? 1 : 0)) })
}

/** When the rest will be done, epoch milliseconds, with the range that chance alone explains. */
export interface Estimate {
  readonly at: number
  readonly low: number
  readonly high: number
}

/** Fewer items than this say nothing about a rate. */
const ENOUGH = 10
/** 95 % of what chance does to a count. */
const Z = 1.96
/** Time after which an item weighs e times less, in milliseconds: what happened in the last minutes predicts the rate of the next. */
const MEMORY = 300_000

/** A rate that forgets: call `seen` for every item that ends. */
export class RateMeter {
  #weight = 0
  #span = 0
  #count = 0
  #last: number

  constructor(startedAt: number) {
    this.#last = startedAt
  }

  seen(at: number, items = 1): void {
    const passed = Math.max(0, at - this.#last)
    const fade = Math.exp(-passed / MEMORY)
    this.#weight = this.#weight * fade + items
    this.#span = this.#span * fade + passed
    this.#count += items
    this.#last = at
  }

  /** Items a millisecond; undefined until enough was seen. */
  get rate(): number | undefined {
    if (this.#count < ENOUGH || this.#span <= 0) return undefined
    return this.#weight / this.#span
  }

  /** When `left` further items will be done. Undefined rather than a guess while there is no rate. */
  estimate(now: number, left: number): Estimate | undefined {
    const { rate } = this
    if (rate === undefined) return undefined
    const spread = Z / Math.sqrt(this.#weight)
    const time = left / rate
    return {
      at: Math.round(now + time),
      low: Math.round(now + time / (1 + spread)),
      high: Math.round(now + time / Math.max(0.05, 1 - spread)),
    }
  }
}

/** The two lines of the task tracker: the work as a whole, and the step in hand. What is not counted is not written as 0. */
export const progressLines = (of: {
  readonly step: number
  /** Undefined where nobody said how many there are. */
  readonly steps: number | undefined
  readonly name: string
  readonly overall: number | undefined
  readonly item: string
  readonly items: Progress | undefined
  /** Percent of the step, where it is not that of its items. */
  readonly share?: number | undefined
}): readonly [string, string] => {
  const shown = (value: number | undefined): string => (value === undefined ? '' : ` (${Math.round(value)}%)`)
  const { items, share = items && percent(items) } = of
  const total = items?.total === undefined ? '' : ` of ${items.total}`
  return [
    `Overall: Subtask ${of.step}${of.steps === undefined ? '' : ` of ${of.steps}`}${shown(of.overall)} - "${of.name}"`,
    `Current Subtask: "${of.item}"${items ? ` - ${items.done}${total}` : ''}${shown(share)}`,
  ]
}
