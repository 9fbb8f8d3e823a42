import { describe, expect, it } from 'vitest'
import { hrefOf } from '../../../src/web/components/alert-tables.tsx'

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
