/** A task by its newest executions. Times in epoch milliseconds. */
export interface TaskMetric {
  readonly task: string
  readonly startedAt: number
  readonly endedAt: number | undefined
  readonly succeededAt: number | undefined
  /** Milliseconds of the newest that has ended. */
  readonly took: number | undefined
  readonly exitCode: number | undefined
  /** Executions that run now; undefined where only a text file has the task. */
  readonly running: number | undefined
}

const LAST = /^archiver_last_(\w+?)(?:_timestamp)?(?:_seconds)?\{task="((?:[^"\\]|\\.)*)"\} (\S+)$/gm

/**
 * Tasks as the ledger has them, and as the text files have them where these are newer: a pass with nothing to do is in its text file alone, and
 * a site on which nothing happens would look like one that does not work.
 */
export const newestTasks = (
  fromLedger: readonly TaskMetric[],
  textfiles: readonly string[],
): readonly TaskMetric[] => {
  const tasks = new Map(fromLedger.map((task) => [task.task, task]))
  for (const found of textfiles.flatMap(tasksOf)) {
    const known = tasks.get(found.task)
    if ((known?.endedAt ?? 0) >= (found.endedAt ?? 0)) continue
    const startedAt = Math.max(found.startedAt, known?.startedAt ?? 0)
    const succeededAt = found.succeededAt ?? known?.succeededAt
    tasks.set(found.task, { ...found, startedAt, succeededAt, running: known?.running })
  }
  return [...tasks.values()]
}

const tasksOf = (text: string): TaskMetric[] => {
  const tasks = new Map<string, Map<string, number>>()
  for (const [, name = '', label = '', value = ''] of text.matchAll(LAST)) {
    const task = label.replace(/\\(.)/g, (_whole, character: string) =>
      character === 'n' ? '\n' : character,
    )
    const known = tasks.get(task) ?? new Map<string, number>()
    tasks.set(task, known.set(name, Number(value)))
  }
  return [...tasks].flatMap(([task, values]) => {
    const startedAt = milliseconds(values.get('start'))
    if (startedAt === undefined) return []
    return [
      {
        ...{ task, startedAt, endedAt: milliseconds(values.get('end')) },
        succeededAt: milliseconds(values.get('success')),
        took: milliseconds(values.get('duration')),
        exitCode: values.get('exit_code'),
        running: undefined,
      },
    ]
  })
}

const milliseconds = (seconds: number | undefined): number | undefined =>
  seconds !== undefined && Number.isFinite(seconds) ? seconds * 1000 : undefined
