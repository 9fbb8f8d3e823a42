import type { Command } from '../app/context.ts'
import { workerExitCode } from '../app/exit-code.ts'
import { openArchiver } from '../app/open-archiver.ts'
import { workOnBacklog } from '../app/work-on-backlog.ts'
import type { StageName } from '../common/stage-name.ts'
import { ArchiverError, failureOf } from '../errors.ts'

export interface WorkerOptions {
  readonly config: string
  readonly stages?: string
  readonly untilEmpty?: boolean
  readonly verbose?: boolean
  readonly json?: boolean
}

/**
 * Archives runs from the backlog of `queue.url`, together with other workers. Returns 0 when nothing failed here, 1 when runs failed, an archived run was
 * found damaged or a store was away at the end, 130 or 143 after a signal.
 */
export const worker: Command<WorkerOptions> = async (options, context) => {
  const archiver = await openArchiver(options.config, context)
  const stages = stagesOf(options.stages)
  const round = {
    mode: 'worker',
    stages,
    untilEmpty: options.untilEmpty ?? false,
    verbose: options.verbose ?? false,
  }
  return workOnBacklog(archiver, round, context, (totals) => {
    const { archived, failed, lost, error } = totals
    context.out(
      options.json
        ? `${JSON.stringify({ archived, failed, fenced: lost, error: error ? failureOf(error) : null })}\n`
        : `Worker: ${archived} archived, ${failed} failed, ${lost} taken over by others\n`,
    )
    return workerExitCode(totals, context.signal)
  })
}

const stagesOf = (text = 'import,migrate'): readonly StageName[] => {
  const words = text.split(',').map((word) => word.trim())
  const stages = (['import', 'migrate'] as const).filter((stage) => words.includes(stage))
  if (stages.length === words.length) return stages
  throw new ArchiverError('USAGE', `--stages ${text}: the stages are import and migrate`)
}
