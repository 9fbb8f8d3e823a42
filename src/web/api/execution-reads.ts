import { ASKED_STANDINGS, ASKED_STATUSES } from './asked-words.ts'
import { compare } from '../compare.ts'
import { failureGroups, failuresWith } from '../failure-groups.ts'
import type { Slice, TaskDay } from '../model.ts'
import { tailLog, wholeLog } from '../log-file.ts'
import {
  all,
  CURSOR,
  DAY,
  DAYS,
  executionQuery,
  found,
  ledgerOf,
  LIMIT,
  numberIn,
  type Parameter,
  type Query,
  type Read,
  Problem,
} from './question.ts'

const FILTERS: readonly Parameter[] = [
  { name: 'task', doc: 'a task' },
  { name: 'stage', doc: 'a stage' },
  {
    name: 'standing',
    doc: `one of ${ASKED_STANDINGS.join(', ')}; hung and throttled: all that run; bad: all that ended badly`,
  },
  {
    name: 'status',
    doc: `instead of standing, in words of execution_status or process_logs: one of ${ASKED_STATUSES.join(', ')}`,
  },
  { name: 'host', doc: 'a host' },
  { name: 'q', doc: 'text in task, message or run id' },
  { name: 'day', doc: 'a UTC day' },
  { name: 'from', doc: 'started at or after' },
  { name: 'to', doc: 'started before; a day counts as a whole' },
  LIMIT,
  CURSOR,
]

/** Days in parts: 60 tasks over a year are 20,000. */
const PART: readonly Parameter[] = [
  { name: 'limit', doc: 'days of tasks at most, 1 to 10000 (10000)', integer: true },
  CURSOR,
]

const daysOf = async (q: Query, task?: string): Promise<Slice<TaskDay>> => {
  const limit = numberIn(q.query, 'limit', 1, 10_000, 10_000)
  const cursor = q.query.get('cursor') ?? ''
  const [, day = '', after = ''] = /^(\d{4}-\d\d-\d\d) (.*)$/s.exec(cursor) ?? []
  if (cursor !== '' && day === '')
    throw new Problem(400, 'USAGE', 'cursor must be the `next` of the part before')
  const since = q.now - numberIn(q.query, 'days', 1, 400, 30) * DAY
  const days = await ledgerOf(q).days(since, task, {
    limit: limit + 1,
    after: day === '' ? undefined : { day, task: after },
  })
  const last = days[limit - 1]
  return {
    items: days.slice(0, limit),
    next: days.length > limit && last ? `${last.day} ${last.task}` : undefined,
  }
}

