import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { readOperation } from '../../../src/tracking/client/operations.ts'
import { TrackedExecution } from '../../../src/tracking/client/tracked-execution.ts'
import { trackedRows } from '../../../src/tracking/client/tracked-rows.ts'
import { redact } from '../../../src/common/redact.ts'

const RUN = '0f0e0d0c-0b0a-4908-8706-050403020100'

/** An execution after these operations, one a second. */
const after = (init: object, ...operations: object[]): TrackedExecution => {
  const execution = new TrackedExecution(RUN, { op: 'init', task_name: 'DAILY_01', ...init }, 0)
  operations.forEach((value, at) => {
    const { operation } = readOperation(value)
    if (!operation) throw new Error('not an operation')
    execution.apply(operation, (at + 1) * 1000)
  })
  return execution
}

const rowOf = (execution: TrackedExecution): Record<string, unknown> =>
  trackedRows(execution, { revision: 1, now: 99_000, redact })[0]!.cells
const stepsOf = (execution: TrackedExecution): Record<string, unknown>[] =>
  trackedRows(execution, { revision: 1, now: 99_000, redact })
    .slice(1)
    .map(({ cells }) => cells)

const enter = (message: string): object => ({ op: 'enter', message })
const exit = { op: 'exit' }

describe('an execution that was only begun', () => {
  it('is STARTED, at step 0, without a share', () =>
    expect(rowOf(after({ total_subtasks: 4 }))).toMatchObject({
      execution_status: 'STARTED',
      total_subtasks: 4,
      current_subtask: 0,
      overall_percent_complete: 0,
      subtask_name: null,
      execution_end: null,
    }))
  it('is RUNNING with the first report', () =>
    expect(rowOf(after({}, { op: 'status' }))['execution_status']).toBe('RUNNING'))
})

describe('an execution that waits', () => {
  const waits = { op: 'status', sub_state: 'blocked', subtask_message: 'for DAILY_00' }
  it('says so, and why, until it reports anything but a message', () => {
    expect(rowOf(after({}, enter('a'), waits))).toMatchObject({
      ...{ execution_status: 'RUNNING', sub_state: 'BLOCKED', subtask_progress_message: 'for DAILY_00' },
    })
    expect(rowOf(after({}, waits, { op: 'message', message: 'still' }))['sub_state']).toBe('BLOCKED')
    expect(rowOf(after({}, waits, { op: 'heartbeat' }))['sub_state']).toBe('BLOCKED')
    for (const next of [
      enter('b'),
      { op: 'progress', items_complete: 1 },
      { op: 'status' },
      { op: 'finish' },
    ])
      expect(rowOf(after({}, waits, next))['sub_state']).toBeNull()
  })
  it('is BLOCKED while its step is queued behind another', () => {
    const queued = { op: 'status', current_subtask: 2, subtask_name: 'b', subtask_status: 'NOT_STARTED' }
    expect(rowOf(after({}, queued))).toMatchObject({ sub_state: 'BLOCKED', subtask_status: 'NOT_STARTED' })
    expect(rowOf(after({}, queued, { op: 'status', subtask_status: 'RUNNING' }))['sub_state']).toBeNull()
  })
  it('is told of a word that is none', () =>
    expect(readOperation({ op: 'status', sub_state: 'LAZY' }).problems).toEqual([
      '"sub_state": "LAZY" must be one of THROTTLED, BLOCKED, PAUSED',
    ]))
})

describe('a reporter', () => {
  it('that announces no signs of life is not missed when it sends none', () => {
    expect(rowOf(after({}, enter('a')))).toMatchObject({ heartbeat_at: null, heartbeat_seconds: null })
  })
  it('that announces them has them in its row', () =>
    expect(rowOf(after({ heartbeat_seconds: 60 }, { op: 'heartbeat' }))).toMatchObject({
      ...{ heartbeat_at: '1970-01-01 00:00:01.000', heartbeat_seconds: 60 },
    }))
})

