import { ArchiverError } from '../errors.ts'
import { compareRun, shownOf } from '../runs/verify/compare-run.ts'
import { restoreAdvice } from '../runs/verify/restore-advice.ts'
import { completeCommands } from '../common/own-command.ts'
import { startedAs, untilStopped } from '../app/context.ts'
import { runOf } from './run-options.ts'
import { openArchiver } from '../app/open-archiver.ts'

/** `run-archiver diff RUN`: what differs between the three copies of a run, and what restores the damaged one. Exit 1 when something does. Throws NOT_FOUND for a run that is nowhere. */
export const diff = untilStopped<{ config: string; run: string; json?: boolean }>(
  async (options, context) => {
    const archiver = await openArchiver(options.config, context)
    const comparison = await compareRun(archiver, runOf(options.run), context.signal)
    const { run, record, artdaq, archive, differences } = comparison
    const present = [record, artdaq, archive].filter((is) => is !== 'absent').length
    if (present === 0)
    throw new ArchiverError('NOT_FOUND', `run ${run} is neither on the source nor in artdaqDB nor in the archive`, { run }) // prettier-ignore
    const { uconDb, artdaqDb } = archiver.config
    const advice = restoreAdvice(comparison, {
      archiveIsFolder: uconDb.serverUrl.startsWith('file:'),
      hasSeals: !artdaqDb.useTools,
    })
    const restore = advice && completeCommands(advice, startedAs(context, options.config))
    if (options.json)
      context.out(`${JSON.stringify({ ...shownOf(comparison), restore: restore ?? null }, null, 2)}\n`)
    else
      context.out(
        [
          `Run ${run}: run record ${record}, artdaqDB ${artdaq}, archive ${archive}`,
          ...(differences.length > 0
            ? differences.map((difference) => `  ${difference}`)
            : [present > 1 ? '  no difference' : '  one copy alone, nothing to compare it with']),
          ...(restore?.split('\n').map((line) => `  ${line}`) ?? []),
          '',
        ].join('\n'),
      )
    return differences.length > 0 ? 1 : 0
  },
)
