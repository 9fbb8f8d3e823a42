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

/** One piece of work on a run, in a thread of its own (runs/workers/worker-pool.ts sends it here). */
export default (task: Task): Promise<Answer<unknown>> =>
  answerOf<unknown>(async () => {
    switch (task.kind) {
      case 'look':
        return await work.look(task.record, stop)
      case 'write':
        return await work.write(task.record, task.place, stop)
      case 'compare':
        stop.throwIfAborted()
        return await (
          await comparer()
        )(task.run, task.most, task.place)
    }
  })

/** Opened by the first that asks: an import compares nothing. */
const comparer = (): ReturnType<typeof openComparer> => (opened ??= openComparer())
let opened: ReturnType<typeof openComparer> | undefined

const openComparer = async () => {
  if (!settings.copies) throw new Error('no places to compare were given')
  const [{ openCopies }, { compareRun }] = await Promise.all([
    import('./runs/verify/open-copies.ts'),
    import('./runs/verify/compare-run.ts'),
  ])
  const copies = await openCopies(settings, settings.copies)
  return (run: number, most: number, place: Comparing['place']) =>
    copies.knowing(run, place, async () =>
      (await copies.bytesOf(run)) > most ? 'large' : await compareRun(copies, run, NEVER),
    )
}

type Comparing = Extract<Task, { kind: 'compare' }>

const NEVER = new AbortController().signal
