import { describe, expect, it } from 'vitest'
import { RunSet } from '../../src/common/run-set.ts'
import { type FailureGroup, retryCommand } from '../../src/web/failure-groups.ts'
import type { ExecutionLine, RunsSnapshot, TaskLine } from '../../src/web/model.ts'
import { todoList } from '../../src/web/todo.ts'

const NOW = Date.UTC(2026, 10, 28, 12)
const taskOf = (task: string, stage: string, more: Partial<ExecutionLine>): TaskLine => ({
  task,
  stage,
  newest: [{ id: 7, task, stage, startedAt: NOW - 9000, endedAt: NOW, failed: 2, ...more } as ExecutionLine],
  p50: undefined,
  p95: undefined,
})
const listOf = (tasks: readonly TaskLine[], groups: readonly FailureGroup[] = []) =>
  todoList({ now: NOW, config: 'c.yaml', current: [], tasks, groups, snapshot: undefined })

describe('what needs a person', () => {
  it('has the items of records and the rows that were left, each with its command', () => {
    const left = listOf([
      taskOf('records:batches', 'ARCHIVE', { standing: 'partial' }),
      taskOf('rows', 'ARCHIVE', { standing: 'partial', error: '1 conflict' }),
    ])
    expect(left).toMatchObject([
      {
        title: 'records:batches ended with failed items',
        text: '2 items failed.',
        href: '/records',
        command: 'run-archiver records retry batches --config c.yaml',
      },
      { text: '1 conflict', href: '/rows', command: 'run-archiver rows conflicts --config c.yaml' },
    ])
  })

  it('has a task of a pipeline that was partly done, which leads to its execution', () => {
    expect(listOf([taskOf('DAILY_01', 'DAILY', { standing: 'partial' })])).toMatchObject([
      { href: '/executions/7', command: undefined },
    ])
  })

  it('has the runs of a pass once, by their cause', () => {
    const group = { code: 'DISK_FULL', stage: 'import', message: 'full', count: 1, runs: RunSet.of([5]) }
    const list = listOf([taskOf('full', 'ARCHIVE', { standing: 'partial' })], [group as FailureGroup])
    expect(list.map(({ command }) => command)).toEqual(['run-archiver c.yaml --retry-failed-import --runs 5'])
  })

  it('has failed runs of which the ledger knows nothing', () => {
    const failed = (runs: readonly number[]) => ({
      known: true,
      value: { contiguous: 1, attempted: 9, failed: RunSet.of(runs) },
    })
    const snapshot = { import: failed([5, 7]), migrate: failed([]), unreadable: [], advice: [] }
    const group = { code: 'DISK_FULL', stage: 'import', message: 'full', count: 1, runs: RunSet.of([5]) }
    const list = todoList({
      ...{ now: NOW, config: 'c.yaml', current: [], tasks: [] },
      groups: [group as FailureGroup],
      snapshot: snapshot as unknown as RunsSnapshot,
    })
    expect(list.map(({ title }) => title)).toEqual(['1 run failed: DISK_FULL', '1 run failed at import'])
  })

  it('has nothing of a task that ended well since', () => {
    expect(listOf([taskOf('records:batches', 'ARCHIVE', { standing: 'ok' })])).toEqual([])
  })
})

describe('the command that tries again', () => {
  it.each([
    ['migrate', 'run-archiver c.yaml --retry-failed-migrate'],
    ['records:batches', 'run-archiver records retry batches --config c.yaml'],
    ['DAILY_02', undefined],
  ])('of %s is %s', (stage, command) => expect(retryCommand(stage, 'c.yaml')).toBe(command))

  it('counts only ends, and only bad ones, that follow each other', () => {
    const ends = (...standings: readonly ExecutionLine['standing'][]): TaskLine => {
      const { newest, ...task } = taskOf('DAILY_01', 'DAILY', {})
      const [one] = newest
      const line = (standing: ExecutionLine['standing']) =>
        ({ ...one, standing, endedAt: standing === 'running' ? undefined : NOW }) as ExecutionLine
      return { ...task, newest: standings.map(line) }
    }
    const text = (task: TaskLine) => listOf([task])[0]?.text
    expect(text(ends('running', 'failed', 'ok'))).toBe('No message was left.')
    expect(text(ends('failed', 'skipped', 'failed', 'ok'))).toBe('No message was left.')
    expect(text(ends('running', 'failed', 'killed', 'ok'))).toBe('No message was left. 2 times in a row.')
  })

  it('counts damaged runs and causes that it does not list', () => {
    const known = { known: true, value: { contiguous: 1, attempted: 9, failed: RunSet.EMPTY } }
    const damaged = new Map([1, 2, 3, 4, 5, 6, 7].map((run) => [run, 'one byte differs']))
    const snapshot = { import: known, migrate: known, unreadable: [], advice: [], proof: { damaged } }
    const groups = ['A', 'B', 'C', 'D', 'E', 'F', 'G'].map((code, at) => ({
      ...{ code, stage: 'import', message: 'm', count: 2 },
      runs: RunSet.of([at * 2 + 10, at * 2 + 11]),
    }))
    const list = todoList({
      ...{ now: NOW, config: 'c.yaml', current: [], tasks: [] },
      groups: groups as unknown as readonly FailureGroup[],
      snapshot: snapshot as unknown as RunsSnapshot,
    })
    expect(list.map(({ title }) => title)).toContain('2 more runs are damaged')
    expect(list.find(({ title }) => title === '2 more causes of failures')?.text).toBe(
      '4 runs failed for them.',
    )
  })

  it('does not say that the ledger holds no attempt where it holds more than were read', () => {
    const failed = { known: true, value: { contiguous: 1, attempted: 9, failed: RunSet.of([5]) } }
    const none = { known: true, value: { contiguous: 1, attempted: 9, failed: RunSet.EMPTY } }
    const snapshot = { import: failed, migrate: none, unreadable: [], advice: [] }
    const [one] = todoList({
      ...{ now: NOW, config: 'c.yaml', current: [], tasks: [], groups: [], attemptsCut: 2000 },
      snapshot: snapshot as unknown as RunsSnapshot,
    })
    expect(one?.text).toMatch(/^The newest 2\u00a0000 failed attempts have none of them/)
  })
})
