import { RunSet } from '../../common/run-set.ts'

/** What one stage's audit looks at: the stores and the failure log, never the state file. */
export interface AuditFacts {
  readonly source: RunSet
  /** Whole at the destination. */
  readonly stored: RunSet
  /** There in part. */
  readonly incomplete: RunSet
  readonly failed: RunSet
  /** Stored, and the source has another content by now, which is to be stored beside it. */
  readonly changed?: RunSet
  /** Stored runs whose content was read back and found wrong, with the reason. */
  readonly damaged: ReadonlyMap<number, string>
  /** Runs that were compared, now or by a pass or a scrub; undefined where all that is stored was (an index that names only what was compared). */
  readonly compared?: RunSet | undefined
  /** Runs that were archived before, and compared. */
  readonly before?: RunSet | undefined
}

/** The invariant of a stage, evaluated: `archived`, `failed` and `pending` are disjoint, and every run of the source is in one of them or in `violations`. */
export interface Audit {
  /** The destination holds it, it was compared, and nothing that was read back speaks against it. */
  readonly archived: RunSet
  /** The destination holds it, and this archiver never compared it: a scrub does. */
  readonly held: RunSet
  readonly failed: RunSet
  readonly pending: RunSet
  /** Archived, with a line in the failure log: a crash left it, and a retry strikes it; or what failed was an update of the record. */
  readonly stale: RunSet
  readonly violations: readonly Violation[]
}

export interface Violation {
  readonly run: number
  /** `damaged`: what the destination holds is not what was archived. `lost`: neither side has it whole. */
  readonly type: 'damaged' | 'lost'
  readonly reason: string
}

/**
 * For every run exactly one holds: archived, failed or pending. Violations are runs of which that cannot be said:
 * the destination says it has them and what it has is wrong, or they are neither whole at the destination nor on the source.
 */
export const audit = (facts: AuditFacts): Audit => {
  const { source, stored, incomplete, failed, changed = RunSet.EMPTY, damaged } = facts
  const bad = RunSet.of(damaged.keys())
  const good = stored.minus(bad).minus(changed)
  const archived = facts.compared ? good.intersect(facts.compared) : good
  const vanished = (facts.before ?? RunSet.EMPTY)
    .intersect(source)
    .minus(stored)
    .minus(incomplete)
    .minus(failed)
  const open = source.minus(stored).minus(vanished).union(changed.minus(bad))
  const lost = incomplete.union(failed).minus(stored).minus(source)
  return {
    archived,
    held: good.minus(archived),
    failed: open.intersect(failed),
    pending: open.minus(failed),
    stale: failed.intersect(good),
    violations: [
      ...[...damaged].map(([run, reason]): Violation => ({ run, type: 'damaged', reason })),
      ...[...lost].map((run): Violation => ({ run, type: 'lost', reason: lossOf(run, incomplete) })),
      ...[...vanished].map((run): Violation => ({ run, type: 'lost', reason: VANISHED })),
    ].sort((a, b) => a.run - b.run),
  }
}

const VANISHED =
  'it was archived and compared, and the destination does not have it any more; a pass archives it again'

const lossOf = (run: number, incomplete: RunSet): string =>
  incomplete.has(run)
    ? 'the destination holds only a part, and the source holds nothing any more'
    : 'in the failure log, and the source holds nothing any more'

/** `count` runs of a set at equal distances, the first and the last among them: a sample that is the same each time. */
export const sample = (runs: RunSet, count: number): RunSet => {
  if (runs.size <= count) return runs
  const wanted = new Set(
    Array.from({ length: count }, (_, i) => Math.round((i * (runs.size - 1)) / (count - 1))),
  )
  const taken: number[] = []
  let before = 0
  for (const [first, last] of runs.ranges) {
    const length = last - first + 1
    for (const index of wanted)
      if (index >= before && index < before + length) taken.push(first + index - before)
    before += length
  }
  return RunSet.of(taken)
}
