import { describe, expect, it } from 'vitest'
import { NOTHING } from '../../src/rows/batch.ts'
import { ProgressLine, progressText } from '../../src/rows/progress-line.ts'

const file = {
  file: 'ids.csv',
  ids: 1000,
  done: 0,
  own: 0,
  milliseconds: 0,
  lag: undefined,
  heldBack: undefined,
}

describe('the progress of a file', () => {
  it.each([
    [{}, `ids.csv |${'-'.repeat(24)}| 0/1000 ids, 0 rows/s, ? left`],
    [
      { done: 500, own: 400, milliseconds: 2000, lag: 1.4 },
      `ids.csv |${'█'.repeat(12)}${'-'.repeat(12)}| 500/1000 ids, 200 rows/s, 3s left, lag 1s`,
    ],
    [
      { ids: 1e7, done: 0, own: 2200, milliseconds: 1000, lag: NaN },
      `ids.csv |${'-'.repeat(24)}| 0/10000000 ids, 2200 rows/s, 1h 15m left, lag unknown`,
    ],
    [
      { done: 1000, own: 1000, milliseconds: 500, heldBack: 'hll 9 > 5' },
      `ids.csv |${'█'.repeat(24)}| 1000/1000 ids, 2000 rows/s, 0s left, held back: hll 9 > 5`,
    ],
  ])('%o reads %s', (more, text) => {
    expect(progressText({ ...file, ...more })).toBe(text)
  })

  it('stays below whole lines, and is gone at the end', () => {
    let screen = ''
    let time = 0
    const line = new ProgressLine({
      write: (text) => (screen += text),
      columns: 200,
      monotonic: () => (time += 500),
      gate: { lags: new Map([['replica', 2]]) },
    })
    line.listener({ type: 'file-started', file: 'a.csv', size: 1, ids: 10, batches: 2, isResumed: false })
    line.print(() => (screen += 'Processing batch 1/2\n'))
    const batch = { type: 'batch-done', file: 'a.csv', batch: 1, status: 'COMPLETED', conflicts: [] } as const
    line.listener({ ...batch, counts: { ...NOTHING, requested: 5 }, hll: -1, lag: -1, milliseconds: 1 })
    line.listener({ type: 'file-done', file: 'a.csv', records: 10 })
    line.print(() => (screen += 'File a.csv completed\n'))
    expect(shown(screen)).toEqual(['Processing batch 1/2', 'File a.csv completed', ''])
    expect(screen).toContain('5/10 ids, 3 rows/s, 2s left, lag 2s')
  })
})

/** What a terminal shows: a line that was cleared is written over. */
const shown = (text: string): string[] =>
  text.split('\n').map((line) => line.split('\r\u001b[K').at(-1) ?? '')
