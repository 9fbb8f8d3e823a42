import { describe, expect, it } from 'vitest'
import type { LedgerReads } from '../../../src/web/model.ts'
import { historyPage } from '../../../src/web/pages/history.tsx'
import { performancePage } from '../../../src/web/pages/performance.tsx'
import { renderBlocks } from '../../../src/web/render.tsx'
import type { PageSources } from '../../../src/web/sources.ts'
import type { View } from '../../../src/web/view.ts'

const NOW = Date.UTC(2026, 10, 28, 12)
const saidBy = async (view: View): Promise<string> => {
  const lead = (await renderBlocks({ ...view, blocks: [] }, '')).get('lead') ?? ''
  const [, say = ''] = /<p class="say">(.*?)<\/p>/s.exec(lead) ?? []
  return say.replace(/<[^>]*>/g, '').replaceAll('\u00a0', ' ')
}
const sentence = async (query: string, next: string | undefined): Promise<string> => {
  const items = ['ok', 'failed'].map((standing, id) => ({
    id,
    task: 't',
    standing,
    startedAt: NOW,
    endedAt: NOW,
  }))
  const ledger = {
    executions: ({ cursor }: { cursor?: string }) =>
      Promise.resolve({ items, next: cursor ? undefined : next }),
  }
  const view = await historyPage({
    ...{ query: new URLSearchParams(query), now: NOW, mayAct: false, hasToken: false },
    sources: { ledger: ledger as unknown as LedgerReads } as PageSources,
  })
  return saidBy(view)
}

describe('the first sentence of the history', () => {
  it('does not give the part that is shown for all that match', async () => {
    expect(await sentence('task=t', undefined)).toBe(
      '2 executions shown, the newest first. 1 did not end well.',
    )
    expect(await sentence('task=t', '1-1')).toBe(
      '2 executions shown, the newest first; older ones match too. 1 did not end well.',
    )
    expect(await sentence('', '1-1')).toContain('the newest first; older ones are behind them.')
  })
})

describe('a day that there is not', () => {
  it('is refused, and not read as another one', async () => {
    for (const query of ['day=2026-02-30', 'from=2026-04-31', 'to=2026-02-29T10:00:00Z'])
      await expect(sentence(query, undefined)).rejects.toThrow('must be a day')
    expect(await sentence('day=2024-02-29', undefined)).toContain('2 executions')
  })
})

describe('an execution at the beginning of the time that the performance page looks at', () => {
  it('is held against the 30 days before it', async () => {
    const day = 86_400_000
    const at = (days: number, minutes: number) => ({
      ...{ id: days, task: 't', standing: 'ok', startedAt: NOW - days * day },
      endedAt: NOW - days * day + minutes * 60_000,
    })
    const all = [29, 31, 32, 33, 34, 35].map((days) => at(days, days === 29 ? 60 : 1))
    const ledger = {
      executions: ({ from = 0 }) =>
        Promise.resolve({ items: all.filter(({ startedAt }) => startedAt >= from), next: undefined }),
      days: () =>
        Promise.resolve([
          { task: 't', day: '2026-10-30', executions: 1, ok: 1, failed: 0, killed: 0, reboots: 0, unseen: 0 },
        ]),
      tasks: () => Promise.resolve([]),
    }
    const view = await performancePage({
      ...{ query: new URLSearchParams('task=t&days=30'), now: NOW, mayAct: false, hasToken: false },
      sources: { ledger: ledger as unknown as LedgerReads } as PageSources,
    })
    expect(await saidBy(view)).toContain('1 execution was far out of the usual')
  })
})
