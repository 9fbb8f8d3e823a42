import { all, found, ledgerOf, Problem, type Read } from './question.ts'

const configured = async <T>(read: (() => Promise<T>) | undefined, what: string): Promise<T> => {
  if (read) return read()
  throw new Problem(404, 'NOT_FOUND', `no ${what} is configured`)
}

const ROWS_DOCS = {
  processes: 'Runs of `rows`, the newest first.',
  files: 'Files of the newest run of `rows`.',
  batches: 'Batches of the newest run of `rows` in the last three hours: ids, lag, history list, pauses.',
  conflicts: 'Conflicts of rows that are open, the newest hundred.',
} as const

/** Reads of the parts beside the runs and the executions: each is the list that its page shows. */
export const PART_READS: readonly Read[] = [
  {
    path: '/alerts',
    doc: 'What fires now by every rule.',
    query: [],
    kind: 'list',
    read: async ({ sources }) => all((await configured(sources.alerts, 'ledger')).firing),
  },
  {
    path: '/alerts/rules',
    doc: 'Every rule: its threshold, whether it fires, and how often it began in 30 days.',
    query: [],
    kind: 'list',
    read: async ({ sources }) => all((await configured(sources.alerts, 'ledger')).rules),
  },
  {
    path: '/alerts/sent',
    doc: 'The newest 20 messages that a channel took.',
    query: [],
    kind: 'list',
    read: async ({ sources }) => all((await configured(sources.alerts, 'ledger')).sent),
  },
  {
    path: '/actions',
    doc: 'What persons did on the page, the newest fifty.',
    query: [],
    kind: 'list',
    read: async (q) => all((await ledgerOf(q).actions?.()) ?? []),
  },
  {
    path: '/graph',
    doc: 'Registered tasks that depend on each other: state, median, predicted end, slack, critical path.',
    query: [{ name: 'pipeline', doc: 'a stage; left out: all' }],
    kind: 'list',
    read: async (q) => {
      const graph = await ledgerOf(q).graph?.(q.query.get('pipeline') || undefined)
      if (graph) {
        const { tasks, ...rest } = graph
        return { items: tasks, ...rest }
      }
      throw new Problem(404, 'NOT_FOUND', 'this ledger has no graph')
    },
  },
  ...(['processes', 'files', 'batches', 'conflicts'] as const).map((part): Read => ({
    path: part === 'batches' ? '/rows/lag' : `/rows/${part}`,
    doc: ROWS_DOCS[part],
    query: [],
    kind: 'list',
    read: async ({ sources }) =>
      all<unknown>((await configured(sources.rows, 'table of rows'))?.[part] ?? []),
  })),
  {
    path: '/records',
    doc: 'Tasks of records: items by status and code, rows by table.',
    query: [],
    kind: 'list',
    read: async ({ sources }) =>
      all(
        ((await configured(sources.records, 'task of records')) ?? []).map(
          ({ failed: _failed, ...task }) => task,
        ),
      ),
  },
  {
    path: '/records/{task}/failed',
    doc: 'Items of a task that failed, at most 100.',
    query: [],
    kind: 'list',
    read: async ({ sources, path }) => {
      const tasks = (await configured(sources.records, 'task of records')) ?? []
      return all(
        found(
          tasks.find(({ task }) => task === path['task']),
          'there is no such task',
        ).failed,
      )
    },
  },
  {
    path: '/instances',
    doc: 'Processes that work on the queue, with what each holds since when.',
    query: [],
    kind: 'list',
    read: async ({ sources }) => all((await configured(sources.backlog, 'queue')).instances),
  },
  {
    path: '/claims',
    doc: 'Items of the queue that are claimed now, by the instance that holds them; at most 1000.',
    query: [],
    kind: 'list',
    read: async ({ sources }) =>
      all(
        (await configured(sources.backlog, 'queue')).instances.flatMap(({ id, holding }) =>
          holding.map((item) => ({ ...item, instance: id })),
        ),
      ),
  },
]
