import { existsSync, readdirSync, readFileSync } from 'node:fs'
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
  it.each(['docs/TESTING.md', 'docs/OPERATIONS.md', 'docs/FEATURES.md', 'docs/monitoring/README.md'])(
    'is there, of a test without its ending too (%s)',
    (page) => {
      const tests = readdirSync('test', { recursive: true, encoding: 'utf8' })
      const isThere = (path: string): boolean =>
        [path, `test/${path}`, `docs/${path}`].some((one) => existsSync(one)) ||
        tests.some((file) => file.startsWith(`${path}.`))
      const text = readFileSync(page, 'utf8')
      const paths = [...text.matchAll(/\b(?:src|test|scripts|docs)\/[\w./-]*\w/g)].map(([path]) => path)
      const catalogue = text
        .slice(text.indexOf('## The fault catalogue'))
        .matchAll(/`([a-z-]+(?:\/[a-z-]+)+)`/g)
      const named = [
        ...paths,
        ...(page.endsWith('TESTING.md') ? [...catalogue].map(([, path]) => path!) : []),
      ]
      expect(named.filter((path) => !isThere(path) && !isThere(path.replace(/^test\//, '')))).toEqual([])
    },
  )
})
