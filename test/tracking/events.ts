import { ArchiverError } from '../../src/errors.ts'
import type { EngineEvent } from '../../src/engine/stage.ts'

/** What the engine tells of a pass over these runs, in batches of `size`; runs in `failing` fail. Ends where `until` says. */
export function* passEvents(
  stage: string,
  runs: readonly number[],
  options: {
    size?: number
    failing?: readonly number[]
    conflict?: readonly number[]
    finish?: boolean
    /** How many there are is not known, as of a backlog that others add to. */
    endless?: boolean
  } = {},
): Generator<EngineEvent> {
  const { size = 5, failing = [], conflict = [], finish = true, endless = false } = options
  yield {
    type: 'pass-started',
    stage,
    mode: 'incremental',
    total: endless ? undefined : runs.length,
    waiting: 0,
  }
  const failed: string[] = []
  const done: number[] = []
  for (let at = 0, batch = 1; at < runs.length; at += size, batch++) {
    const these = runs.slice(at, at + size)
    const bad: string[] = []
    for (const run of these) {
      yield { type: 'item-started', stage, key: String(run), attempt: 1, attempts: 3 }
      if (failing.includes(run) || conflict.includes(run)) {
        const code = conflict.includes(run) ? 'CONFLICT' : 'STORE_REFUSED'
        const error = new ArchiverError(code, `run ${run} was refused`, { run })
        bad.push(String(run))
        yield { type: 'item-failed', stage, key: String(run), error, milliseconds: 4 }
      } else {
        const processed = { result: 'stored' as const, bytes: 1000, counts: { documents: 40 }, notes: [] }
        done.push(run)
        yield { type: 'item-done', stage, key: String(run), processed, milliseconds: 4 }
      }
    }
    failed.push(...bad)
    const good = these.map(String).filter((key) => !bad.includes(key))
    yield { type: 'batch-committed', stage, batch, done: good, failed: bad, milliseconds: 20 }
  }
  if (!finish) return
  const summary = {
    succeeded: done.length,
    failed: failed.length,
    pending: endless ? undefined : 0,
    bytes: done.length * 1000,
    milliseconds: 100,
    stopped: undefined,
    error: undefined,
  }
  yield { type: 'pass-finished', stage, summary }
}

/** Run numbers from `first` to `last`. */
export const series = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_item, i) => first + i)
