import { workerData } from 'piscina'
import { ArchiverError } from './errors.ts'
import { type Answer, answerOf } from './runs/workers/error-transfer.ts'
import { runWork } from './runs/workers/convert-run.ts'
import type { Task, ThreadStart } from './runs/workers/worker-pool.ts'

const { settings, dropped } = workerData as ThreadStart
const work = runWork(settings)
const isDropped = new Int32Array(dropped)
const stop = {
  throwIfAborted: (): void => {
    if (Atomics.load(isDropped, 0) !== 0)
      throw new ArchiverError('INTERRUPTED', 'dropped: the grace was over')
  },
}

/** One piece of work on a run, in a thread of its own (work/threads.ts sends it here). */
export default (task: Task): Promise<Answer<unknown>> =>
  answerOf<unknown>(() =>
    task.kind === 'look' ? work.look(task.record, stop) : work.write(task.record, task.place, stop),
  )
