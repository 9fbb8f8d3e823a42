import { monotonic } from '../platform/host.ts'
import { asArchived } from './complete-run.ts'
import { importStage } from './import-stage.ts'
import { admitMigration, admitted } from './migration-room.ts'
import { type BlobCheck, migrateStage } from './migrate-stage.ts'
import { compareForeign } from './verify/compare-documents.ts'
import { withAnySignal } from '../engine/any-signal.ts'
import type { Stage } from '../engine/stage.ts'
import type { Archiver } from './archiver.ts'
import { type Archived } from './recheck.ts'

/** Import with an archiver's stores. `stop` ends the waiting for memory at once; a run that was begun goes on. */
export const importing = (
  archiver: Archiver,
  archived: Map<number, Archived>,
  stop: AbortSignal = NEVER,
): Stage<number> =>
  importStage(
    {
      ...archiver,
      admit: (run, signal) => withAnySignal([signal, stop], (first) => archiver.admit(run, first)),
      completing: (run, lacking, signal) => asArchived(archiver.archive, run, lacking, signal),
    },
    archiver.artdaq,
    ({ run, signature, ended }, damages) =>
      archived.set(run, {
        signature,
        ended,
        damage: damages.length > 0 ? [...damages].sort().join(', ') : undefined,
      }),
  )

/** Migrate likewise. */
export const migrating = (
  archiver: Archiver,
  check: BlobCheck | undefined,
  stop: AbortSignal = NEVER,
): Stage<number> => {
  const { artdaq, archive, pack, budget } = archiver
  const stage = migrateStage(artdaq, archive, pack, monotonic, check, async (stored, signal) => {
    const { differences, wentOn } = await compareForeign(archiver, stored, signal)
    return wentOn ? [] : differences
  })
  return admitted(stage, (run, signal) =>
    withAnySignal([signal, stop], (first) => admitMigration(artdaq, run, budget, first)),
  )
}

const NEVER = new AbortController().signal
