import type { Report } from './report.ts'
import { spanText } from './range-text.ts'
import { RunSet } from '../../common/run-set.ts'

/** What an operator can do, and the exact command where one does it. */
export interface Advice {
  readonly text: string
  readonly command?: string
}

/** The original's recommendations in its order and words, each with its command; then ours. */
export const recommendations = (report: Report): readonly Advice[] => {
  const { facts, discrepancies, unreadable } = report
  const records = facts.records.known
    ? facts.records.value.runs.union(facts.records.value.ambiguous)
    : undefined
  const artdaq = facts.artdaq.known ? facts.artdaq.value.runs : undefined
  const archive = facts.archive.known ? facts.archive.value.runs : undefined
  const waiting = RunSet.of(facts.waiting.keys())
  const command = (flags: string): string => `run-archiver ${facts.config} ${flags}`
  const advice = [
    ...unreadable.map((text): Advice => ({ text: `ERROR: Cannot read ${text}` })),
    ...difference(records?.minus(waiting), artdaq, (runs) => ({
      text: `Run IMPORTER: ${runs.size} run(s) on filesystem not in artdaqDB (range: ${spanText(runs)})`,
      command: command(`--import-only${only(runs, facts.import)}`),
    })),
    ...difference(artdaq, archive, (runs) => ({
      text: `Run MIGRATOR: ${runs.size} run(s) in artdaqDB not in UconDB (range: ${spanText(runs)})`,
      command: command(`--migrate-only${only(runs, facts.migrate)}`),
    })),
    ...difference(artdaq, records, (runs) => ({
      text: `WARNING: ${runs.size} run(s) in artdaqDB but not on filesystem (may have been deleted)`,
    })),
    ...difference(archive, artdaq, (runs) => ({
      text: `INFO: ${runs.size} run(s) in UconDB but not in artdaqDB (may have been cleaned up from intermediate storage)`,
    })),
    ...(waiting.isEmpty
      ? []
      : [
          {
            text: `INFO: ${waiting.size} run(s) are not ready yet (${spanText(waiting)}); a later pass takes them`,
          },
        ]),
    ...discrepancies.map(({ text, command: flags }): Advice =>
      flags.startsWith('--')
        ? { text: `CHECK: ${text}`, command: command(flags) }
        : { text: `CHECK: ${text}: ${flags}` },
    ),
  ]
  return advice.length > 0 ? advice : [{ text: 'All systems are synchronized - no action needed' }]
}

/** An incremental pass leaves failed runs alone: where there are no others, a full one is meant. */
const only = (runs: RunSet, memory: Report['facts']['import']): string =>
  memory.known && runs.minus(memory.value.failed).isEmpty ? '' : ' --incremental'

const difference = (
  from: RunSet | undefined,
  take: RunSet | undefined,
  advise: (runs: RunSet) => Advice,
): Advice[] => {
  if (!from || !take) return []
  const runs = from.minus(take)
  return runs.isEmpty ? [] : [advise(runs)]
}
