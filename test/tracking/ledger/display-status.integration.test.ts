import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { timeText } from '../../../src/sql/timestamps.ts'
import { lateTasks } from '../../../src/tracking/alerts/gather-facts.ts'
import { currentExecutions } from '../../../src/tracking/api/execution-reads.ts'
import { taskLines, taskNames } from '../../../src/tracking/api/task-reads.ts'
import { displayStatus } from '../../../src/tracking/graph/outlook.ts'
import { closeOpen } from '../../../src/tracking/ledger/close-dead.ts'
import { writeLedger } from '../../../src/tracking/ledger/ledger-database.ts'
import { tables } from '../../../src/tracking/ledger/ledger-tables.ts'
import { migrateLedger } from '../../../src/tracking/ledger/migrate-ledger.ts'
import { registerTask } from '../../../src/tracking/ledger/registered-tasks.ts'
import type { Cell, Row } from '../../../src/tracking/ledger/row.ts'
import type { LedgerDatabase } from '../../../src/tracking/ledger/schema-types.ts'
import { qualified } from '../../../src/tracking/ledger/tables.ts'
import { randomFrom, seed as seedOf } from '../../crash/random.ts'
import { engines, freshPlace, type Place } from './engines.ts'

const S = 1000
const MINUTE = 60 * S
const idOf = (number: number): string => `c0000000-0000-4000-8000-${String(number).padStart(12, '0')}`
const seed = seedOf()
const situations = Number(process.env['ARCHIVER_SITUATIONS'] ?? 400)

