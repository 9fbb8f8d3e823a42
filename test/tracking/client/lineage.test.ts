import { randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { Lineage } from '../../../src/tracking/client/lineage.ts'

const TIME = '2026-11-28 12:00:00.000'
const quiet = (): void => undefined

const lineage = (): Lineage =>
  new Lineage({
    ...{ url: undefined, token: undefined, file: undefined, namespace: 'test', version: '1' },
    ...{
      now: () => 0,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      redact: (text) => text,
      timeout: 1000,
    },
  })

/** Bytes in use after a collection. */
const inUse = (): number => {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  return process.memoryUsage().heapUsed
}

const execute = (to: Lineage): void => {
  const runId = randomUUID()
  to.begins(runId)
  for (const word of ['STARTED', 'RUNNING', 'FINISHED'])
    to.see([
      {
        table: 'executions',
        transient: false,
        cells: {
          run_id: runId,
          task_name: 'DAILY_01',
          execution_status: word,
          parent_run_id: null,
          last_update: TIME,
          execution_start: TIME,
          execution_end: TIME,
        },
      },
    ])
}

describe('the events of a process that goes on for months', () => {
  it('remember no execution for ever', () => {
    const one = lineage()
    for (let i = 0; i < 2000; i++) execute(one)
    const before = inUse()
    for (let i = 0; i < 50_000; i++) execute(one)
    expect((inUse() - before) / 1e6).toBeLessThan(15)
    one.begins(randomUUID()) // it is still in use here
  })
})
