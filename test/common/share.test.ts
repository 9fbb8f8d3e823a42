import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fileOfShare, isInShare, shareOf } from '../../src/common/share.ts'

describe('the shares of several instances', () => {
  it('hold each number exactly once, negative ones too', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: 1, max: 50 }), (run, count) => {
        const shares = Array.from({ length: count }, (_, id) => ({ id, count }))
        expect(shares.filter((share) => isInShare(share, run))).toHaveLength(1)
      }),
    )
  })
  it.each([
    ['0', undefined],
    [undefined, '2'],
    ['2', '2'],
    ['-1', '2'],
    ['0', '0'],
    ['one', '2'],
  ])('cannot be %s of %s', (id, count) => {
    expect(() => shareOf(id, count)).toThrow('is no share')
  })
  it.each([
    ['/work/importer_state.json', '/work/importer_state.1-of-3.json'],
    ['/work/.listings.json', '/work/.listings.1-of-3.json'],
    ['/work/.migrator_in_hand', '/work/.migrator_in_hand.1-of-3'],
  ])('keep %s as %s', (path, expected) => {
    expect(fileOfShare(path, { id: 1, count: 3 })).toBe(expected)
  })
})
