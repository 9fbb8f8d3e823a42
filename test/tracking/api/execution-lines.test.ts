import { describe, expect, it } from 'vitest'
import { ASKED_STANDINGS, ASKED_STATUSES } from '../../../src/web/api/asked-words.ts'
import { statesBehind } from '../../../src/tracking/api/execution-lines.ts'
import { STATES, wordsOf } from '../../../src/tracking/ledger/status-words.ts'

describe('the words that executions are asked for with', () => {
  // Both of these are found among all that run, and told apart by what was seen of them.
  const seen: readonly string[] = ['hung', 'throttled']
  it.each([...ASKED_STANDINGS, ...ASKED_STATUSES].filter((word) => !seen.includes(word)))(
    '%s stands for at least one state',
    (word) => expect(statesBehind(word)).not.toEqual([]),
  )
  it('are all that a state has', () => {
    const words = new Set(STATES.flatMap((state) => [wordsOf(state).execution, wordsOf(state).process]))
    expect(new Set(ASKED_STATUSES)).toEqual(words)
    expect(new Set(ASKED_STANDINGS.flatMap(statesBehind))).toEqual(new Set(STATES))
  })
})
