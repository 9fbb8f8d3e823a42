import type { ExecutionDetail, Subtask } from '../model.ts'
import type { StepPlan } from '../step-plan.ts'
import { count, doneOf, minuteText, plural, span } from '../text.ts'
import { Glyph, WORDS } from './glyph.tsx'
import { Empty } from './parts.tsx'

/** Subtasks that are drawn, the last ones. */
const SHOWN = 60

const noteOf = ({ startedAt, endedAt, items, done, failed, standing }: Subtask, now: number): string => {
  const took = startedAt === undefined ? undefined : span(((endedAt ?? now) - startedAt) / 1000)
  const items_ = done === undefined ? undefined : doneOf(done, items)
  const bad = failed ? `${count(failed)} failed` : undefined
  return [took, items_, bad].filter(Boolean).join(', ') || WORDS[standing]
}

/** The subtasks of an execution on one axis of time; dashed what is expected of one that runs. */
export const Steps = ({
  execution,
  plan,
  now,
}: {
  execution: ExecutionDetail
  plan: StepPlan | undefined
  now: number
}) => {
  const { parts, startedAt, endedAt } = execution
  if (parts.length === 0) return <Empty what="No subtask was recorded." />
  const end = endedAt ?? now
  const total = Math.max(1, Math.max(end, plan?.end ?? end) - startedAt)
  const share = (at: number): number => Math.min(1, Math.max(0, (at - startedAt) / total)) * 100
  const place = (from: number, to: number) => ({
    x: `${share(from).toFixed(2)}%`,
    width: `${Math.max(0.4, share(to) - share(from)).toFixed(2)}%`,
  })
  const last = parts.at(-1)
  return (
    <>
      <div class="steps-tl">
        {parts.length > SHOWN && (
          <p class="sub">
            {plural(parts.length - SHOWN, 'earlier subtask is', 'earlier subtasks are')} left out
          </p>
        )}
        {parts.slice(-SHOWN).map((part) => (
          <div class={`st-row s-${part.standing}`}>
            <div class="nm">
              <Glyph s={part.standing} label={WORDS[part.standing]} />
              <span>
                {part.number}. {part.name}
              </span>
            </div>
            <svg class="st" aria-hidden="true">
              <rect width="100%" height="100%" class="track" />
              {part.startedAt !== undefined && (
                <rect
                  {...place(part.startedAt, part.endedAt ?? end)}
                  height="100%"
                  rx="2"
                  class={`f t-${part.standing}`}
                />
              )}
              {part === last && plan?.currentEnds !== undefined && plan.currentEnds > now && (
                <rect {...place(now, plan.currentEnds)} y="0.5" height="17" rx="2" class="plan" />
              )}
            </svg>
            <div class="nt num">{noteOf(part, now)}</div>
          </div>
        ))}
        {plan?.rest.map(({ name, number, from, to }) => (
          <div class="st-row s-none">
            <div class="nm">
              <Glyph s="none" label={WORDS.none} />
              <span>
                {number}. {name}
              </span>
            </div>
            <svg class="st" aria-hidden="true">
              <rect width="100%" height="100%" class="track" />
              <rect {...place(from, to)} y="0.5" height="17" rx="2" class="plan" />
            </svg>
            <div class="nt num">about {span((to - from) / 1000)}</div>
          </div>
        ))}
      </div>
      {total > 240_000 && (
        <p class="sub ax">
          {[0, 0.25, 0.5, 0.75, 1].map((part) => (
            <span>{minuteText(startedAt + total * part)}</span>
          ))}
        </p>
      )}
    </>
  )
}
