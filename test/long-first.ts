import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The files that take longest, longest first, from `vitest run --project integration --reporter=json`. */
const LONG = [
  'web/demo-pages',
  'tracking/ledger/ledger',
  'operations',
  'commands/run',
  'clients/r-http',
  'scripts/install',
  'web/pictures/pictures',
  'commands/take-over',
  'rows/archive-files',
  'records/border-values',
  'clients/clients',
  'rows/children',
  'records/run',
  'rows/holes-postgres',
  'queue/postgres-queue',
  'web/live',
  'commands/report',
  'rows/replica',
].map((name) => `test/${name}.integration.test.ts`)

/**
 * Starts the longest files first, so that short ones fill both processors to the end. Where vitest has timed the files on this machine it knows better;
 * a fresh clone has no times.
 */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const place = ({ moduleId }: TestSpecification): number => {
      const at = LONG.indexOf(relative(process.cwd(), moduleId))
      return at < 0 ? LONG.length : at
    }
    return sorted.sort((a, b) => place(a) - place(b))
  }
}
