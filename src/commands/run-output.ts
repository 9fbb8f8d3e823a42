import { counted } from '../common/counted.ts'
import { nothingDone } from '../runs/idle/fast-path.ts'
import { ArchiverError, failureOf, messageWithCode } from '../errors.ts'
import { completeCommands, passCommand, type Started } from '../common/own-command.ts'
import type { StageName } from '../common/stage-name.ts'
import type { StageReport } from '../runs/pass.ts'
import { damagedRecords } from '../runs/report/damaged-records.ts'
import type { Plan } from '../runs/plan.ts'

const TITLES: Record<StageName, string> = { import: 'Import', migrate: 'Migrate' }

/** At most so many runs are named one by one. */
const NAMED = 10

/** What a pass came to, and what its checks and the scrub found. */
export const passText = (
  reports: readonly StageReport[],
  complaints: readonly string[],
  started: Started,
): string =>
  [...passLines(reports, started), ...complaints.map((text) => completeCommands(text, started))].join('\n')

/** What a pass came to, for a person: a line a stage, and below it what he may want to do something about. */
export const passLines = (reports: readonly StageReport[], started: Started): string[] => {
  if (reports.length === 0) return ['Stopped before any work was started.']
  return reports.flatMap(({ stage, plan, outcome, error }) => {
    const title = `${TITLES[stage]}:`.padEnd(9)
    if (!outcome || !plan)
      return [
        `${title}not started: ${error ? messageWithCode(error) : 'stopped'}`,
        ...hintLines(error, started),
      ]
    const { succeeded, failed, pending, errors } = outcome
    const later = pending.isEmpty ? '' : `, ${pending.size} pending`
    const lines = [
      `${title}${succeeded.size} archived, ${failed.size} failed, ${plan.beyond} over the limit, ${plan.waiting.size} not ready${later}`,
    ]
    if (error) lines.push(`  stopped: ${messageWithCode(error)}`, ...hintLines(error, started))
    lines.push(...failureLines(failed.take(NAMED), errors, started))
    if (failed.size > NAMED)
      lines.push(`  and ${failed.size - NAMED} more; all of them stand in the failure log`)
    if (!failed.isEmpty) lines.push(`  to try them again: ${passCommand(started, `--retry-failed-${stage}`)}`)
    for (const [run, reason] of [...plan.waiting].slice(0, NAMED))
      lines.push(`  run ${run} is not ready: ${reason}`)
    if (plan.waiting.size > NAMED) lines.push(`  and ${plan.waiting.size - NAMED} more that are not ready`)
    return lines
  })
}

/** Each run that failed, why, and what helps: a hint once for all runs in a row that have the same. */
const failureLines = (
  runs: Iterable<number>,
  errors: ReadonlyMap<number, Error> | undefined,
  started: Started,
): string[] => {
  const rows = [...runs].map((run) => ({ run, hint: hintLines(errors?.get(run), started).join('') }))
  return rows.flatMap(({ run, hint }, i) => [
    `  run ${run} failed: ${reasonOf(run, errors)}`,
    ...(hint === '' || hint === rows[i + 1]?.hint ? [] : [`  ${hint}`]),
  ])
}

/** What helps, where the error knows; null else. */
const hintOf = (error: Error | undefined): string | null =>
  (error instanceof ArchiverError ? error.hint : undefined) ?? null

const hintLines = (error: Error | undefined, started: Started): string[] => {
  const hint = hintOf(error)
  return hint === null ? [] : [`  ${completeCommands(hint, started)}`]
}

/** Why a run failed, for a line that names the run already. */
const reasonOf = (run: number, errors: ReadonlyMap<number, Error> | undefined): string => {
  const error = errors?.get(run)
  return error === undefined ? 'see the log' : messageWithCode(error).replace(`run ${run}: `, '')
}

