import { describe, expect, it } from 'vitest'
import { Name } from '../../../src/web/components/parts.tsx'

const textOf = (element: unknown): string => String(element)

describe('a name', () => {
  it('that is long may be broken behind a sign, and is escaped', () => {
    expect(textOf(<Name of="PERIODIC_01_backup<check" />)).toBe('PERIODIC_<wbr/>01_<wbr/>backup&lt;check')
  })
  it('that fits is left whole', () => {
    expect(textOf(<Name of="DAILY_02_merge_hits" />)).toBe('DAILY_02_merge_hits')
  })
})
