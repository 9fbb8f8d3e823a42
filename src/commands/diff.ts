import { ArchiverError } from '../errors.ts'
import { compareRun, shownOf } from '../runs/verify/compare-run.ts'
import { untilStopped } from '../app/context.ts'
import { runOf } from './run-options.ts'
import { openArchiver } from '../app/open-archiver.ts'

/** `run-archiver diff RUN`: what differs between the three copies of a run. Exit 1 when something does. Throws NOT_FOUND for a run that is nowhere. */
export const diff = untilStopped<{ config: string; run: string; json?: boolean }>(
  async (options, context) => {
    const archiver = await openArchiver(options.config, context)
    const comparison = await compareRun(archiver, runOf(options.run), context.signal)
    const { run, record, artdaq, archive, differences } = comparison
    const present = [record, artdaq, archive].filter((is) => is !== 'absent').length
    if (present === 0)
    throw new ArchiverError('NOT_FOUND', `run ${run} is neither on the source nor in artdaqDB nor in the archive`, { run }) // prettier-ignore
    if (options.json) context.out(`${JSON.stringify(shownOf(comparison), null, 2)}\n`)
    else
      context.out(
        [
          `Run ${run}: run record ${record}, artdaqDB ${artdaq}, archive ${archive}`,
          ...(differences.length > 0
            ? differences.map((difference) => `  ${difference}`)
            : [present > 1 ? '  no difference' : '  one copy alone, nothing to compare it with']),
          '',
        ].join('\n'),
      )
    return differences.length > 0 ? 1 : 0
  },
)
