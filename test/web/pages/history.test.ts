import { describe, expect, it } from 'vitest'
import type { LedgerReads } from '../../../src/web/model.ts'
import { hrefOf } from '../../../src/web/pages/alerts.tsx'
import { historyPage } from '../../../src/web/pages/history.tsx'
import type { PageSources } from '../../../src/web/sources.ts'

const NOW = Date.UTC(2026, 10, 28, 12)
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
  return String(view.say)
    .replace(/<[^>]*>/g, '')
    .replaceAll('\u00a0', ' ')
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

describe('an alert that fires', () => {
  it.each([
    ['failed', 'DAILY 1', '/history?task=DAILY%201'],
    ['backlog_growing', 'import', '/runs'],
    ['damaged', 'run 12', '/runs/12'],
    ['poison', 'import 12', '/instances'],
    ['instance_lost', 'host-1', '/instances'],
    ['finished', '0b6e', '/executions/0b6e'],
  ])('by the rule %s of %s leads to %s', (rule, subject, href) => {
    expect(hrefOf({ rule, subject })).toBe(href)
  })
})
