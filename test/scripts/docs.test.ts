import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { pages } from '../../scripts/docs.ts'

describe('a generated page', () => {
  it('is as `npm run docs` writes it', async () => {
    for (const [path, text] of await pages()) expect(readFileSync(path, 'utf8'), path).toBe(text)
  })
})

describe('a path that a page names', () => {
  it.each([
    'docs/ARCHITECTURE.md',
    'docs/GLOSSARY.md',
    'CONTRIBUTING.md',
    'docs/FORMATS.md',
    'docs/INVARIANTS.md',
  ])('is there (%s)', (page) => {
    const text = readFileSync(page, 'utf8')
    const named = [...text.matchAll(/\b(?:src|test|scripts|docs)\/[\w./-]*\w/g)].map(([path]) => path)
    expect(named.filter((path) => !existsSync(path))).toEqual([])
  })
})
