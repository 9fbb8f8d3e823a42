import { meanToCompletion, usualSeconds } from '../completion.ts'
import type { ExecutionLine, TaskDay } from '../model.ts'
import { count, plural, share, span } from '../text.ts'
import { badOf, total } from './performance-tables.tsx'
import { Tile } from './parts.tsx'

/** How far above the 95th percentile is out of the usual: the alert rule `duration`. */
const FAR = 1.5

const text = (seconds: number | undefined): string => (seconds === undefined ? '–' : span(seconds))

const ends = (days: readonly TaskDay[]): string => {
  const words = [
    ['failed', total(days, ({ failed }) => failed)],
    ['killed', total(days, ({ killed }) => killed)],
    ['reboot', total(days, ({ reboots }) => reboots)],
    ['died unseen', total(days, ({ unseen }) => unseen)],
    ['partial', total(days, ({ partly }) => partly)],
  ] as const
  return words
    .filter(([, many]) => many > 0)
    .map(([word, many]) => `${count(many)} ${word}`)
    .join(', ')
}

/** What one task does: usual time, slow time, good ends, time to a good end, items a second. */
export const PerformanceTiles = ({
  executions,
  days,
  change,
}: {
  executions: readonly ExecutionLine[]
  days: readonly TaskDay[]
  change: { readonly before: number; readonly lately: number } | undefined
}) => {
  const all = total(days, ({ executions: many }) => many)
  const ok = total(days, (day) => day.ok)
  const items = total(days, (day) => day.items)
  const seconds = total(days, (day) => day.seconds)
  const p95 = usualSeconds(executions, 0.95)
  const isSlower = change !== undefined && change.lately / change.before >= 1.2
  return (
    <dl class="tiles">
      <Tile
        k="Usual time (p50)"
        v={text(usualSeconds(executions, 0.5))}
        s={isSlower ? 'late' : undefined}
        sub={
          change
            ? `last 7 days ${span(change.lately)}, ${span(change.before)} before`
            : 'of those that ended well'
        }
      />
      <Tile
        k="Slow (p95)"
        v={text(p95)}
        sub={p95 === undefined ? 'none ended well' : `far out of the usual from ${span(p95 * FAR)}`}
      />
      <Tile
        k="Good"
        v={
          all === 0 ? (
            '–'
          ) : (
            <>
              {share(ok, all)}
              <small> %</small>
            </>
          )
        }
        s={total(days, badOf) > 0 ? 'failed' : undefined}
        sub={[`${count(ok)} of ${count(all)}`, ends(days)].filter(Boolean).join('; ')}
      />
      <Tile
        k="Mean time to completion"
        v={text(meanToCompletion(executions))}
        sub="from the first try to a good end"
      />
      <Tile
        k="Throughput"
        v={
          items === 0 || seconds === 0 ? (
            '–'
          ) : (
            <>
              {(items / seconds).toPrecision(3)}
              <small> items/s</small>
            </>
          )
        }
        sub={items === 0 ? 'no items were counted' : `${plural(items, 'item')} in ${span(seconds)}`}
      />
    </dl>
  )
}
