import { BARS_MOST, type GanttBar, type GanttLine } from '../gantt.ts'
import type { Standing } from '../model.ts'
import { count, minuteText, plural, span } from '../text.ts'
import { Glyph, WORDS } from './glyph.tsx'
import { Empty, Name } from './parts.tsx'

/** Lines of tasks that are drawn. */
const LINES = 60
const HOURS = [0, 3, 6, 9, 12, 15, 18, 21, 24]
const QUIET: readonly Standing[] = ['ok', 'running', 'skipped', 'pending', 'none']

const percent = (share: number): string => `${(share * 100).toFixed(2)}%`

const titleOf = ({ standing, execution, count: many, at }: GanttBar, task: string, now: number): string =>
  execution
    ? `${task} #${execution.id}: ${WORDS[standing]}, ${minuteText(execution.startedAt)}, ${span(((execution.endedAt ?? now) - execution.startedAt) / 1000)}${execution.error === undefined ? '' : `. ${execution.error}`}`
    : `${task}: ${plural(many, 'execution')} from ${minuteText(at)}, the worst ${WORDS[standing].toLowerCase()}`

const Bar = ({ bar, task, now }: { bar: GanttBar; task: string; now: number }) => {
  const { from, to, standing, execution } = bar
  const shapes = (
    <>
      <rect
        x={percent(from)}
        y="4"
        width={percent(Math.max(0.0022, to - from))}
        height="14"
        rx="1.5"
        class={`f t-${standing}`}
      >
        <title>{titleOf(bar, task, now)}</title>
      </rect>
      {!QUIET.includes(standing) && (
        <svg x={percent(from)} y="-4" overflow="visible">
          <circle cx="1" cy="5.5" r="7" class="if" />
          <use href={`#g-${standing}`} x="-4.5" y="0" width="11" height="11" class={`g gg g-${standing}`} />
        </svg>
      )}
    </>
  )
  return execution ? (
    <a href={`/executions/${execution.id}`} tabindex={-1}>
      {shapes}
    </a>
  ) : (
    <g>{shapes}</g>
  )
}

const Hours = () => (
  <div class="gx">
    <span />
    <svg class="gax num" aria-hidden="true">
      {HOURS.map((hour) => (
        <text x={percent(hour / 24)} y="11" class={hour === 24 ? 'e' : hour === 0 ? 's' : undefined}>
          {String(hour).padStart(2, '0')}
        </text>
      ))}
    </svg>
  </div>
)

const Line = ({ line, today, now }: { line: GanttLine; today: number | undefined; now: number }) => (
  <div class="gr">
    <a href={`/performance?task=${encodeURIComponent(line.task)}`} title={line.task}>
      <Name of={line.task} fits={14} />
    </a>
    <svg
      class="gl"
      role="group"
      aria-label={`${line.task}: ${plural(line.count, 'execution')}, ${count(line.good)} good`}
    >
      {HOURS.slice(0, -1).map((hour) => (
        <rect x={percent(hour / 24)} width="1" height="100%" class="gridl" />
      ))}
      {line.bars.map((bar) => (
        <Bar bar={bar} task={line.task} now={now} />
      ))}
      {today !== undefined && <rect x={percent(today)} width="1.5" height="100%" class="nowl" />}
    </svg>
  </div>
)

/** A UTC day: a line for each task, a bar for each execution. `today` is the share of it that has passed. */
export const Gantt = ({
  lines,
  today,
  now,
}: {
  lines: readonly GanttLine[]
  today: number | undefined
  now: number
}) => {
  if (lines.length === 0) return <Empty what="No execution on this day." />
  const seen = [...new Set(lines.flatMap(({ bars }) => bars.map(({ standing }) => standing)))].sort()
  const all = lines.reduce((sum, line) => sum + line.count, 0)
  return (
    <>
      <div class="gantt">
        <Hours />
        {lines.slice(0, LINES).map((line) => (
          <Line line={line} today={today} now={now} />
        ))}
      </div>
      {lines.length > LINES && (
        <p class="sub">and {plural(lines.length - LINES, 'more task')}; the filter finds them</p>
      )}
      {all > BARS_MOST && (
        <p class="sub">
          {count(all)} executions: each mark is ten minutes of a task, and shows the worst of them.
        </p>
      )}
      <ul class="legend">
        {seen.map((standing) => (
          <li>
            <Glyph s={standing} />
            {WORDS[standing]}
          </li>
        ))}
      </ul>
    </>
  )
}
