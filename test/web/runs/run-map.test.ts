import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RunSet } from '../../../src/common/run-set.ts'
import { bins, runLengths, runMap, stateOf } from '../../../src/web/runs/run-map.ts'

const runs = fc
  .uniqueArray(fc.integer({ min: 1, max: 300 }), { maxLength: 80 })
  .map((list) => RunSet.of(list))
const input = fc.record({ records: runs, artdaq: runs, archive: runs, failed: runs, waiting: runs })

describe('the run map', () => {
  it('gives each number exactly one state, and run lengths give it back', () => {
    fc.assert(
      fc.property(input, (places) => {
        const map = runMap(places)
        const lengths = runLengths(map)
        let run = map.first
        for (let i = 0; i < lengths.length; i += 2)
          for (let left = lengths[i + 1]!; left > 0; left--) expect(stateOf(map, run++)).toBe(lengths[i])
        expect(run).toBe(map.last === 0 ? map.first : map.last + 1)
      }),
    )
  })
  it('never says archived of a run in a failure log', () => {
    fc.assert(
      fc.property(input, (places) => {
        const map = runMap(places)
        for (const run of places.failed) expect(stateOf(map, run)).toBe(3)
      }),
    )
  })
  it('counts every failed run in some part, however wide the parts are', () => {
    fc.assert(
      fc.property(input, fc.integer({ min: 1, max: 40 }), (places, count) => {
        const map = runMap(places)
        if (map.last === 0) return
        const failed = bins(map, map.first, map.last, count).reduce((sum, part) => sum + part[3]!, 0)
        expect(failed).toBe(places.failed.size)
      }),
    )
  })
})
