import { RunSet } from '../common/run-set.ts'
import type { ClaimStore } from '../engine/claim-store.ts'
import { ArchiverError } from '../errors.ts'
import type { Listener } from '../engine/stage.ts'
import type { StageName } from '../common/stage-name.ts'
import type { Context } from './context.ts'
import type { ByStage, PassSummary } from '../runs/daemon/daemon.ts'
import { idlePlans } from '../runs/idle/idle-check.ts'
import type { Archiver } from '../runs/archiver.ts'
import { runPass, type StageReport } from '../runs/pass.ts'
import type { PassRequest } from '../runs/plan-pass.ts'
import type { Plan } from '../runs/plan.ts'
import { monotonic } from '../platform/host.ts'
import type { RepeatFilter } from '../platform/log/repeat-filter.ts'
import type { IdleScrub } from '../runs/scrub/idle-scrub.ts'
import { scrubShare } from '../runs/scrub/scrub-share.ts'
import { exitCodeOf, workerExitCode } from './exit-code.ts'
import { pingIdle } from './idle-ping.ts'
import { hasQueue } from './open-queue.ts'
import { withSession } from './session.ts'

const STAGES: readonly StageName[] = ['import', 'migrate']

const INCREMENTAL: PassRequest = { mode: 'incremental', stages: STAGES }

const NONE: ByStage = { import: RunSet.EMPTY, migrate: RunSet.EMPTY }

interface Work {
  readonly reports: readonly StageReport[]
  readonly retried: ByStage
}

export interface DaemonPassOptions {
  readonly verbose: boolean
  /** Of the passes before: what they have logged is not logged again while there is trouble. */
  readonly repeats?: RepeatFilter
  /** Called whenever work moved. */
  readonly alive: () => void
  readonly idleScrub: IdleScrub
  /** Logs a line outside of a pass. */
  readonly warn: (message: string) => void
}

/**
 * One incremental pass and the retries that are due, under one lock; nothing is locked or written where there is nothing to
 * do. A store or source that is away, damaged state and a held lock are `trouble`; what is a bug is thrown.
 */
export const daemonPass = async (
  archiver: Archiver,
  context: Context,
  retries: ByStage,
  options: DaemonPassOptions,
): Promise<PassSummary> => {
  try {
    const isDue = STAGES.some((stage) => !retries[stage].isEmpty)
    const idle = isDue ? undefined : await idlePlans(archiver, INCREMENTAL)
    if (idle) {
      await pingIdle(archiver, context)
      const { warn, idleScrub, alive } = options
      // What it finds is in the report and the metrics, and `alerts check` sends it.
      await idleScrub.turn(archiver, idle, { stop: context.signal, warn, alive, damaged: () => undefined })
      return await summaryOf(archiver, { reports: idle.map(asReport), retried: NONE })
    }
    if (!hasQueue(archiver.config.queue))
      return await summaryOf(archiver, await work(archiver, context, retries, options))
    await backlogRound(archiver, context, retries, options)
    const rest = await workAlone(archiver, context, options)
    return await summaryOf(archiver, { ...rest, retried: retries })
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error
    return { ...(await summaryOf(archiver, { reports: [], retried: NONE })), trouble: error }
  }
}

/** A pass that was not made, because there is nothing to do. */
const asReport = (plan: Plan): StageReport => ({
  stage: plan.stage,
  plan,
  outcome: undefined,
  error: undefined,
})

/** The daemon as one of several workers, until nothing is left; failed runs whose time has come are opened again first. */
const backlogRound = async (
  archiver: Archiver,
  context: Context,
  retries: ByStage,
  { verbose, alive }: DaemonPassOptions,
): Promise<void> => {
  const { workOnBacklog } = await import('./work-on-backlog.ts')
  const round = {
    mode: 'daemon',
    stages: STAGES,
    untilEmpty: true,
    verbose,
    listener: alive,
    before: async (store: ClaimStore) => {
      for (const stage of STAGES)
        if (!retries[stage].isEmpty) await store.retry(stage, [...retries[stage]].map(String))
    },
  }
  await withOwnSignal(context, (own) =>
    workOnBacklog(archiver, round, own, (totals) => workerExitCode(totals, own.signal)),
  )
}

