import { DrawnOnce } from './drawn-once.tsx'
import type { Child } from 'hono/jsx'
import type { ExecutionLine, Standing } from '../model.ts'
import { percent, span } from '../text.ts'
import { WORDS } from './glyph.tsx'

/** A share in percent; undefined where nobody knows it. Widths are attributes: the policy forbids inline styles. */
export const Bar = ({
  value,
  label,
  kind = '',
}: {
  value: number | undefined
  label: string
  kind?: string
}) => (
  <svg
    class={`bar ${kind}${value === undefined ? ' unknown' : ''}`}
    role="progressbar"
    aria-label={label}
    aria-valuemin={0}
    aria-valuemax={100}
    aria-valuenow={value === undefined ? undefined : Math.floor(value)}
  >
    <rect class="bg" width="100%" height="100%" rx="3" />
    <rect class="fg" width={value === undefined ? '100%' : `${percent(value)}%`} height="100%" rx="3" />
  </svg>
)

interface PairProps {
  readonly overall: number | undefined
  readonly overallText: Child
  readonly part: number | undefined
  readonly partText: Child
  readonly eta?: Child
  readonly standing?: Standing
  readonly compact?: boolean
}

const shown = (value: number | undefined): string => (value === undefined ? '' : `${percent(value)} %`)

/** The work as a whole, and the subtask in hand. */
export const Pair = ({
  overall,
  overallText,
  part,
  partText,
  eta,
  standing = 'running',
  compact,
}: PairProps) => (
  <div class={`pair${compact ? ' compact' : ''} p-${standing}`}>
    <div class="pl">
      <span>{overallText}</span>
      <b class="num">{shown(overall)}</b>
    </div>
    <Bar value={overall} label="overall" kind="thick" />
    <div class="pl sub">
      <span>{partText}</span>
      <b class="num">{shown(part)}</b>
    </div>
    <Bar value={part} label="current subtask" kind="thin" />
    {eta && <div class="eta">{eta}</div>}
  </div>
)

/** A line of figures, from zero or from the least. Nothing is drawn from fewer than two. */
export const Spark = ({
  values,
  label,
  cls = '',
  zero,
}: {
  values: readonly number[]
  label: string
  cls?: string
  zero?: boolean
}) => {
  const w = 96
  const h = 24
  if (values.length < 2) return <span class="sub">–</span>
  const low = zero ? 0 : Math.min(...values)
  const high = Math.max(...values)
  const y = (value: number): number =>
    high === low ? h / 2 : h - 2 - ((value - low) / (high - low)) * (h - 4)
  const points = values
    .map((value, i) => `${((i / (values.length - 1)) * w).toFixed(1)},${y(value).toFixed(1)}`)
    .join(' ')
  return (
    <svg
      class={`spark ${cls}`.trim()}
      viewBox={`0 0 ${w} ${h}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <polygon points={`0,${h} ${points} ${w},${h}`} class="a" />
      <polyline points={points} class="l" />
    </svg>
  )
}

const MARKS: Readonly<Partial<Record<Standing, (x: number) => string>>> = {
  failed: (x) => `M${x + 1.8} 0l2.6 2.6-2.6 2.6-2.6-2.6z`,
  partial: (x) => `M${x + 1.8} .2a2.4 2.4 0 010 4.8z`,
}
const boxMark = (x: number): string => `M${x - 0.4} .4h4.4v4.4h-4.4z`
const QUIET: readonly Standing[] = ['ok', 'skipped', 'running']

/** The last executions of a task, given the newest first and drawn the oldest first: height is duration, a mark on top an end that was not good. */
export const Ticks = ({ newest, now }: { newest: readonly ExecutionLine[]; now: number }) =>
  newest.some(({ endedAt }) => endedAt === undefined) ? (
    <DrawnTicks newest={newest} now={now} />
  ) : (
    <DrawnOnce of={newest} draw={() => <DrawnTicks newest={newest} now={now} />} />
  )

const DrawnTicks = ({ newest, now }: { newest: readonly ExecutionLine[]; now: number }) => {
  const executions = [...newest].reverse()
  const took = executions.map(({ startedAt, endedAt }) => Math.max(0, (endedAt ?? now) - startedAt) / 1000)
  const most = Math.max(...took, 0.001)
  const good = executions.filter(({ standing }) => QUIET.includes(standing)).length
  return (
    <svg
      class="ticks"
      viewBox="0 0 150 26"
      preserveAspectRatio="xMinYMid meet"
      role="img"
      aria-label={`${good} of ${executions.length} good`}
    >
      {executions.map(({ standing }, i) => {
        const height = Math.max(3, ((took[i] ?? 0) / most) * 18)
        const x = i * 5
        const title = <title>{`${WORDS[standing]}, ${span(took[i] ?? 0)}`}</title>
        // Width and corners stand in the style sheet: a page has thousands of these.
        const [y, h] = [(26 - height).toFixed(1), height.toFixed(1)]
        if (QUIET.includes(standing))
          return (
            <rect class={`t-${standing}`} x={x} y={y} height={h}>
              {title}
            </rect>
          )
        return (
          <g class={`t-${standing}`}>
            {title}
            <rect x={x} y={y} height={h} />
            <path d={(MARKS[standing] ?? boxMark)(x)} />
          </g>
        )
      })}
    </svg>
  )
}
