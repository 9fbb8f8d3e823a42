import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Listing } from '../../src/stores/store.ts'
import { RunSet } from '../../src/common/run-set.ts'
import { ListingCache } from '../../src/runs/listing-cache.ts'
import { temporaryFolder } from '../state/temporary-folder.ts'

const folder = temporaryFolder()
const LISTING: Listing = {
  runs: RunSet.parse('1-3'),
  incomplete: RunSet.EMPTY,
  updates: new Map([[2, 1]]),
  notes: [],
}
/** A store that has not changed, and how often it was listed. */
const store = () => {
  let listed = 0
  return {
    fingerprint: () => Promise.resolve('the same'),
    list: () => (listed++, Promise.resolve(LISTING)),
    times: () => listed,
  }
}
const open = () => new ListingCache(folder.in('.listings.json'), () => 0)
const saved = async (): Promise<Buffer> => {
  const cache = open()
  await cache.list('artdaq', store())
  await cache.save()
  return readFileSync(folder.in('.listings.json'))
}

describe('the cache of listings', () => {
  it('gives the listing back while its store has not changed', async () => {
    await saved()
    const unchanged = store()
    expect(await open().list('artdaq', unchanged)).toEqual(LISTING)
    expect(unchanged.times()).toBe(0)
  })

  it('costs one listing, and gives nothing else than the truth, with any one bit flipped or cut at any byte', async () => {
    const whole = await saved()
    for (let at = 0; at < whole.length; at++) {
      const flipped = Buffer.from(whole)
      flipped[at]! ^= 1 << (at % 8)
      for (const damaged of [flipped, whole.subarray(0, at)]) {
        writeFileSync(folder.in('.listings.json'), damaged)
        expect(await open().list('artdaq', store())).toEqual(LISTING)
      }
    }
  })
})
