import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { pages } from '../../scripts/docs.ts'

describe('a generated page', () => {
  it('is as `npm run docs` writes it', async () => {
    for (const [path, text] of await pages()) expect(readFileSync(path, 'utf8'), path).toBe(text)
  })
})
