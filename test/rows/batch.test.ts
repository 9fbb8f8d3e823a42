import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countsOf, distinct, type Sightings } from '../../src/rows/batch.ts'

const keys = fc.uniqueArray(
  fc.integer({ min: 1, max: 30 }).map((id) => [String(id)]),
  {
    selector: ([id]) => id,
  },
)

/** What a batch may have seen: sets that are in each other as they are on a server. */
const sightings: fc.Arbitrary<Sightings> = fc
  .record({ keys, pick: fc.array(fc.nat(5), { minLength: 31, maxLength: 31 }), repeated: fc.nat(3) })
  .map(({ keys: all, pick, repeated }) => {
    const fate = ([id = '0']: readonly string[]): number => pick[Number(id)] ?? 0
    const as = (...fates: readonly number[]) => all.filter((key) => fates.includes(fate(key)))
    return {
      keys: all,
      repeated,
      live: as(0, 1, 2, 3),
      twins: as(1, 2, 4),
      copied: as(0),
      conflicting: as(2),
      heldBack: as(3),
      appeared: [],
      deleted: as(0, 1).length,
    }
  })

describe('the counts of a batch', () => {
  it('add up to its ids, each of which counts once', () => {
    fc.assert(
      fc.property(sightings, (seen) => {
        const {
          requested,
          moved,
          alreadyArchivedLive,
          conflicts,
          alreadyArchived,
          notFound,
          appeared,
          repeated,
          heldBack,
        } = countsOf(seen)
        expect(
          moved +
            alreadyArchivedLive +
            conflicts +
            alreadyArchived +
            notFound +
            appeared +
            repeated +
            heldBack,
        ).toBe(requested)
        expect(distinct([...seen.keys, ...seen.keys])).toEqual(seen.keys)
      }),
    )
  })
})
