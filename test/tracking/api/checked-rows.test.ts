import { describe, expect, it } from 'vitest'
import { checkedRows } from '../../../src/tracking/api/checked-rows.ts'

const plain = {
  run_id: '00000000-0000-4000-8000-000000000001',
  task_name: 'x',
  hostname: 'h',
  process_id: 1,
  execution_start: '2026-11-29 10:00:00.000',
  last_update: '2026-11-29 10:00:00.000',
  execution_status: 'RUNNING',
  revision: 1,
}
const checked = (more: object) =>
  checkedRows({ rows: [{ t: 'executions', c: { ...plain, ...more } }] }, (text) => text)

describe('a row that a client sends', () => {
  it.each([
    [{ total_subtasks: 2 ** 31 }],
    [{ cpu_percent: 999_999.999 }],
    [{ overall_percent_complete: 1e9 }],
    [{ exit_code: 2 ** 40 }],
    [{ subtask_items_total: 2 ** 53 }],
    [{ execution_end: '2026-02-30 10:00:00' }],
    [{ execution_end: '2026-11-29 25:00:00' }],
    [{ execution_status: 'BLA' }],
    [{ subtask_status: 'DONE' }],
    [{ execution_status: 5 }],
  ])('is refused with the name of what no database takes: %j', (more) => {
    const { rows, refused } = checked(more)
    expect(rows).toEqual([])
    expect(refused.map(({ why }) => why).join()).toContain(`"${Object.keys(more).join()}" must be`)
  })
  it('is taken at the ends of its ranges', () => {
    const ends = { total_subtasks: 2 ** 31 - 1, cpu_percent: 999_999.99, exit_code: 1 - 2 ** 31 }
    expect(checked({ ...ends, execution_end: '2028-02-29T23:59:59.999999Z' }).refused).toEqual([])
  })
})
