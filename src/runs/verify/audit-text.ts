import { counted } from '../../common/counted.ts'
import type { Audit } from './audit.ts'
import { runsText } from '../report/range-text.ts'
import type { RunSet } from '../../common/run-set.ts'

/** A stage's audit, and how many of its archived runs were read back. */
export interface StageAudit extends Audit {
  readonly stage: 'import' | 'migrate'
  readonly readBack: number
}

const PLACES = {
  import: 'Import: run records → artdaqDB',
  migrate: 'Migrate: artdaqDB → UconDB',
} as const

/** Counts of each class, then the offenders one by one. */
export const auditLines = (audits: readonly StageAudit[]): string[] => {
  const violations = audits.reduce((sum, { violations: found }) => sum + found.length, 0)
  return [
    ...audits.flatMap(({ stage, archived, held, failed, pending, stale, violations: found, readBack }) => [
      PLACES[stage],
      count('archived', archived, ` (${readBack} read back)`),
      ...(held.isEmpty
        ? []
        : [count('held', held, `${named(held)}: not yet compared; run-archiver scrub compares them`)]),
      count('failed', failed, named(failed)),
      count('pending', pending, named(pending)),
      ...(stale.isEmpty
        ? []
        : [count('stale', stale, `${named(stale)}: archived, and still in the failure log`)]),
      ...found.map(({ run, type, reason }) => `  VIOLATION: run ${run} is ${type}: ${reason}`),
    ]),
    violations === 0
      ? 'Every run is archived, failed or pending: the invariant holds.'
      : `${counted(violations, 'violation')} of the invariant.`,
  ]
}

const count = (word: string, runs: RunSet, more: string): string =>
  `  ${`${word}:`.padEnd(9)} ${runs.size}${more}`

const named = (runs: RunSet): string => (runs.isEmpty ? '' : ` (${runsText(runs)})`)

/** The same as one JSON document; run sets as texts such as `12000-12050,12060`. */
export const auditJson = (audits: readonly StageAudit[]): string =>
  `${JSON.stringify(
    {
      holds: audits.every(({ violations }) => violations.length === 0),
      stages: audits.map(({ stage, archived, held, failed, pending, stale, violations, readBack }) => ({
        stage,
        counts: {
          archived: archived.size,
          held: held.size,
          failed: failed.size,
          pending: pending.size,
          stale: stale.size,
        },
        archived: archived.toString(),
        held: held.toString(),
        failed: failed.toString(),
        pending: pending.toString(),
        stale: stale.toString(),
        read_back: readBack,
        violations,
      })),
    },
    null,
    2,
  )}\n`