describe('steps', () => {
  it('count as done when they end, not when they begin', () =>
    expect(rowOf(after({ total_subtasks: 4 }, enter('a'), exit, enter('b')))).toMatchObject({
      current_subtask: 2,
      subtask_name: 'b',
      subtask_status: 'RUNNING',
      overall_percent_complete: 25,
      overall_progress_message: 'Task 2 of 4: b',
    }))
  it('add the part of the current one', () =>
    expect(
      after({ total_subtasks: 4 }, enter('a'), exit, enter('b'), {
        op: 'progress',
        items_complete: 1,
        items_total: 2,
      }).overall,
    ).toBe(37.5))
  it('that nest end from the inside', () => {
    const steps = stepsOf(after({}, enter('outer'), enter('inner'), exit, exit))
    expect(steps.map(({ name, state, depth, parent_seq }) => [name, state, depth, parent_seq])).toEqual([
      ['outer', 'done', 0, null],
      ['inner', 'done', 1, 1],
    ])
    expect(steps[0]!['ended_at']).not.toBe(steps[1]!['ended_at'])
  })
  it('more than announced raise the total', () =>
    expect(rowOf(after({ total_subtasks: 2 }, enter('a'), exit, enter('b'), exit, enter('c')))).toMatchObject(
      { total_subtasks: 3, current_subtask: 3, overall_percent_complete: 66.67 },
    ))
  it('begin without the message and items of the one before', () =>
    expect(
      rowOf(
        after(
          {},
          enter('a'),
          { op: 'progress', items_complete: 5, items_total: 9, message: 'x' },
          exit,
          enter('b'),
        ),
      ),
    ).toMatchObject({
      subtask_items_total: null,
      subtask_items_complete: null,
      subtask_progress_message: null,
      subtask_percent_complete: null,
    }))
  it('an exit too many changes nothing', () =>
    expect(
      rowOf(after({ total_subtasks: 2 }, enter('a'), exit, exit, exit))['overall_percent_complete'],
    ).toBe(50))
  it('are open no longer when the execution ends: completed, or failed with it', () => {
    expect(stepsOf(after({}, enter('a'), { op: 'finish' }))[0]).toMatchObject({ state: 'done' })
    expect(stepsOf(after({}, enter('a'), { op: 'error', message: 'no' }))[0]).toMatchObject({
      state: 'failed',
    })
  })
})

describe('null', () => {
  it('clears, and what is left out stays', () => {
    const progress = { op: 'progress', items_complete: 3, items_total: 4, message: 'three' }
    expect(rowOf(after({}, enter('a'), progress, { op: 'status', subtask_message: null }))).toMatchObject({
      subtask_progress_message: null,
      subtask_items_complete: 3,
    })
  })
})

describe('an explicit share', () => {
  it('of the step wins over its items', () =>
    expect(
      rowOf(
        after(
          {},
          {
            op: 'status',
            subtask_name: 'a',
            subtask_percent: 80,
            subtask_items_complete: 1,
            subtask_items_total: 10,
          },
        ),
      )['subtask_percent_complete'],
    ).toBe(80))
  it('of the whole wins until the next step', () => {
    const override = { op: 'status', overall_percent: 77 }
    expect(after({ total_subtasks: 4 }, enter('a'), override).overall).toBe(77)
    expect(after({ total_subtasks: 4 }, enter('a'), override, exit, enter('b')).overall).toBe(25)
  })
})

describe('track_status with numbers of its own', () => {
  it('counts the steps before the current one as done', () =>
    expect(
      rowOf(after({ total_subtasks: 56 }, { op: 'status', current_subtask: 15, subtask_name: 'Delaware' })),
    ).toMatchObject({ current_subtask: 15, subtask_name: 'Delaware', overall_percent_complete: 25 }))
  it('takes another name for the next step', () => {
    const execution = after({}, { op: 'status', subtask_name: 'a' }, { op: 'status', subtask_name: 'b' })
    expect(stepsOf(execution).map(({ name, state }) => [name, state])).toEqual([
      ['a', 'done'],
      ['b', 'running'],
    ])
  })
})

describe('the end', () => {
  it.each([
    { by: { op: 'error', message: 'no' }, share: 68.75 },
    { by: { op: 'cancel', signal: 'SIGTERM' }, share: 68.75 },
    { by: { op: 'status', status: 'FAILED' }, share: 68.75 },
    { by: { op: 'finish' }, share: 100 },
  ])('by $by.op within the last step leaves the share at $share', ({ by, share }) => {
    const part = { op: 'progress', items_complete: 3, items_total: 8 }
    const execution = after({ total_subtasks: 2 }, enter('a'), exit, enter('b'), part, by)
    expect(rowOf(execution)['overall_percent_complete']).toBe(share)
  })
  it('of a failed execution has no share where nobody knows how many steps there are', () =>
    expect(
      rowOf(after({}, enter('a'), { op: 'error', message: 'no' }))['overall_percent_complete'],
    ).toBeNull())
  it.each([
    { by: { op: 'finish', message: 'all well' }, status: 'FINISHED', reason: 'ok', share: 100 },
    { by: { op: 'finish', failed: 2 }, status: 'FINISHED', reason: 'partial', share: 0 },
    { by: { op: 'error', message: 'broken' }, status: 'FAILED', reason: 'error', share: 0 },
    { by: { op: 'cancel', signal: 'SIGTERM' }, status: 'CANCELLED', reason: 'signal', share: 0 },
    { by: { op: 'cancel' }, status: 'CANCELLED', reason: 'user', share: 0 },
    {
      by: { op: 'error', message: 'gone', reason: 'terminated' },
      status: 'FAILED',
      reason: 'terminated',
      share: 0,
    },
    { by: { op: 'status', status: 'FINISHED' }, status: 'FINISHED', reason: 'ok', share: 100 },
    { by: { op: 'status', status: 'CANCELLED' }, status: 'CANCELLED', reason: 'user', share: 0 },
  ])('by $by.op is $status ($reason), with its time, and stays', ({ by, status, reason, share }) => {
    const execution = after({ total_subtasks: 2 }, by, { op: 'finish' }, { op: 'error', message: 'late' })
    expect(rowOf(execution)).toMatchObject({
      execution_status: status,
      end_reason: reason,
      execution_end: '1970-01-01 00:00:01.000',
      overall_percent_complete: share,
    })
  })
})