describe.each(await engines())('the one word of a task on %s', (dialect) => {
  let place: Place
  let database: LedgerDatabase
  let number = 0
  beforeAll(async () => {
    place = await freshPlace(dialect)
    const first = await place.open()
    await migrateLedger(first, { now: Date.now, by: 'test' })
    await first.close()
  })
  afterAll(() => place.drop())
  // Empty, and opened anew, for an open database remembers which tasks it has seen. One of its own would be made and dropped sixty times.
  beforeEach(async () => {
    database = await place.open()
    for (const table of ['executions', 'tasks'] as const) await tables(database).deleteFrom(table).execute()
  })
  afterEach(() => database.close())

  /** An execution that began so many milliseconds ago; times in `more` are milliseconds ago, too. */
  const execution = (task: string, ago: number, status: string, more: Record<string, Cell> = {}): Row => {
    const now = Date.now()
    const at = (value: Cell | undefined): Cell => (typeof value === 'number' ? timeText(now - value) : null)
    const { heartbeat = null, progress = null, update = ago, ...cells } = more
    return {
      table: 'executions',
      transient: false,
      cells: {
        ...{ run_id: idOf(++number), task_name: task, hostname: 'h', process_id: 1, revision: 1 },
        ...{ execution_start: at(ago), last_update: at(update), heartbeat_at: at(heartbeat) },
        ...{ progress_at: at(progress), execution_status: status, ...cells },
        execution_end: ['STARTED', 'RUNNING'].includes(status) ? null : at(update),
      },
    }
  }
  const write = (rows: readonly Row[]): Promise<void> =>
    writeLedger(database, rows, (_row, error) => {
      throw error
    })
  const byView = async (): Promise<Map<string, string>> => {
    const { rows } = await sql<{ task_name: string; display_status: string }>`
      SELECT task_name, display_status FROM ${sql.raw(qualified(database.schema, 'monitoring_view'))}`.execute(
      database.kysely,
    )
    return new Map(rows.map((row) => [row.task_name, row.display_status]))
  }
  const byApi = async (): Promise<Map<string, string>> => {
    const now = Date.now()
    const late = new Set((await lateTasks(database, now)).map(({ task }) => task))
    const lines = await taskLines(database, await taskNames(database), now)
    const newest = new Map(lines.map((line) => [line.task, line.newest[0]]))
    const all = await tables(database).selectFrom('tasks').select('task_name').execute()
    return new Map(
      [...new Set([...newest.keys(), ...all.map(({ task_name: name }) => name)])].map((task) => {
        const line = newest.get(task)
        const isRunning = line?.endedAt === undefined && line !== undefined
        return [
          task,
          isRunning || !late.has(task)
            ? (line?.displayStatus ?? 'NOT_STARTED')
            : displayStatus(undefined, [], true),
        ]
      }),
    )
  }

  it.each<[string, string, () => Row[]]>([
    ['runs and says so', 'RUNNING', () => [execution('a', MINUTE, 'RUNNING', { heartbeat: 0, progress: S })]],
    [
      'shows once a minute that it lives',
      'RUNNING',
      () => [
        execution('a', 30 * MINUTE, 'RUNNING', { heartbeat: 2 * MINUTE, progress: 0, heartbeat_seconds: 60 }),
      ],
    ],
    [
      'has no heartbeat any more',
      'LOST',
      () => [execution('a', 30 * MINUTE, 'RUNNING', { heartbeat: MINUTE })],
    ],
    [
      'lives and does not move',
      'HUNG',
      () => [execution('a', 60 * MINUTE, 'RUNNING', { heartbeat: S, progress: 11 * MINUTE })],
    ],
    [
      'takes long for each item',
      'RUNNING',
      () => [
        execution('a', 60 * MINUTE, 'RUNNING', {
          ...{ heartbeat: S, progress: 11 * MINUTE, items_attempted: 10 },
        }),
      ],
    ],
    [
      'is held back',
      'THROTTLED',
      () => [
        execution('a', 60 * MINUTE, 'RUNNING', {
          ...{ heartbeat: S, progress: 11 * MINUTE, sub_state: 'THROTTLED' },
        }),
      ],
    ],
    [
      'is written by a program without a heartbeat',
      'RUNNING',
      () => [execution('a', 59 * MINUTE, 'RUNNING')],
    ],
    ['is not written any more by one', 'LOST', () => [execution('a', 61 * MINUTE, 'RUNNING')]],
    ['ended', 'FAILED', () => [execution('a', MINUTE, 'FAILED')]],
  ])('that %s is %s', async (_what, word, rows) => {
    await write(rows())
    expect([(await byView()).get('a'), (await byApi()).get('a')]).toEqual([word, word])
  })

  it('is LATE when its schedule has passed, and NOT_STARTED before', async () => {
    const clock = (ago: number): string => timeText(Date.now() - ago).slice(11, 16)
    await registerTask(database, 'clock', { schedule: clock(10 * MINUTE) })
    await registerTask(database, 'within grace', { schedule: clock(10 * MINUTE), grace_minutes: 30 })
    await registerTask(database, 'never', { schedule: '30' })
    await registerTask(database, 'often', { schedule: '30' })
    await registerTask(database, 'no schedule', { schedule: 'soon' })
    await write([execution('often', 40 * MINUTE, 'FINISHED')])
    for (const words of [await byView(), await byApi()])
      expect(Object.fromEntries(words)).toEqual({
        ...{ clock: 'LATE', 'within grace': 'NOT_STARTED', never: 'NOT_STARTED', often: 'LATE' },
        'no schedule': 'NOT_STARTED',
      })
  })

  describe('that depends on another', () => {
    const open = (ago: number, status = 'STARTED'): Row =>
      execution('b', ago, status, { heartbeat: S, progress: ago })
    it.each<[string, string, () => Row[]]>([
      ['which was never seen', 'BLOCKED', () => []],
      [
        'which runs',
        'BLOCKED',
        () => [execution('a', 20 * MINUTE, 'RUNNING', { heartbeat: 0, progress: 0 })],
      ],
      ['which failed', 'BLOCKED', () => [execution('a', 20 * MINUTE, 'FAILED')]],
      [
        'which failed after it had ended well before',
        'BLOCKED',
        () => [execution('a', 40 * MINUTE, 'FINISHED'), execution('a', 20 * MINUTE, 'FAILED')],
      ],
      ['which ended well', 'HUNG', () => [execution('a', 20 * MINUTE, 'FINISHED')]],
      [
        'which ended well and runs again since',
        'HUNG',
        () => [execution('a', 20 * MINUTE, 'FINISHED'), execution('a', MINUTE, 'RUNNING', { heartbeat: 0 })],
      ],
      [
        'which was made good since',
        'HUNG',
        () => [execution('a', 20 * MINUTE, 'FAILED'), execution('a', 5 * MINUTE, 'FINISHED')],
      ],
    ])('%s is %s when it has begun and said nothing since', async (_what, word, rows) => {
      await registerTask(database, 'b', { depends_on: ['a'] })
      await write([...rows(), open(15 * MINUTE)])
      expect([(await byView()).get('b'), (await byApi()).get('b')]).toEqual([word, word])
      const [line] = (await currentExecutions(database, Date.now())).filter(({ task }) => task === 'b')
      expect(line?.standing).toBe(word === 'BLOCKED' ? 'throttled' : 'hung')
    })
    it('does not wait when it works', async () => {
      await registerTask(database, 'b', { depends_on: ['a', 'c'] })
      await write([execution('b', MINUTE, 'RUNNING', { heartbeat: S, progress: S })])
      expect([(await byView()).get('b'), (await byApi()).get('b')]).toEqual(['RUNNING', 'RUNNING'])
    })
    it('waits for nothing where what is registered is no list of names', async () => {
      await registerTask(database, 'b', { depends_on: ['a'] })
      await tables(database).updateTable('tasks').set({ depends_on: '{}' }).execute()
      await write([open(MINUTE)])
      expect([(await byView()).get('b'), (await byApi()).get('b')]).toEqual(['STARTED', 'STARTED'])
    })
  })

  it('is not taken for dead while its reporter, which has no heartbeat, reports from another host', async () => {
    const far = [
      execution('reports', 180 * MINUTE, 'RUNNING', { update: 5 * S }),
      execution('silent', 180 * MINUTE, 'RUNNING', { update: 70 * MINUTE }),
    ]
    await write(far)
    const here = { host: 'here', bootId: 'x', bootTime: 0, seesOthers: true, quiet: 1, now: Date.now() }
    const closed = await closeOpen(database, { ...here, silence: 60 * MINUTE, startTicksOf: () => undefined })
    expect(closed.map(({ task }) => task)).toEqual(['silent'])
  })

  it(`is the same in the view and by the API in ${situations} situations`, async () => {
    const random = randomFrom(seed)
    const one = <T>(...choices: T[]): T => choices[Math.floor(random() * choices.length)] as T
    // No moment is near a limit: the two are asked some milliseconds apart.
    const ago = (): number => one(-2, -0.5, 0, 0.3, 1.5, 4, 9, 11, 33, 58, 63, 200, 1500) * MINUTE + 5 * S
    const time = (): Cell => (random() < 0.3 ? null : ago())
    const rows: Row[] = []
    for (let i = 0; i < situations; i++) {
      const task = `task ${i}`
      if (random() < 0.7)
        await registerTask(database, task, {
          schedule: one(
            undefined,
            ...['30', '0', '7.5', 'soon', '', '24:00', '9:00', '1e3', '-5', '.5', '5.', '1.2.3'],
            ...[9, 58, 200, 1300].map((minutes) => timeText(Date.now() - minutes * MINUTE).slice(11, 16)),
          ),
          grace_minutes: one(undefined, 0, 20),
          depends_on: one<string[] | undefined>(
            undefined,
            [],
            [`task ${i - 1}`],
            [`task ${i - 1}`, 'nobody'],
          ),
          enabled: random() < 0.95,
        })
      for (let executions = one(0, 1, 1, 2); executions > 0; executions--)
        rows.push(
          execution(task, ago(), one('STARTED', 'RUNNING', 'RUNNING', 'FINISHED', 'FAILED', 'CANCELLED'), {
            ...{ heartbeat: time(), progress: time(), update: ago() },
            sub_state: one(null, null, null, '', 'paused', 'THROTTLED', 'BLOCKED', 'other'),
            items_attempted: one(null, 0, 1, 100),
            heartbeat_seconds: one(null, 1, 15, 60, 600),
          }),
        )
    }
    await write(rows)
    const [view, api] = [await byView(), await byApi()]
    const off = await tables(database)
      .selectFrom('tasks')
      .select('task_name')
      .where('enabled', '=', 0)
      .execute()
    for (const { task_name: task } of off) api.delete(task)
    expect(Object.fromEntries([...view].sort()), `SEED=${seed}`).toEqual(Object.fromEntries([...api].sort()))
    // Each word has a test of its own above; a seed may miss one or two of the twelve.
    expect(new Set(view.values()).size, `SEED=${seed}`).toBeGreaterThan(9)
  })
})
