import { describe, expect, it } from 'vitest'
import { Ticks } from '../../../src/web/components/bars.tsx'
import { DrawnOnce } from '../../../src/web/components/drawn-once.tsx'
import type { ExecutionLine, Standing } from '../../../src/web/model.ts'

const textOf = (element: unknown): string => String(element)

const NOW = Date.UTC(2026, 10, 28, 12)
const line = (standing: Standing, endedAt: number | undefined): ExecutionLine =>
  ({ id: 1, task: 'A', standing, startedAt: NOW - 100_000, endedAt }) as ExecutionLine

describe('an element that is drawn once', () => {
  it('is drawn for each thing that it shows, and escaped as any other', () => {
    let drawn = 0
    const draw = () => {
      drawn += 1
      return <b title={'"<'}>{'<script>'}</b>
    }
    const [one, other] = [{}, {}]
    const html = (of: object): string => textOf(<DrawnOnce of={of} draw={draw} />)
    expect(html(one)).toBe('<b title="&quot;&lt;">&lt;script&gt;</b>')
    expect(html(one)).toBe(html(other))
    expect(drawn).toBe(2)
  })

  it('is never one that has to be waited for', () => {
    const Later = () => Promise.resolve(<b>later</b>)
    expect(() => textOf(<DrawnOnce of={{}} draw={() => <Later />} />)).toThrow('cannot be waited for')
  })
})

describe("a task's ticks", () => {
  const ticks = (newest: readonly ExecutionLine[], now = NOW): string =>
    textOf(<Ticks newest={newest} now={now} />)

  it('stand from the oldest to the newest, with a mark on an end that was not good', () => {
    const html = ticks([line('failed', NOW), line('ok', NOW - 50_000)])
    expect(html.indexOf('Finished, 50 s')).toBeGreaterThan(0)
    expect(html.indexOf('Failed, 1 min 40 s')).toBeGreaterThan(html.indexOf('Finished, 50 s'))
    expect(html.match(/<path/g)).toHaveLength(1)
    expect(ticks([line('failed', NOW), line('ok', NOW - 50_000)])).toBe(html)
  })

  it('grow while one of them runs', () => {
    const newest = [line('running', undefined)]
    expect(ticks(newest)).toContain('Running, 1 min 40 s')
    expect(ticks(newest, NOW + 20_000)).toContain('Running, 2 min')
  })
})