/** Reads of the ledger. */
export const EXECUTION_READS: readonly Read[] = [
  {
    path: '/current',
    doc: 'Executions that run now.',
    query: [],
    kind: 'list',
    read: async (q) => all(await ledgerOf(q).current()),
  },
  {
    path: '/executions',
    doc: 'Executions, the newest first.',
    query: FILTERS,
    kind: 'list',
    read: (q) => ledgerOf(q).executions(executionQuery(q.query, 100)),
  },
  {
    path: '/executions/{id}',
    doc: 'One execution by its number or run id, with subtasks, events and failed runs.',
    query: [],
    kind: 'object',
    read: async (q) =>
      found(
        await ledgerOf(q).execution(q.path['id'] ?? ''),
        `the ledger has no execution "${(q.path['id'] ?? '').slice(0, 40)}"`,
      ),
  },
  {
    path: '/executions/{id}/subtasks',
    doc: 'Its subtasks.',
    query: [],
    kind: 'list',
    read: async (q) => all(found(await ledgerOf(q).execution(q.path['id'] ?? ''), 'no such execution').parts),
  },
  {
    path: '/executions/{id}/events',
    doc: 'What happened to it, the newest first.',
    query: [],
    kind: 'list',
    read: async (q) =>
      all(found(await ledgerOf(q).execution(q.path['id'] ?? ''), 'no such execution').events),
  },
  {
    path: '/executions/{id}/metrics',
    doc: 'CPU, memory, input and output of its process, the oldest first.',
    query: [],
    kind: 'list',
    read: async (q) =>
      all(
        await ledgerOf(q).metrics(
          found(await ledgerOf(q).execution(q.path['id'] ?? ''), 'no such execution').id,
        ),
      ),
  },
  {
    path: '/executions/{id}/log',
    doc: 'The end of its log file, where it lies on this host under a folder of serve.log_roots.',
    query: [{ name: 'tail', doc: 'lines, 1 to 1000 (50)', integer: true }],
    kind: 'object',
    read: async (q) => {
      const execution = found(await ledgerOf(q).execution(q.path['id'] ?? ''), 'no such execution')
      return tailLog(execution, q.sources, numberIn(q.query, 'tail', 1, 1000, 50))
    },
  },
  {
    path: '/executions/{id}/log.txt',
    doc: 'Its whole log file as text, under the same rules; secrets are masked.',
    query: [],
    kind: 'text',
    read: async (q) => {
      const execution = found(await ledgerOf(q).execution(q.path['id'] ?? ''), 'no such execution')
      const log = await wholeLog(execution, q.sources)
      if (typeof log === 'string') throw new Problem(404, 'NOT_FOUND', `the log is not shown: ${log}`)
      return log
    },
  },
  {
    path: '/compare',
    doc: 'Two executions side by side: time, items, memory and each subtask. `change` is how much more the first has, as a share of the second.',
    query: [
      { name: 'a', doc: 'an execution, by number or run id' },
      { name: 'b', doc: 'the other one' },
    ],
    kind: 'list',
    read: async (q) => {
      const ledger = ledgerOf(q)
      const [a, b] = await Promise.all(
        ['a', 'b'].map(async (name) => {
          const execution = found(await ledger.execution(q.query.get(name) ?? ''), `no execution "${name}"`)
          return { execution, metrics: await ledger.metrics(execution.id) }
        }),
      )
      return all(a && b ? compare(a, b, q.now) : [])
    },
  },
  {
    path: '/tasks',
    doc: 'Tasks with their newest 30 executions.',
    query: [],
    kind: 'list',
    read: async (q) => all(await ledgerOf(q).tasks()),
  },
  {
    path: '/late',
    doc: 'Registered tasks that have not started although their schedule and grace have passed.',
    query: [],
    kind: 'list',
    read: async (q) => all((await ledgerOf(q).late?.()) ?? []),
  },
  {
    path: '/stages',
    doc: 'Stages and how many tasks each has.',
    query: [],
    kind: 'list',
    read: async (q) => {
      const tasks = await ledgerOf(q).tasks()
      const stages = [...new Set(tasks.map(({ stage }) => stage))].sort()
      return all(
        stages.map((stage) => ({ stage, tasks: tasks.filter((task) => task.stage === stage).length })),
      )
    },
  },
  {
    path: '/stats',
    doc: 'Days of all tasks, the oldest first.',
    query: [DAYS, ...PART],
    kind: 'list',
    read: (q) => daysOf(q),
  },
  {
    path: '/stats/{task}',
    doc: 'Days of one task, the oldest first.',
    query: [DAYS, ...PART],
    kind: 'list',
    read: (q) => daysOf(q, q.path['task']),
  },
  {
    path: '/stats/{task}/subtasks',
    doc: 'How long each subtask of a task takes: medians of its newest 20 good executions, and of the 20 before.',
    query: [],
    kind: 'list',
    read: async (q) => all((await ledgerOf(q).steps?.(q.path['task'] ?? '')) ?? []),
  },
  {
    path: '/failures',
    doc: 'Failed attempts of runs, grouped by code and class of message, the largest group first.',
    query: [
      { name: 'days', doc: 'days back, 1 to 400 (14)', integer: true },
      { name: 'stage', doc: 'a stage' },
      { name: 'q', doc: 'text in code or message' },
    ],
    kind: 'list',
    read: async (q) => {
      const found = await ledgerOf(q).failures(q.now - numberIn(q.query, 'days', 1, 400, 14) * DAY, 5000)
      const attempts = failuresWith(found, q.query.get('stage') ?? '', q.query.get('q') ?? '')
      return all(failureGroups(attempts, q.now).map((group) => ({ ...group, runs: group.runs.toString() })))
    },
  },
]
