import type { RunAttempt, RunsSnapshot } from '../model.ts'
import { count, rangeText } from '../text.ts'
import { Chip } from './glyph.tsx'
import { Empty } from './parts.tsx'
import { LEGEND } from './runs.tsx'

/** Failed runs that the table shows; the API has them all. */
const SHOWN = 200
/** Single numbers that are listed, the highest. */
const SINGLES = 12

/** The newest failed attempt of each run that is in a failure log, the newest run first. */
export const FailedTable = ({
  snapshot,
  attempts,
}: {
  snapshot: RunsSnapshot
  /** Undefined where the ledger does not answer. */
  attempts: readonly RunAttempt[] | undefined
}) => {
  const none = attempts ? 'the ledger holds no attempt of it' : 'the ledger does not answer'
  const failed = snapshot.map.sets[3]
  const runs = failed ? [...failed].reverse().slice(0, SHOWN) : []
  if (runs.length === 0) return <Empty what="No run is in a failure log." />
  const newest = new Map<number, RunAttempt>()
  for (const attempt of attempts ?? [])
    if (attempt.run !== undefined && !newest.has(attempt.run)) newest.set(attempt.run, attempt)
  return (
    <div class="scroll">
      <table class="tb">
        <thead>
          <tr>
            <th>Run</th>
            <th>Stage</th>
            <th>Code</th>
            <th class="opt">Why</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => {
            const attempt = newest.get(run)
            const inImport = snapshot.import.known && snapshot.import.value.failed.has(run)
            return (
              <tr>
                <th scope="row" class="num">
                  <a href={`/runs/${run}`}>{count(run)}</a>
                </th>
                <td>{attempt?.stage ?? (inImport ? 'import' : 'migrate')}</td>
                <td>{attempt?.code ? <code>{attempt.code}</code> : '–'}</td>
                <td class="opt clip" title={attempt?.error}>
                  {attempt?.error ?? none}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

/** Every range of numbers that is not archived, the newest first; single numbers never taken are one row. */
export const GapTable = ({ snapshot }: { snapshot: RunsSnapshot }) => {
  const rows = LEGEND.filter(([, , state]) => state !== 1 && state !== 3).flatMap(([standing, word, state]) =>
    (snapshot.map.sets[state]?.ranges ?? []).map((range) => ({ standing, word, range, state })),
  )
  const singles = rows.filter(({ state, range }) => state === 0 && range[0] === range[1])
  const shown = rows
    .filter((row) => !singles.includes(row) || singles.length < 5)
    .sort((a, b) => b.range[0] - a.range[0])
  if (rows.length === 0) return <Empty what="No number is missing, and no run is on its way." />
  return (
    <div class="scroll">
      <table class="tb">
        <thead>
          <tr>
            <th>Numbers</th>
            <th class="r">Count</th>
            <th>What</th>
          </tr>
        </thead>
        <tbody>
          {shown.slice(0, 100).map(({ standing, word, range: [first, last] }) => (
            <tr>
              <th scope="row" class="num">
                <a href={`/runs/${first}`}>{rangeText(first, last)}</a>
              </th>
              <td class="r num">{count(last - first + 1)}</td>
              <td>
                <Chip s={standing} word={word} /> <span class="sub">{snapshot.waiting.get(first) ?? ''}</span>
              </td>
            </tr>
          ))}
          {shown.length > 100 && (
            <tr>
              <td colspan={3} class="sub">
                and {count(shown.length - 100)} more ranges
              </td>
            </tr>
          )}
          {singles.length >= 5 && (
            <tr>
              <th scope="row">{count(singles.length)} single numbers</th>
              <td class="r num">{count(singles.length)}</td>
              <td>
                <Chip s="none" word="Never taken" />{' '}
                <span class="sub num">
                  {singles
                    .slice(-SINGLES)
                    .map(({ range }) => count(range[0]))
                    .join(', ')}
                  {singles.length > SINGLES && ` and ${count(singles.length - SINGLES)} lower ones`}
                </span>
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  )
}
