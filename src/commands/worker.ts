import { availableParallelism } from 'node:os'
import type { Command } from '../app/context.ts'
import { stopCode } from '../app/context.ts'
import { openArchiver } from '../app/open-archiver.ts'
import { openQueue } from '../app/open-queue.ts'
import { withSession } from '../app/session.ts'
import type { StageName } from '../common/stage-name.ts'
import { ArchiverError } from '../errors.ts'
import { identity, monotonic } from '../platform/host.ts'
import { QueueBacklog } from '../queue/queue-backlog.ts'
import { work } from '../runs/cluster/worker.ts'

export interface WorkerOptions {
  readonly config: string
  readonly stages?: string
  readonly untilEmpty?: boolean
  readonly verbose?: boolean
  readonly json?: boolean
}

/** Milliseconds between two looks for work, and for workers that died. */
const POLL = 500
const REAP = 300

/** How long a record that was not ready is left alone, in milliseconds. */
const NOT_READY = 30_000

/**
 * Archives runs from the backlog of `queue.url`, together with other workers. Returns 0 when nothing failed here, 1 when runs failed or a
 * store was away at the end, 130 or 143 after a signal.
 */
export const worker: Command<WorkerOptions> = async (options, context) => {
  const archiver = await openArchiver(options.config, context)
  const { app, queue, daemon } = archiver.config
  const stages = stagesOf(options.stages)
  const session = {
    mode: 'worker',
    shared: true,
    waitSeconds: app.waitSeconds,
    verbose: options.verbose ?? false,
    json: true, // plain lines: several workers share a terminal
  }
  return withSession(archiver, session, context, async (conditions) => {
    const store = await openQueue(queue, app.workDir, true)
    try {
      const { host } = identity()
      const others = (await store.instances()).filter(
        (one) => one.status === 'running' && one.host === host,
      ).length
      const [workers, processors] = [others * app.parallelWorkers, availableParallelism()]
      if (workers > processors)
        conditions.warn(
          `${others} instances with ${app.parallelWorkers} workers each are more than the ${processors} processors of this machine`,
        )
      const lease = queue.leaseSeconds * 1000
      const totals = await work({
        archiver,
        store,
        stages,
        conditions,
        backlogOf: (stage, nextStage) =>
          new QueueBacklog<number>(store, {
            stage,
            itemOf: Number,
            ...(nextStage === undefined ? {} : { nextStage }),
            lease,
            laterAfter: NOT_READY,
            monotonic,
          }),
        untilEmpty: options.untilEmpty ?? false,
        scanEvery: daemon.scanSeconds * 1000,
        pollEvery: POLL,
        reapEvery: REAP,
        monotonic,
        random: Math.random,
      })
      const { archived, failed, lost, error } = totals
      context.out(
        options.json
          ? `${JSON.stringify({ archived, failed, fenced: lost, error: error?.message ?? null })}\n`
          : `Worker: ${archived} archived, ${failed} failed, ${lost} taken over by others\n`,
      )
      if (context.signal.aborted) return stopCode(context.signal)
      return failed > 0 || error ? 1 : 0
    } finally {
      await store.close()
    }
  })
}

const stagesOf = (text = 'import,migrate'): readonly StageName[] => {
  const words = text.split(',').map((word) => word.trim())
  const stages = (['import', 'migrate'] as const).filter((stage) => words.includes(stage))
  if (stages.length === words.length) return stages
  throw new ArchiverError('USAGE', `--stages ${text}: the stages are import and migrate`)
}