/** Records that changed after they were archived, and the scrub, are for a single pass: where no other worker is at work. */
const workAlone = async (archiver: Archiver, context: Context, options: DaemonPassOptions): Promise<Work> => {
  try {
    if (context.signal.aborted) return { reports: [], retried: NONE }
    const idle = await idlePlans(archiver, INCREMENTAL)
    if (idle) return { reports: idle.map(asReport), retried: NONE }
    return await work(archiver, context, NONE, options)
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'LOCK_HELD') return { reports: [], retried: NONE }
    throw error
  }
}

/** A session listens to its signal for as long as the signal lives; a daemon's lives through thousands of sessions. */
const withOwnSignal = async <Result>(
  context: Context,
  session: (own: Context) => Promise<Result>,
): Promise<Result> => {
  const stop = new AbortController()
  const abort = () => stop.abort(context.signal.reason)
  if (context.signal.aborted) abort()
  context.signal.addEventListener('abort', abort)
  try {
    return await session({ ...context, signal: stop.signal })
  } finally {
    context.signal.removeEventListener('abort', abort)
  }
}

const work = async (
  archiver: Archiver,
  context: Context,
  retries: ByStage,
  { verbose, alive, repeats }: DaemonPassOptions,
): Promise<Work> => {
  const reports: StageReport[] = []
  const retried: Record<StageName, RunSet> = { ...NONE }
  await withOwnSignal(context, (own) => {
    const session = { mode: 'daemon', waitSeconds: 0, verbose, json: false, repeats }
    return withSession(archiver, session, own, async (conditions) => {
      const both: Listener = (event) => {
        conditions.listener(event)
        alive()
      }
      const given = { ...conditions, listener: both }
      const began = monotonic()
      reports.push(...(await runPass(archiver, INCREMENTAL, given)))
      const damaged = await scrubShare(archiver, reports, monotonic() - began, { ...conditions, alive })
      for (const sentence of damaged) conditions.warn(sentence)
      for (const stage of STAGES)
        if (!retries[stage].isEmpty && !own.signal.aborted) {
          const retry: PassRequest = { mode: 'retry', stages: [stage], only: retries[stage] }
          const [report] = await runPass(archiver, retry, given)
          if (!report) continue
          reports.push(report)
          retried[stage] = report.outcome?.attempted ?? RunSet.EMPTY
        }
      conditions.report(reports)
      return exitCodeOf(reports, damaged, own.signal, conditions.stop)
    })
  })
  return { reports, retried }
}

const summaryOf = async (archiver: Archiver, { reports, retried }: Work): Promise<PassSummary> => {
  const planOf = (stage: StageName) => reports.find((report) => report.stage === stage)?.plan
  const outcomes = reports.flatMap(({ outcome }) => outcome ?? [])
  const [source, archive] = [planOf('import'), planOf('migrate')]
  const migrated = outcomes
    .filter(({ stage }) => stage === 'migrate')
    .reduce((all, { succeeded }) => all.union(succeeded), RunSet.EMPTY)
  const error = reports.find((report) => report.error)?.error
  if (error && !(error instanceof ArchiverError)) throw error
  return {
    waiting: RunSet.of(source?.waiting.keys() ?? []),
    failed: { import: await failedOf(archiver, 'import'), migrate: await failedOf(archiver, 'migrate') },
    archived: archive?.stored.union(migrated).size,
    pending: source && source.waiting.size + source.beyond,
    attempted: outcomes.reduce((sum, { attempted }) => sum + attempted.size, 0),
    succeeded: outcomes.reduce((sum, { succeeded }) => sum + succeeded.size, 0),
    retried,
    more: reports.some(({ plan }) => (plan?.beyond ?? 0) > 0),
    trouble: error,
  }
}

/** A failure log that cannot be read is trouble of the pass itself, which reports it. */
const failedOf = async (archiver: Archiver, stage: StageName): Promise<RunSet> =>
  archiver.peek(stage).then(
    ({ failed }) => failed,
    () => RunSet.EMPTY,
  )