describe('an operation from outside', () => {
  it('may use the old names, which are named once each', () => {
    const read = readOperation({
      op: 'status',
      current_task: 2,
      task_name: 'x',
      task_items_total: '56',
      task_percent: 12.5,
    })
    expect(read.operation).toEqual({
      op: 'status',
      current_subtask: 2,
      subtask_name: 'x',
      subtask_items_total: 56,
      subtask_percent: 12.5,
    })
    expect(read.old).toHaveLength(4)
    expect(
      readOperation({ op: 'init', script_name: 'a.R', total_tasks: 3, category: 'DAILY' }).operation,
    ).toEqual({
      op: 'init',
      task_name: 'a.R',
      total_subtasks: 3,
      stage: 'DAILY',
    })
  })
  it.each([
    { op: 'progress', items_complete: -1 },
    { op: 'progress', items_complete: 'many' },
    { op: 'status', status: 'DONE' },
    { op: 'status', colour: 'red' },
    { op: 'progress', items_total: NaN },
  ])('loses only the field that is wrong: %j', (value) => {
    const { operation, problems } = readOperation(value)
    expect(problems).toHaveLength(1)
    expect(Object.keys(operation!)).toEqual(['op'])
  })
  it.each([null, 7, [], {}, { op: 'drop' }, 'x'])('is refused whole where it is none: %j', (value) => {
    expect(readOperation(value)).toMatchObject({ operation: undefined })
  })
})

describe('secrets and odd characters', () => {
  it('never reach a row', () => {
    const execution = after(
      { environment: { API_TOKEN: 'abcdef', R_LIBS: '/x' } },
      enter('connect to postgres://me:hunter22@db/x'),
      { op: 'error', message: 'bad\u001b[31m', detail: 'line 1\npassword=hunter22' },
    )
    const text = JSON.stringify(trackedRows(execution, { revision: 1, now: 0, redact }))
    expect(text).not.toContain('hunter22')
    expect(text).not.toContain('abcdef')
    expect(rowOf(execution)['error_message']).toBe('bad\\x1b[31m')
    expect(rowOf(execution)['error_detail']).toContain('line 1\npassword=[secret]')
  })
  it('are read as texts of variables, which may be lists and more', () => {
    const environment = {
      n: 7,
      off: null,
      list: ['a', { b: 1 }],
      made: { session_cookie: 'abcdef', at: '/x' },
    }
    const row = rowOf(after({ environment }))
    expect(JSON.parse(String(row['environment']))).toEqual({
      ...{ n: '7', off: 'null', list: '["a",{"b":1}]' },
      made: '{"session_cookie":"[secret]","at":"/x"}',
    })
  })
})

describe('whatever is reported', () => {
  const operation = fc.oneof(
    fc.record({ op: fc.constant('enter'), message: fc.string() }),
    fc.record({ op: fc.constant('exit') }),
    fc.record({ op: fc.constant('message'), message: fc.option(fc.string()) }),
    fc.record({ op: fc.constant('progress'), items_complete: fc.nat(), items_total: fc.option(fc.nat()) }),
    fc.record({ op: fc.constant('add'), items: fc.integer({ min: 0, max: 100 }) }),
    fc.record({
      op: fc.constant('status'),
      current_subtask: fc.option(fc.nat(200), { nil: undefined }),
      subtask_name: fc.option(fc.string(), { nil: undefined }),
      subtask_status: fc.option(fc.constantFrom('NOT_STARTED', 'RUNNING', 'COMPLETED', 'FAILED'), {
        nil: undefined,
      }),
      overall_percent: fc.option(fc.double(), { nil: undefined }),
    }),
  )
  it('shares stay within 0 and 100, and the current step within the total', () => {
    fc.assert(
      fc.property(fc.option(fc.nat(50)), fc.array(operation, { maxLength: 30 }), (total, operations) => {
        const row = rowOf(after({ total_subtasks: total }, ...operations))
        for (const name of ['overall_percent_complete', 'subtask_percent_complete']) {
          const share = row[name] as number | null
          if (share !== null && !(share >= 0 && share <= 100)) return false
        }
        return total === null || Number(row['current_subtask']) <= Number(row['total_subtasks'])
      }),
    )
  })
})
