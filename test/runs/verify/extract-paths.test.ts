import { resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nameOf } from '../../../src/common/file-name-encoding.ts'
import { placesOf } from '../../../src/runs/verify/extract-paths.ts'
import { sized } from '../../sized.ts'

const places = (...names: string[]): string[] =>
  [...placesOf(names, () => true).values()].map((place) => place.toString('latin1'))

describe('where names go below a directory', () => {
  it.each([
    ['a plain name', 'tpc01.fcl', 'tpc01.fcl'],
    ['a path', 'old/tpc01.fcl', 'old/tpc01.fcl'],
    ['odd bytes, as they were', 'a%0Ab%FF%25.txt', 'a\nb\xff%.txt'],
    ['an escape that no file’s name has', '..%2F..%2Fevil.fcl', '..%2F..%2Fevil.fcl'],
    ['an escaped end of a C string', 'a%00b.fcl', 'a%00b.fcl'],
    ['an end of a C string', 'a\0b.fcl', 'a%00b.fcl'],
    ['an escape of an ordinary character', 'x%41.fcl', 'x%41.fcl'],
    ['escaped dots', '%2E%2E', '%2E%2E'],
    ['dots', '..', '%2E%2E'],
    ['a way out', '../../evil.fcl', '..%2F..%2Fevil.fcl'],
    ['a way out in the middle', 'a/../../b.fcl', 'a%2F..%2F..%2Fb.fcl'],
    ['an absolute path', '/etc/passwd', '%2Fetc%2Fpasswd'],
    ['nothing', '', '%'],
  ])('is harmless: %s', (_, name, place) => {
    expect(places(name)).toEqual([place])
  })
  it('is short enough to be a file’s name', () => {
    const [first = '', second = ''] = places('x'.repeat(300), `${'x'.repeat(299)}y`)
    expect([first, second]).toEqual([expect.stringMatching(/^x{246}_[0-9a-f]{8}$/), expect.stringMatching(/^x{246}_[0-9a-f]{8}$/)]) // prettier-ignore
    expect(first).not.toBe(second)
  })
  it('is the name as it stands where nothing is escaped', () => {
    expect(placesOf(['a%0A.fcl'], () => false).get('a%0A.fcl')).toEqual(Buffer.from('a%0A.fcl'))
  })
  it('is a plain name for what would lie below another file', () => {
    expect(places('setup.fcl/notes.txt', 'setup.fcl')).toEqual(['setup.fcl', 'setup.fcl%2Fnotes.txt'])
    expect(places('a', 'a/b/c', 'x/y')).toEqual(['a', 'x/y', 'a%2Fb%2Fc'])
  })
  it('is another one for each name', () => {
    expect(places('x%41.fcl', 'x%2541.fcl', 'xA.fcl')).toEqual(['x%41.fcl', 'xA.fcl', 'x%2541.fcl'])
  })
  it('is below it, and nobody else’s, whatever the names', () => {
    const characters = ['a', '.', '/', '%', '2', 'F', '0', 'E', '5', '\0', '\n', 'é']
    const name = fc.string({ unit: fc.constantFrom(...characters), maxLength: 8 })
    fc.assert(
      fc.property(fc.array(name, { maxLength: 5 }), fc.boolean(), (names, isEscaped) => {
        const found = [...placesOf(names, () => isEscaped).values()].map((place) => place.toString('latin1'))
        expect(found.length).toBe(new Set(names).size)
        for (const place of found) expect(resolve('/x/y', place).startsWith('/x/y/')).toBe(true)
        expect(found.join('')).not.toContain('\0')
        expect(new Set(found).size).toBe(found.length)
        for (const place of found) expect(found.some((other) => place.startsWith(`${other}/`))).toBe(false)
      }),
      { numRuns: sized(500, 3000) },
    )
  })
  it('is where a file of any name was', () => {
    const part = fc
      .uint8Array({ minLength: 1, maxLength: 6 })
      .map((bytes) => Buffer.from(bytes).toString('latin1').replaceAll('/', '_').replaceAll('\0', '_'))
      .filter((text) => text !== '.' && text !== '..')
    fc.assert(
      fc.property(part, (text) => {
        expect(places(nameOf(Buffer.from(text, 'latin1')))).toEqual([text])
      }),
      { numRuns: sized(500, 2000) },
    )
  })
})
