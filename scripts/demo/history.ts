import { identity, now as clock } from '../../src/platform/host.ts'
import type { Log } from '../../src/common/log.ts'
import type { Runner } from '../../src/tracking/client/run-facts.ts'
import { Tracker } from '../../src/tracking/client/tracker.ts'

const DAY = 86_400_000
const DAYS = 30

interface Planned {
  readonly task: string
  /** Minutes before now on the last day. */
  readonly ago: number
  readonly minutes: number
  readonly steps: readonly (readonly [name: string, share: number])[]
  /** Whether its last day is left out: it runs now, or has not begun. */
  readonly notToday?: boolean
}

const PLAN: readonly Planned[] = [
  {
    task: 'PREREQ_01_conditions',
    ago: 150,
    minutes: 1.6,
    steps: [
      ['fetch', 0.7],
      ['check', 0.3],
    ],
  },
  { task: 'PREREQ_02_geometry', ago: 148, minutes: 0.4, steps: [['read', 1]] },
  {
    task: 'DAILY_01_pedestals',
    ago: 140,
    minutes: 30,
    steps: [
      ['read channels', 0.6],
      ['fit', 0.3],
      ['write', 0.1],
    ],
  },
  {
    task: 'DAILY_02_merge_hits',
    ago: 105,
    minutes: 9,
    steps: [
      ['load sector files', 0.3],
      ['join hits and channels', 0.5],
      ['write merged table', 0.15],
      ['index', 0.05],
    ],
    notToday: true,
  },
  { task: 'DAILY_03_dqm_plots', ago: 100, minutes: 20, steps: [['plots', 1]] },
  { task: 'DAILY_04_publish', ago: 20, minutes: 1.1, steps: [['upload', 1]], notToday: true },
]

const QUIET: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => console.error(message),
  error: (message) => console.error(message),
}

/** Numbers from 0 to 1 that are the same in every demo. */
const numbers = (): (() => number) => {
  let state = 42
  return () => (state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296) / 4_294_967_296
}

export interface HistoryOptions {
  /** The end of the last day, epoch milliseconds; now unless given. */
  readonly today?: number
  readonly runner?: Runner
}

/** Writes 30 days of executions into the ledger of a work_dir, through the tracker that pipelines use, with a clock that is set by hand. */
export const fillHistory = async (
  workDir: string,
  { today = clock(), runner = identity() }: HistoryOptions = {},
): Promise<void> => {
  let at = today
  const random = numbers()
  const tracker = new Tracker({
    place: { url: 'sqlite:ledger.db', schema: 'tasker', password: undefined, folder: workDir },
    env: {},
    runner,
    version: 'demo',
    now: () => at,
    log: QUIET,
    heartbeatEvery: 0,
    flushEvery: 60_000,
  })
  for (let day = DAYS; day >= 0; day--)
    for (const plan of PLAN) {
      if (day === 0 && plan.notToday) continue
      // One task grows slower, one day is far out of the usual.
      const growth = plan.task === 'DAILY_02_merge_hits' ? 1 + Math.max(0, 12 - day) * 0.03 : 1
      const odd = plan.task === 'DAILY_02_merge_hits' && day === 17 ? 2.4 : 1
      const length = plan.minutes * 60_000 * growth * odd * (0.92 + random() * 0.16)
      at = today - day * DAY - plan.ago * 60_000
      const execution = tracker.init({
        taskName: plan.task,
        totalSubtasks: plan.steps.length,
        type: 'python',
      })
      const bad = day > 0 && random() < 0.05
      for (const [name, share] of plan.steps) {
        execution.enter(name, 100)
        at += length * share * (bad ? 0.3 : 1)
        execution.progress(bad ? 40 : 100, 100)
        if (bad) break
        execution.exit()
      }
      if (!bad) execution.finish()
      else if (random() < 0.5) execution.cancel('SIGTERM')
      else execution.error(`sector_${day}.csv: 3 columns, 4 are expected`)
      await tracker.flush()
    }
  await tracker.close(10_000)
}
