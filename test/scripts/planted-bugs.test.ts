import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { BUGS } from '../../scripts/planted-bugs.ts'

describe('the planted bugs of `npm run test:mutation`', () => {
  it.each(BUGS)('$name: its place in $file is there once, and so are its tests', ({ file, from, tests }) => {
    expect(readFileSync(file, 'utf8').split(from), 'mend scripts/planted-bugs.ts').toHaveLength(2)
    expect(tests.filter((test) => !existsSync(test))).toEqual([])
  })
  it('are as many as docs/TESTING.md says', () => {
    expect(/(\d+) planted bugs/.exec(readFileSync('docs/TESTING.md', 'utf8'))?.[1]).toBe(String(BUGS.length))
  })
  it('have a name each', () => {
    expect(new Set(BUGS.map(({ name }) => name)).size).toBe(BUGS.length)
  })
})
