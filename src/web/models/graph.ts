import type { Standing } from '../standing.ts'

/** A task as the graph of dependencies shows it. Times in epoch milliseconds. */
export interface GraphLine {
  readonly task: string
  readonly stage: string
  readonly dependsOn: readonly string[]
  readonly standing: Standing
  /** Median of its newest good executions, in seconds. */
  readonly p50: number | undefined
  readonly execution: number | undefined
  /** Whether it has ended well since what it depends on. */
  readonly isDone: boolean
  readonly begins: number | undefined
  readonly ends: number | undefined
  /** First and third quartile of the end. */
  readonly low: number | undefined
  readonly high: number | undefined
  /** Why nobody can say when it ends. */
  readonly why: string | undefined
  /** Seconds that it may take longer before the whole takes longer; undefined on the critical path. */
  readonly slack: number | undefined
}

export interface GraphFacts {
  readonly tasks: readonly GraphLine[]
  /** First to last; empty where the dependencies form a loop. */
  readonly critical: readonly string[]
  /** Medians of the critical path together, in seconds. */
  readonly seconds: number
  readonly bottleneck: string | undefined
  /** Tasks on it without a median: they count as 0. */
  readonly unknown: readonly string[]
  readonly loop: readonly string[] | undefined
  /** Every pipeline (stage) that has a task with a dependency. */
  readonly pipelines: readonly string[]
}
