import { type FailureGroup, retryCommand } from './failure-groups.ts'
import type { ExecutionLine, RunsSnapshot, Standing, TaskLine } from './model.ts'
import { count, plural, span } from './text.ts'

/** Something that a person should look at, with the command that helps. */
export interface Todo {
  readonly standing: Standing
  readonly title: string
  readonly text: string
  readonly href: string
  readonly command?: string | undefined
  /** The higher, the sooner. */
  readonly urgency: number
}

export interface TodoFacts {
  readonly now: number
  readonly config: string
  readonly current: readonly ExecutionLine[]
  readonly tasks: readonly TaskLine[]
  readonly groups: readonly FailureGroup[]
  readonly snapshot: RunsSnapshot | undefined
  /** Attempts that were looked for at most, where there were more: of a run whose last one is older nothing is said here. */
  readonly attemptsCut?: number | undefined
}

/** Damaged runs, and causes of failures, that are listed one by one; the others are counted. */
const LISTED = 5

/** Ends that nobody has answered by a later execution that ended well. */
const BAD: readonly Standing[] = ['failed', 'terminated', 'reboot', 'killed']

/** What needs a person, the most urgent first. Everything on it is something that a command or another page says too. */
export const todoList = (facts: TodoFacts): readonly Todo[] =>
  [
    ...unreadable(facts),
    ...damaged(facts),
    ...hanging(facts),
    ...failing(facts),
    ...unexplained(facts),
    ...badEnds(facts),
    ...leftItems(facts),
    ...advised(facts),
  ].sort((a, b) => b.urgency - a.urgency)

const unreadable = ({ snapshot }: TodoFacts): Todo[] =>
  (snapshot?.unreadable ?? []).map((text) => ({
    standing: 'failed',
    title: 'A place cannot be read',
    text,
    href: '/runs',
    urgency: 100,
  }))

const damaged = ({ snapshot, config }: TodoFacts): Todo[] => {
  const all = [...(snapshot?.proof?.damaged ?? [])]
  const listed = all.slice(0, LISTED).map(([run, reason]): Todo => ({
    standing: 'failed',
    title: `Run ${count(run)} is damaged`,
    text: `${reason}. Nothing was changed.`,
    href: `/runs/${run}`,
    command: `run-archiver diff ${run} --config ${config}`,
    urgency: 95,
  }))
  const more = all.length - listed.length
  if (more === 0) return listed
  return [
    ...listed,
    {
      standing: 'failed',
      title: `${plural(more, 'more run is', 'more runs are')} damaged`,
      text: 'The report as JSON lists all of them.',
      href: '/runs',
      command: `run-archiver ${config} --report-status --json`,
      urgency: 94,
    },
  ]
}

const hanging = ({ current, now }: TodoFacts): Todo[] =>
  current
    .filter(({ standing }) => standing === 'hung')
    .map((execution) => ({
      standing: 'hung',
      title: `${execution.task} hangs`,
      text: `No progress for ${span((now - (execution.progressAt ?? execution.startedAt)) / 1000)}; its heartbeat still comes.`,
      href: `/executions/${execution.id}`,
      urgency: 90,
    }))

const failing = ({ groups, config }: TodoFacts): Todo[] => {
  const listed = groups.slice(0, LISTED).map((group): Todo => {
    const isConflict = group.code === 'CONFLICT'
    const runs = group.runs.toString()
    return {
      standing: 'failed',
      title: `${plural(group.count, 'run')} failed: ${group.code ?? group.stage}`,
      text: isConflict ? `${group.message}. Nothing was overwritten. Compare, then decide.` : group.message,
      href: '/failures',
      command: isConflict
        ? `run-archiver diff ${group.runs.first ?? ''} --config ${config}`
        : retryCommand(
            group.stage,
            config,
            runs.length > 120 ? runs.slice(0, runs.lastIndexOf(',', 120)) : runs,
          ),
      urgency: isConflict ? 60 : 50 + Math.min(9, group.count),
    }
  })
  const more = groups.slice(LISTED)
  if (more.length === 0) return listed
  return [
    ...listed,
    {
      standing: 'failed',
      title: `${plural(more.length, 'more cause')} of failures`,
      text: `${plural(
        more.reduce((sum, group) => sum + group.count, 0),
        'run',
      )} failed for them.`,
      href: '/failures',
      urgency: 49,
    },
  ]
}

/** Failed runs without an attempt among those that were read: the ledger is off, began later, or holds too many. */
const unexplained = ({ snapshot, groups, config, attemptsCut }: TodoFacts): Todo[] =>
  (['import', 'migrate'] as const).flatMap((stage) => {
    const marks = snapshot?.[stage]
    if (!marks?.known) return []
    let rest = marks.value.failed
    for (const group of groups) if (group.stage === stage) rest = rest.minus(group.runs)
    if (rest.size === 0) return []
    return [
      {
        standing: 'failed',
        title: `${plural(rest.size, 'run')} failed at ${stage}`,
        text:
          attemptsCut === undefined
            ? 'The ledger holds no attempt of them; the log of the pass has the message.'
            : `The newest ${count(attemptsCut)} failed attempts have none of them; the page of each run has its own.`,
        href: '/runs',
        command: retryCommand(stage, config),
        urgency: 50,
      },
    ]
  })

const badEnds = ({ tasks }: TodoFacts): Todo[] =>
  tasks.flatMap(({ task, newest }) => {
    const ended = newest.find(({ endedAt }) => endedAt !== undefined)
    if (!ended || !BAD.includes(ended.standing)) return []
    const ends = newest.filter(({ endedAt }) => endedAt !== undefined)
    const other = ends.findIndex(({ standing }) => !BAD.includes(standing))
    const times = other < 0 ? ends.length : other
    return [
      {
        standing: ended.standing,
        title: `${task} did not end well`,
        text: `${ended.error ?? 'No message was left.'}${times > 1 ? ` ${count(times)} times in a row.` : ''}`,
        href: `/executions/${ended.id}`,
        urgency: ended.standing === 'killed' ? 20 : 40,
      },
    ]
  })

/** Tasks whose last end left failed items behind; the runs of a pass are listed by their causes. */
const leftItems = ({ tasks, config }: TodoFacts): Todo[] =>
  tasks.flatMap(({ task, stage, newest }) => {
    const ended = newest.find(({ endedAt }) => endedAt !== undefined)
    const isRows = task === 'rows'
    const command = isRows ? `run-archiver rows conflicts --config ${config}` : retryCommand(task, config)
    if (ended?.standing !== 'partial' || (stage === 'ARCHIVE' && command === undefined)) return []
    return [
      {
        standing: ended.standing,
        title: `${task} ended with failed items`,
        text:
          ended.error ?? (ended.failed > 0 ? `${plural(ended.failed, 'item')} failed.` : 'Not all was done.'),
        href: isRows ? '/rows' : command === undefined ? `/executions/${ended.id}` : '/records',
        command,
        urgency: 35,
      },
    ]
  })

/** Contradictions between state and stores, in the words of `--report-status`. */
const advised = ({ snapshot }: TodoFacts): Todo[] =>
  (snapshot?.advice ?? [])
    .filter(({ text }) => text.startsWith('CHECK: ') && !/ failed to (import|migrate)/.test(text))
    .map(({ text, command }) => ({
      standing: 'late',
      title: 'State and stores differ',
      text: text.slice('CHECK: '.length),
      href: '/runs',
      command,
      urgency: 30,
    }))