/** A pass that found nothing to do. */
export const idleLines = (stages: readonly StageName[], waiting: ReadonlyMap<number, string>): string => {
  const lines = [`Nothing new to ${stages.join(' or ')}.`, nothingDone(stages).trimEnd()]
  lines.push(...damagedRecords(waiting).map((warning) => `  warning: ${warning}`))
  for (const [run, reason] of [...waiting].slice(0, NAMED)) lines.push(`  run ${run} is not ready: ${reason}`)
  if (waiting.size > NAMED) lines.push(`  and ${waiting.size - NAMED} more that are not ready`)
  return `${lines.join('\n')}\n`
}

/** The same as one JSON document; run sets as texts such as `12000-12050,12060`, times in milliseconds. */
export const passJson = (
  reports: readonly StageReport[],
  complaints: readonly string[],
  exitCode: number,
): string => {
  const stages = reports.map(({ stage, plan, outcome, error }) => ({
    stage,
    archived: outcome?.succeeded.toString() ?? '',
    failed: [...(outcome?.failed ?? [])].map((run) => ({
      run,
      reason: reasonOf(run, outcome?.errors),
      hint: hintOf(outcome?.errors.get(run)),
    })),
    pending: outcome?.pending.toString() ?? plan?.runs.toString() ?? '',
    not_ready: [...(plan?.waiting ?? [])].map(([run, reason]) => ({ run, reason })),
    left_for_next_pass: (outcome?.pending.size ?? 0) + (plan?.beyond ?? 0),
    bytes: outcome?.bytes ?? 0,
    milliseconds: Math.round(outcome?.milliseconds ?? 0),
    stopped: outcome?.stopped ?? null,
    error: error ? failureOf(error) : null,
  }))
  const error = stages.find((stage) => stage.error)?.error ?? null
  return `${JSON.stringify({ stages, validation: complaints, exit_code: exitCode, error }, null, 2)}\n`
}

/** `--dry-run`: what a pass would do. */
export const planLines = (plans: readonly Plan[]): string[] =>
  plans.flatMap(({ stage, runs, waiting, beyond }) => [
    `${TITLES[stage]}:`.padEnd(9) +
      `would process ${counted(runs.size, 'run')}${runs.isEmpty ? '' : `: ${runs.toString()}`}; ${waiting.size} not ready, ${beyond} beyond the limit`,
    ...[...waiting].slice(0, NAMED).map(([run, reason]) => `  run ${run} is not ready: ${reason}`),
  ])

export const planJson = (plans: readonly Plan[]): string =>
  `${JSON.stringify(
    {
      dry_run: true,
      stages: plans.map(({ stage, runs, waiting, beyond }) => ({
        stage,
        would_process: runs.toString(),
        not_ready: [...waiting].map(([run, reason]) => ({ run, reason })),
        beyond_limit: beyond,
      })),
    },
    null,
    2,
  )}\n`

/** A round on a shared backlog: what this process did of it. */
interface BacklogTotals {
  readonly byStage: Readonly<Record<StageName, { readonly done: number; readonly failed: number }>>
  readonly lost: number
  readonly error: Error | undefined
}

/** A line for each stage, as any other pass prints it. */
export const backlogLines = (
  stages: readonly StageName[],
  { byStage, lost, error }: BacklogTotals,
  started: Started,
): string => {
  const lines = stages.map((stage) => {
    const { done, failed } = byStage[stage]
    return `${`${TITLES[stage]}:`.padEnd(9)}${done} archived, ${failed} failed, by this one of the workers`
  })
  if (lost > 0) lines.push(`  ${lost} taken over by others`)
  if (error) lines.push(`  stopped: ${messageWithCode(error)}`, ...hintLines(error, started))
  return `${lines.join('\n')}\n`
}

export const backlogJson = (
  stages: readonly StageName[],
  { byStage, lost, error }: BacklogTotals,
  exitCode: number,
): string =>
  `${JSON.stringify(
    {
      exit_code: exitCode,
      stages: stages.map((stage) => ({
        stage,
        succeeded: byStage[stage].done,
        failed: byStage[stage].failed,
      })),
      fenced: lost,
      error: error ? failureOf(error) : null,
    },
    null,
    2,
  )}\n`
