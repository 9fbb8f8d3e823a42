/** How long a subtask usually takes: medians of good executions of its task, in seconds. */
export interface StepTime {
  readonly name: string
  readonly number: number
  /** Of the newest 20 that had it, and how many those are. */
  readonly p50: number
  readonly executions: number
  /** Of the 20 before; undefined where they are too few. */
  readonly before: number | undefined
}
