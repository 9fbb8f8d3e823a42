import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ITEM_CODES } from '../../src/records/item-error.ts'

describe('docs/RECORDS.md', () => {
  it('explains each code of an item with its stage, and no other', () => {
    const page = readFileSync('docs/RECORDS.md', 'utf8')
    const chapter = page.slice(page.indexOf('## Codes of an item'), page.indexOf('## The contract'))
    const rows = [...chapter.matchAll(/^\| ([A-Z_]+) +\| (\w+) +\|/gm)].map(([, code, stage]) => [
      code,
      stage,
    ])
    expect(Object.fromEntries(rows)).toEqual(ITEM_CODES)
  })
})
