/** When an execution will end. Epoch milliseconds. */
export interface Eta {
  readonly at: number
  readonly low: number
  readonly high: number
  /** `items`: its own rate; `history`: the task's last good executions. */
  readonly basis?: 'items' | 'history'
  /** `subtask`: the end of the subtask in hand; how long those after it take is not known. */
  readonly covers?: 'execution' | 'subtask'
}

/** A registered task that has not started although its schedule and grace have passed. */
export interface LateTask {
  readonly task: string
  readonly schedule: string
  readonly startedAt: number | null
}
