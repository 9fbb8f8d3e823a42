import type { RunSet } from '../common/run-set.ts'
import { shareOf } from '../common/share.ts'
import { ArchiverError } from '../errors.ts'
import { type Command, type Context, startedAs, untilStopped } from '../app/context.ts'
import { exitCodeOf, workerExitCode } from '../app/exit-code.ts'
import { isPinged, pingIdle } from '../app/idle-ping.ts'
import { countOf, type MainOptions, type Mode, runOf, runsOf, waitOf } from './run-options.ts'
import { openArchiver } from '../app/open-archiver.ts'
import { hasQueue } from '../app/open-queue.ts'
import type { Archiver } from '../runs/archiver.ts'
import { runPass } from '../runs/pass.ts'
import { type PassRequest, planPass } from '../runs/plan-pass.ts'
import {
  backlogJson,
  backlogLines,
  idleLines,
  passJson,
  passText,
  planJson,
  planLines,
} from './run-output.ts'
import type { Plan } from '../runs/plan.ts'
import { scrubShare } from '../runs/scrub/scrub-share.ts'
import { monotonic } from '../platform/host.ts'
import { quickFlags } from '../runs/idle/fast-path.ts'
import { hasFailed } from '../tracking/ledger/failed-passes.ts'
import { groundOf, idleWaiting, leaveStamp } from '../runs/idle/idle-check.ts'

type PassMode = Extract<Mode, { type: 'pass' }>

/** The main job: archives what there is to archive. Answers 0 when all was done, 1 when runs failed or a store was away, 130 or 143 when stopped. */
export const run = async (mode: PassMode, options: MainOptions, context: Context): Promise<number> => {
  const overrideConflict =
    options.overrideConflict === undefined ? undefined : runOf(options.overrideConflict)
  const share = shareOf(options.instanceId, options.instanceCount)
  const limit = options.limit === undefined ? undefined : countOf('--limit', options.limit)
  const wait = waitOf(options)
  const archiver = await openArchiver(options.config, context, { overrideConflict, share })
  const complaints: string[] = []
  const request: PassRequest = {
    mode: mode.pass,
    stages: mode.stages,
    only: onlyRuns(options, overrideConflict),
    override: overrideConflict,
    share,
    limit,
    check: options.validate
      ? (await import('../runs/check-metadata.ts')).blobCheck(
          archiver.config.uconDb.metadataParameters,
          (complaint) => complaints.push(complaint),
        )
      : undefined,
  }
  if (options.validate && !mode.stages.includes('migrate'))
    context.err('warning: --validate checks blobs, and the import stage writes none: nothing is checked\n')
  if (options.dryRun) return untilStopped(dryRunOf(archiver, request))(options, context)
  const isQuick =
    mode.pass === 'incremental' && !share && !hasFailed(archiver.config.app.workDir, modeWord(mode))
  if (isQuick && (await isIdle(archiver, request, options, context))) return 0
  if (sharesBacklog(archiver, request)) return onBacklog(archiver, mode, options, context)
  const session = {
    mode: modeWord(mode),
    share,
    stages: mode.stages.length,
    waitSeconds: wait(archiver.config.app.waitSeconds),
    verbose: options.verbose ?? false,
    json: options.json ?? false,
  }
  const { withSession } = await import('../app/session.ts')
  return withSession(archiver, session, context, async (conditions) => {
    const began = monotonic()
    const reports = await runPass(archiver, request, conditions)
    complaints.push(...(await scrubShare(archiver, reports, monotonic() - began, conditions)))
    conditions.report(reports)
    const code = exitCodeOf(reports, complaints, context.signal, conditions.stop)
    if (options.json) context.out(passJson(reports, complaints, code))
    else context.out(`${passText(reports, complaints, startedAs(context, options.config))}\n`)
    for (const { error } of reports)
      if (error && !(error instanceof ArchiverError)) conditions.log.error('this is a bug', { error })
    return code
  })
}

/** An incremental pass over all there is, where a backlog is configured, is a round of it, together with whoever else works. */
const sharesBacklog = ({ config }: Archiver, request: PassRequest): boolean => {
  const { mode, only, override, limit, share, check } = request
  const isAll = [only, override, limit, share, check].every((one) => one === undefined)
  return hasQueue(config.queue) && mode === 'incremental' && isAll
}

const onBacklog = async (
  archiver: Archiver,
  mode: PassMode,
  { verbose = false, json, config }: MainOptions,
  context: Context,
): Promise<number> => {
  const { workOnBacklog } = await import('../app/work-on-backlog.ts')
  const round = { mode: modeWord(mode), stages: mode.stages, untilEmpty: true, verbose }
  return workOnBacklog(archiver, round, context, (totals) => {
    const code = workerExitCode(totals, context.signal)
    context.out(
      json
        ? backlogJson(mode.stages, totals, code)
        : backlogLines(mode.stages, totals, startedAs(context, config)),
    )
    return code
  })
}

/** `import-only incremental`: as the lock's owner file and the ledger name it. */
const modeWord = ({ pass, stages }: PassMode): string =>
  [
    stages.length === 1
      ? `${pass === 'retry' ? 'retry-failed-' : ''}${stages[0] ?? ''}${pass === 'retry' ? '' : '-only'}`
      : '',
    pass,
  ]
    .filter((word) => word !== '' && word !== 'retry')
    .join(' ')

const onlyRuns = ({ runs }: MainOptions, overrideConflict: number | undefined): RunSet | undefined => {
  if (runs !== undefined) return runsOf(runs)
  return overrideConflict === undefined ? undefined : runsOf(String(overrideConflict))
}

/** An incremental pass that finds nothing to do says so, and leaves a stamp for the next one. */
const isIdle = async (
  archiver: Archiver,
  request: PassRequest,
  options: MainOptions,
  context: Context,
): Promise<boolean> => {
  const ground = await groundOf(archiver).catch(() => undefined)
  const waiting = ground && (await idleWaiting(archiver, request))
  if (!waiting) return false
  const flags = quickFlags(context.argv)
  await pingIdle(archiver, context)
  if (flags && !isPinged(archiver))
    await leaveStamp(archiver, ground, waiting, { config: options.config, flags }, context)
  context.out(options.json ? passJson([], [], 0) : idleLines(request.stages, waiting))
  return true
}

const dryRunOf =
  (archiver: Archiver, request: PassRequest): Command<MainOptions> =>
  async (options, context) => {
    const plans: Plan[] = []
    let imported: { runs: RunSet; updated: readonly number[] } | undefined
    for (const stage of request.stages) {
      const plan = await planPass(archiver, stage, request, await archiver.peek(stage), imported)
      plans.push(plan)
      if (stage === 'import') imported = { runs: plan.runs, updated: [] }
    }
    context.out(options.json ? planJson(plans) : `${planLines(plans).join('\n')}\n`)
    return 0
  }
