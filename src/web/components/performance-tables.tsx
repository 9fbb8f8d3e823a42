import type { ExecutionLine, Standing, TaskDay, TaskLine } from '../model.ts'
import type { StepTime } from '../models/steps.ts'
import { count, share, span } from '../text.ts'
import { changeOf, trendOf } from '../trend.ts'
import { Bar, Spark } from './bars.tsx'
import { Glyph } from './glyph.tsx'
import { Empty, Panel } from './parts.tsx'

export const total = (days: readonly TaskDay[], of: (day: TaskDay) => number): number =>
  days.reduce((sum, day) => sum + of(day), 0)
export const badOf = (day: TaskDay): number => day.failed + day.killed + day.reboots + day.unseen

const seconds = (value: number | undefined): string => (value === undefined ? 'no estimate' : span(value))
/** From this share on a change is called out. */
const MUCH = 0.2

const changeText = (change: number): string => {
  const percent = Math.round(Math.abs(change) * 100)
  return percent === 0 ? '0 %' : `${change > 0 ? '+' : '−'} ${count(percent)} %`
}

/** Which subtask takes the time, and which takes more than before. */
export const SlowSteps = ({ steps }: { steps: readonly StepTime[] }) => {
  const sum = steps.reduce((all, { p50 }) => all + p50, 0)
  return (
    <Panel
      title="Slow subtasks"
      id="sl"
      sub="medians of the newest 20 good executions, change against the 20 before"
    >
      {steps.length === 0 || sum === 0 ? (
        <Empty what="No subtask was recorded." />
      ) : (
        <div class="scroll">
          <table class="tb">
            <thead>
              <tr>
                <th>Subtask</th>
                <th class="w">Share</th>
                <th class="r">p50</th>
                <th class="r">Change</th>
              </tr>
            </thead>
            <tbody>
              {[...steps]
                .sort((a, b) => b.p50 - a.p50)
                .slice(0, 12)
                .map(({ name, p50, before }) => {
                  const change = before === undefined || before === 0 ? undefined : p50 / before - 1
                  const isHot = (change ?? 0) >= MUCH
                  const part = (p50 / sum) * 100
                  return (
                    <tr class={isHot ? 'hot' : undefined}>
                      <th scope="row">{name}</th>
                      <td class="w">
                        <Bar
                          value={part}
                          label={`${name}: ${share(p50, sum)} %`}
                          kind={isHot ? 'share hotb' : 'share'}
                        />
                      </td>
                      <td class="r num nw">{span(p50)}</td>
                      <td class="r num nw">{change === undefined ? '–' : changeText(change)}</td>
                    </tr>
                  )
                })}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  )
}

const End = ({ many, standing }: { many: number; standing: Standing }) => (
  <td class={many > 0 ? 'r num nw' : 'r num zero'}>
    {many > 0 && (
      <>
        <Glyph s={standing} />{' '}
      </>
    )}
    {count(many)}
  </td>
)

/** Executions that did not end by themselves, by UTC day; the last seven. `days`: `2026-11-27`, the newest first. */
export const Terminations = ({ all, days }: { all: readonly TaskDay[]; days: readonly string[] }) => (
  <Panel title="Terminations" id="tm" sub="by UTC day, the last 7 days">
    <table class="tb">
      <thead>
        <tr>
          <th>Day</th>
          <th class="r">Executions</th>
          <th class="r">Killed</th>
          <th class="r">Reboot</th>
          <th class="r">Died unseen</th>
        </tr>
      </thead>
      <tbody>
        {days.map((day) => {
          const those = all.filter((one) => one.day === day)
          return (
            <tr>
              <th scope="row" class="num nw">
                <a href={`/history?day=${day}`}>{day}</a>
              </th>
              <td class="r num">{count(total(those, ({ executions }) => executions))}</td>
              <End many={total(those, ({ killed }) => killed)} standing="killed" />
              <End many={total(those, ({ reboots }) => reboots)} standing="reboot" />
              <End many={total(those, ({ unseen }) => unseen)} standing="terminated" />
            </tr>
          )
        })}
      </tbody>
    </table>
  </Panel>
)

export interface TaskRow {
  readonly name: string
  readonly days: readonly TaskDay[]
  readonly line: TaskLine | undefined
}

const durations = (newest: readonly ExecutionLine[]): number[] =>
  [...newest]
    .reverse()
    .flatMap(({ startedAt, endedAt, standing }) =>
      endedAt !== undefined && (standing === 'ok' || standing === 'partial')
        ? [(endedAt - startedAt) / 1000]
        : [],
    )

/** What a person should know of a task: that it takes longer than before, or has been overdue. */
const notesOf = (line: TaskLine | undefined, now: number): readonly string[] => {
  const change = line && changeOf(trendOf(line.newest), now)
  const isOverdue = line?.newest.some(({ conditions }) => conditions?.includes('OVERDUE'))
  const by = change ? change.lately / change.before - 1 : 0
  return [...(by >= MUCH ? [`${Math.round(by * 100)} % slower`] : []), ...(isOverdue ? ['overdue now'] : [])]
}

/** All tasks, with the line of their newest durations. */
export const TaskTimes = ({ rows, days, now }: { rows: readonly TaskRow[]; days: string; now: number }) => (
  <table class="tb">
    <thead>
      <tr>
        <th>Task</th>
        <th class="w opt">Duration, newest 30</th>
        <th class="r opt">Executions</th>
        <th class="r">Good, %</th>
        <th class="r">Bad</th>
        <th class="r">p50</th>
        <th class="r opt">p95</th>
        <th class="opt">Last 7 days</th>
      </tr>
    </thead>
    <tbody>
      {rows.map(({ name, days: own, line }) => {
        const executions = total(own, ({ executions: many }) => many)
        const notes = notesOf(line, now)
        return (
          <tr>
            <th scope="row">
              <a href={`/performance?days=${days}&task=${encodeURIComponent(name)}`}>{name}</a>
            </th>
            <td class="w opt">
              <Spark
                values={durations(line?.newest ?? [])}
                label={`${name}: durations of the newest good executions, from zero`}
                zero
                cls={notes.some((note) => note.endsWith('slower')) ? 'bad' : ''}
              />
            </td>
            <td class="r num opt">{count(executions)}</td>
            <td class="r num">
              {share(
                total(own, ({ ok }) => ok),
                executions,
              )}
            </td>
            <td class="r num">{count(total(own, badOf))}</td>
            <td class="r num nw">{seconds(line?.p50)}</td>
            <td class="r num opt nw">{seconds(line?.p95)}</td>
            <td class="opt sub">
              {notes.map((note) => (
                <>
                  <span class="nw">{note}</span>{' '}
                </>
              ))}
            </td>
          </tr>
        )
      })}
    </tbody>
  </table>
)

/** The days of one task. */
export const TaskDays = ({ days }: { days: readonly TaskDay[] }) => (
  <Panel title="By day" id="days" sub="UTC days, the newest first">
    <table class="tb">
      <thead>
        <tr>
          <th>Day</th>
          <th class="r">Executions</th>
          <th class="r">Good</th>
          <th class="r opt">Partial</th>
          <th class="r">Bad</th>
          <th class="r">p50</th>
          <th class="r opt">p95</th>
        </tr>
      </thead>
      <tbody>
        {[...days]
          .sort((a, b) => (a.day < b.day ? 1 : -1))
          .map((day) => (
            <tr>
              <th scope="row" class="num nw">
                <a href={`/history?day=${day.day}&task=${encodeURIComponent(day.task)}`}>{day.day}</a>
              </th>
              <td class="r num">{count(day.executions)}</td>
              <td class="r num">{count(day.ok)}</td>
              <td class="r num opt">{count(day.partly)}</td>
              <td class="r num">{count(badOf(day))}</td>
              <td class="r num nw">{seconds(day.p50)}</td>
              <td class="r num opt nw">{seconds(day.p95)}</td>
            </tr>
          ))}
      </tbody>
    </table>
  </Panel>
)
