import { describe, expect, it } from 'vitest'
import { partText, shares } from '../../../src/web/components/running.tsx'
import type { ExecutionLine } from '../../../src/web/model.ts'

const NOW = Date.UTC(2026, 10, 28, 12)
const line = (more: Partial<ExecutionLine>): ExecutionLine =>
  ({ standing: 'running', overall: 100, subtaskPercent: 100, ...more }) as ExecutionLine

describe('an execution that runs without a foreseen end', () => {
  it.each([
    [0, 0],
    [1, 0],
    [3, 2],
  ])('has no share of its work: %i done of %i', (itemsDone, items) => {
    const worker = line({ itemsDone, items })
    expect(shares(worker)).toEqual({ overall: undefined, part: undefined })
    expect(partText(worker, NOW)).toBe(String(itemsDone))
  })
})

describe('an execution with a foreseen end', () => {
  it('has the shares that it reports', () => {
    const one = line({ itemsDone: 3, items: 300, overall: 20, subtaskPercent: 1 })
    expect(shares(one)).toEqual({ overall: 20, part: 1 })
    expect(partText(one, NOW)).toBe('3 of 300')
  })
  it('keeps them when it has ended', () => {
    expect(shares(line({ itemsDone: 0, items: 0, endedAt: NOW }))).toEqual({ overall: 100, part: 100 })
  })
})
