import { Bar } from '../components/bars.tsx'
import { Cmd, Empty, Exports, Panel } from '../components/parts.tsx'
import type { RecordsTask } from '../models/records.ts'
import { count, plural, share } from '../text.ts'
import type { Ask, View } from '../view.ts'

const nothing = (say: string, what: string, command: string | undefined, live: boolean): View => ({
  key: 'records',
  title: 'Records',
  say,
  blocks: [
    {
      id: 'b-none',
      body: (
        <Panel id="none">
          <Empty what={what} sub="docs/RECORDS.md has a tutorial.">
            {command !== undefined && <Cmd c={command} />}
          </Empty>
        </Panel>
      ),
    },
  ],
  live,
})

/** `/records`: which payloads are in tables, and which failed? As `processing_log` says. */
export const recordsPage = async ({ sources }: Ask): Promise<View> => {
  const config = sources.runs?.config ?? 'config.yaml'
  if (!sources.records)
    return nothing('No task of records is configured.', 'records.tasks has no task.', undefined, false)
  const tasks = await sources.records()
  if (!tasks)
    return nothing(
      'No payload was stored yet.',
      'There is no processing_log: no task has run.',
      `run-archiver records run TASK --config ${config}`,
      true,
    )
  return {
    key: 'records',
    title: 'Records',
    say: sentence(tasks),
    blocks: [
      {
        id: 'b-tasks',
        body: (
          <Panel title="Tasks" id="tasks" aside={<Exports api="/api/v1/records" />}>
            <Tasks tasks={tasks} />
          </Panel>
        ),
      },
      ...tasks
        .filter(({ failed }) => failed.length > 0)
        .map((task, at) => ({ id: `b-failed-${at}`, body: <Failed task={task} at={at} config={config} /> })),
    ],
    live: true,
  }
}

const stored = ({ statuses }: RecordsTask): number => statuses['success'] ?? 0
const failed = ({ statuses }: RecordsTask): number => statuses['failed'] ?? 0

const sentence = (tasks: readonly RecordsTask[]) => {
  const good = tasks.reduce((sum, task) => sum + stored(task), 0)
  const bad = tasks.reduce((sum, task) => sum + failed(task), 0)
  return (
    <>
      <b>{plural(good, 'item is', 'items are')} stored</b> by {plural(tasks.length, 'task')}.{' '}
      {bad === 0 ? 'None failed.' : <b>{count(bad)} failed.</b>}
    </>
  )
}

const Tasks = ({ tasks }: { tasks: readonly RecordsTask[] }) => (
  <table class="tb">
    <thead>
      <tr>
        <th>Task</th>
        <th class="r">Stored</th>
        <th class="r">Failed</th>
        <th class="w opt">Share that is stored</th>
        <th class="opt">Rows by table</th>
        <th class="r opt">Rows written</th>
        <th class="opt">Last item, UTC</th>
      </tr>
    </thead>
    <tbody>
      {tasks.map((task) => {
        const [good, bad] = [stored(task), failed(task)]
        const all = good + bad
        return (
          <tr>
            <th scope="row" title={task.mapping}>
              {task.task}
            </th>
            <td class="r num">{count(good)}</td>
            <td class={`r num${bad > 0 ? ' bad' : ' zero'}`}>{count(bad)}</td>
            <td class="w opt">
              <span class="bv">
                <Bar
                  value={all === 0 ? undefined : (good / all) * 100}
                  label={`${task.task}: ${share(good, all)} % stored`}
                  kind="done"
                />
                <span class="num sub">{share(good, all)} %</span>
              </span>
            </td>
            <td class="opt sub">
              {Object.entries(task.tables)
                .map(([table, rows]) => `${table} ${count(rows)}`)
                .join(', ') || '–'}
            </td>
            <td class="r num opt">{count(task.rowsWritten)}</td>
            <td class="opt num nw">{task.last?.slice(0, 19).replace('T', ' ') ?? '–'}</td>
          </tr>
        )
      })}
    </tbody>
  </table>
)

const Failed = ({ task, at, config }: { task: RecordsTask; at: number; config: string }) => (
  <Panel
    title={`Failed items of ${task.task}`}
    id={`failed-${at}`}
    sub={`${Object.entries(task.codes)
      .map(([code, items]) => `${code}: ${count(items)}`)
      .join(
        ', ',
      )}${failed(task) > task.failed.length ? `; the first ${count(task.failed.length)} are listed` : ''}`}
    aside={<Exports api={`/api/v1/records/${encodeURIComponent(task.task)}/failed`} />}
  >
    <div class="scroll">
      <table class="tb">
        <thead>
          <tr>
            <th>Item</th>
            <th>Code</th>
            <th class="opt">Why</th>
            <th class="r opt">Tried again</th>
          </tr>
        </thead>
        <tbody>
          {task.failed.map(({ key, code, reason, retries }) => (
            <tr>
              <th scope="row" class="num">
                {key}
              </th>
              <td>
                <code>{code}</code>
              </td>
              <td class="opt clip" title={reason}>
                {reason}
              </td>
              <td class="r num opt">{count(retries)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
    <p class="sub">Mend the payloads or the mapping, then try these again:</p>
    <Cmd c={`run-archiver records retry ${task.task} --config ${config}`} />
  </Panel>
)
