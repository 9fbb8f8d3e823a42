import type { RunSet } from '../../common/run-set.ts'

/** The lines that part a report, as the Python original draws them. */
export const RULE = '='.repeat(70)
export const THIN_RULE = '-'.repeat(70)

/** `1-3, 5, 9-11`: all ranges when there are ten or fewer, else the first and the last five and how many there are. */
export const rangesText = ({ ranges }: RunSet): string => {
  if (ranges.length === 0) return 'none'
  const texts = ranges.length <= 10 ? ranges : [...ranges.slice(0, 5), ...ranges.slice(-5)]
  const shown = texts.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
  if (ranges.length <= 10) return shown.join(', ')
  return `${shown.slice(0, 5).join(', ')} ... ${shown.slice(5).join(', ')} (${ranges.length} ranges total)`
}

/** `4, 7, 8, 12`: the first twenty runs one by one, and how many there are. Takes no longer for a gap of a billion. */
export const runsText = (runs: RunSet, what = 'runs'): string => {
  if (runs.isEmpty) return 'none'
  const shown = [...runs.take(20)].join(', ')
  return runs.size <= 20 ? shown : `${shown} ... (${runs.size} ${what} total)`
}

/** Runs of which two folders have the number, with their number of runs. */
export const claimedTwice = (runs: RunSet): string =>
  runs.size === 1
    ? `run ${runs.toString()} is claimed by two folders`
    : `${runs.size} runs are claimed by two folders each (${exactText(runs)})`

/** Runs named exactly: `9-14` where they follow one another, else `2, 3, 5`; in ranges where they are many. */
export const exactText = (runs: RunSet): string =>
  runs.ranges.length > 1 && runs.size <= 20 ? runsText(runs) : rangesText(runs)
