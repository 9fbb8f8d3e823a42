import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The files that take longest, longest first, from `npm run check -- --reporter=json`. */
const LONG = [
  'web/demo-pages.integration',
  'clients/r-http.integration',
  'records/sql/frozen-server.integration',
  'rows/children.integration',
  'web/proxies.integration',
  'stores/ucondb/web/connection-faults.integration',
  'records/border-values.integration',
  'tracking/ledger/ledger.integration',
  'web/pictures/pictures.integration',
  'operations.integration',
  'commands/take-over.integration',
  'commands/run.integration',
  'clients/clients.integration',
  'rows/archive-files.integration',
  'web/connection.integration',
  'commands/daemon.integration',
  'web/live.integration',
  'stores/run-records/watcher.integration',
  'records/run.integration',
  'rows/replica.integration',
  'rows/holes-postgres.integration',
  'runs/daemon/daemon',
  'stores/artdaqdb/tools/tools-db',
  'rows/broken-connections.integration',
  'runs/listing-cache',
  'web/places-away.integration',
  'scripts/build.integration',
  'scripts/install.integration',
  'stores/artdaqdb/conformance',
  // Of the faults, by themselves: `npm run test:faults -- --reporter=json`.
  'scripts/package.faults',
  'crash/syscalls.faults',
  'rows/silent-server.faults',
  'crash/points.faults',
  'rows/stopped-server.faults',
  'runs/cluster/shares.faults',
  'runs/cluster/fleet.faults',
  'rows/archive-files.faults',
  'crash/whole.faults',
].map((name) => `test/${name}.test.ts`)

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
