import type { QueueComparison } from './compare-queue.ts'
import type { Known, MemoryFacts, Report, StageReport, StoreFacts } from './report.ts'
import { recommendations } from './advice.ts'

/** The report as one JSON document: run sets as texts such as `12000-12050,12060`, times as ISO 8601 in UTC, null for what is not known. */
export const reportJson = (report: Report, exitCode: number): string => {
  const { facts } = report
  return `${JSON.stringify(
    {
      time: new Date(facts.now).toISOString(),
      filesystem: {
        location: facts.recordsDirectory,
        ...ofKnown(facts.records, ({ runs, ambiguous, ignored }) => ({
          count: runs.size,
          runs: runs.toString(),
          gaps: runs.gaps.toString(),
          ambiguous: ambiguous.toString(),
          ignored,
        })),
      },
      artdaqdb: { uri: facts.databaseUri, ...ofKnown(facts.artdaq, store) },
      ucondb: { url: facts.serverUrl, object: facts.folderAndObject, ...ofKnown(facts.archive, store) },
      compared: facts.proof
        ? {
            archived: facts.proof.held.size,
            compared: facts.proof.compared.size,
            not_yet_compared: facts.proof.held.minus(facts.proof.compared).toString(),
            oldest: facts.proof.oldest === undefined ? null : new Date(facts.proof.oldest).toISOString(),
            damaged: [...facts.proof.damaged].map(([run, reason]) => ({ run, reason })),
          }
        : null,
      last_success: facts.lastSuccess === undefined ? null : new Date(facts.lastSuccess).toISOString(),
      queue: facts.queue
        ? ofKnown(facts.queue, ({ place, running }) => ({ place, instances: running }))
        : null,
      never_taken: report.neverSeen.toString(),
      import: stage(report.import, facts.import),
      migrate: stage(report.migrate, facts.migrate),
      not_ready: [...facts.waiting].map(([run, reason]) => ({ run, reason })),
      damaged_records: [...(facts.damagedRecords ?? [])].map(([run, reason]) => ({ run, reason })),
      discrepancies: report.discrepancies.map(({ text, command }) => ({ text, command })),
      recommendations: recommendations(report),
      unreadable: report.unreadable,
      exit_code: exitCode,
    },
    null,
    2,
  )}\n`
}

const ofKnown = <T>(known: Known<T>, fields: (value: T) => object): object =>
  known.known ? { error: null, ...fields(known.value) } : { error: known.reason }

const store = ({ runs, incomplete, notes }: StoreFacts): object => ({
  count: runs.size,
  runs: runs.toString(),
  gaps: runs.gaps.toString(),
  incomplete: incomplete.toString(),
  notes,
})

const stage = (known: Known<StageReport>, memory: Known<MemoryFacts>): object => ({
  ...ofKnown(memory, ({ state, isFirst, savedAt }) => ({
    last_contiguous_run: state.lastContiguousRun,
    last_attempted_run: state.lastAttemptedRun,
    recorded: !isFirst,
    state_saved: savedAt === undefined ? null : new Date(savedAt).toISOString(),
  })),
  ...(known.known
    ? {
        actual_contiguous_run: known.value.comparison.contiguous,
        missing: known.value.comparison.missing.toString(),
        new: known.value.comparison.fresh.toString(),
        late: known.value.comparison.late.toString(),
        failed: known.value.comparison.failed.toString(),
        stale_failures: known.value.comparison.stale.toString(),
        gone_failures: known.value.comparison.gone.toString(),
        queue: known.value.queue ? queueOf(known.value.queue) : null,
      }
    : { error: known.reason }),
})

const queueOf = ({ queued, unstored, unlogged, unqueued, unsettled, unknown }: QueueComparison): object => ({
  pending: queued.pending.toString(),
  claimed: queued.claimed.toString(),
  done: queued.done.toString(),
  failed: queued.failed.toString(),
  attempted_up_to: queued.attemptedUpTo,
  paused: queued.paused,
  not_stored: unstored.toString(),
  not_logged: unlogged.toString(),
  logged_not_queued: unqueued.toString(),
  stored_not_settled: unsettled.toString(),
  not_in_queue: unknown.toString(),
})
