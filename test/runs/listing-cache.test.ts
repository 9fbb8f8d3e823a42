import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Listing, SourceListing } from '../../src/stores/store.ts'
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

/** A store that changes with each look, and keeps of its parts how often it was listed. */
const storeWithParts = (fingerprint: () => string | undefined) => {
  const given: unknown[] = []
  return {
    given,
    fingerprint: () => Promise.resolve(fingerprint()),
    list: () => Promise.reject(new Error('must not be listed whole')),
    listSince: (kept: unknown) => {
      given.push(kept)
      return Promise.resolve({ listing: LISTING, kept: { turn: given.length } })
    },
  }
}

describe('what a store keeps of its parts', () => {
  it('is given back to it by the next pass, also where its listing is not true any more', async () => {
    let looks = 0
    const restless = storeWithParts(() => `look ${looks++}`)
    const cache = open()
    await cache.list('archive', restless)
    await cache.list('archive', restless)
    await cache.save()
    expect(await open().list('archive', restless)).toEqual(LISTING)
    expect(restless.given).toEqual([undefined, { turn: 1 }, { turn: 2 }])
  })

  it('is lost, and nothing else, with any one bit flipped or cut at any byte', async () => {
    const cache = open()
    await cache.list(
      'archive',
      storeWithParts(() => undefined),
    )
    await cache.save()
    const whole = readFileSync(folder.in('.listings.json'))
    for (let at = 0; at < whole.length; at++) {
      const flipped = Buffer.from(whole)
      flipped[at]! ^= 1 << (at % 8)
      for (const damaged of [flipped, whole.subarray(0, at)]) {
        writeFileSync(folder.in('.listings.json'), damaged)
        const asked = storeWithParts(() => undefined)
        await open().list('archive', asked)
        expect(asked.given).toEqual([undefined])
      }
    }
  })

  it('is not asked for in a file of a release that kept none, whose listings count', async () => {
    const { version, entries } = JSON.parse((await saved()).toString().split('\n')[1]!) as object & {
      version: number
      entries: object
    }
    const text = JSON.stringify({ version, entries })
    writeFileSync(folder.in('.listings.json'), `${createHash('sha256').update(text).digest('hex')}\n${text}`)
    const unchanged = store()
    expect(await open().list('artdaq', unchanged)).toEqual(LISTING)
    expect(unchanged.times()).toBe(0)
    const asked = storeWithParts(() => undefined)
    await open().list('archive', asked)
    expect(asked.given).toEqual([undefined])
  })
})

describe('a listing that is kept for the next pass', () => {
  it('is taken once, and is no listing of this pass', async () => {
    const cache = open()
    const kept = store()
    await cache.keep('artdaq', kept)
    await cache.keep('artdaq', kept)
    expect([kept.times(), [...cache.taken]]).toEqual([1, []])
    await cache.save()
    await open().list('artdaq', kept)
    expect(kept.times()).toBe(1)
  })

  it('is not taken of a store that cannot say later whether it is true', async () => {
    const asked = storeWithParts(() => undefined)
    await open().keep('archive', asked)
    expect(asked.given).toEqual([])
  })
})

describe('a listing that the cache has', () => {
  it('is given to its store with the fingerprint that it was taken at', async () => {
    const widths = new Map([[0, RunSet.parse('1-3')], [6, RunSet.parse('9')]]) // prettier-ignore
    const listing: SourceListing = {
      runs: RunSet.parse('1-3,9'),
      ambiguous: RunSet.EMPTY,
      ignored: [],
      widths,
    }
    const adopted: unknown[] = []
    const records = {
      fingerprint: () => Promise.resolve('the same'),
      list: () => Promise.resolve(listing),
      adopt: (...given: unknown[]) => void adopted.push(given),
    }
    const cache = open()
    await cache.list('run-records', records)
    expect(adopted).toEqual([])
    await cache.save()
    expect(await open().list('run-records', records)).toEqual(listing)
    expect(adopted).toEqual([[listing, 'the same']])
  })
})

describe('a cache that is read for days', () => {
  it('takes over what a pass saved meanwhile, and keeps its own where none did', async () => {
    const reader = open()
    let mark = 'before'
    const changing = () => ({ ...store(), fingerprint: () => Promise.resolve(mark) })
    const [first, second, third] = [changing(), changing(), changing()]
    await reader.list('artdaq', first)
    await reader.refresh()
    await reader.list('artdaq', second)
    expect([first.times(), second.times()]).toEqual([1, 0])
    mark = 'after'
    const pass = open()
    await pass.list('artdaq', changing())
    await pass.save()
    await reader.refresh()
    await reader.list('artdaq', third)
    expect(third.times()).toBe(0)
  })

  it('would list what changed for itself without that (control)', async () => {
    const reader = open()
    let mark = 'before'
    const changing = () => ({ ...store(), fingerprint: () => Promise.resolve(mark) })
    await reader.list('artdaq', changing())
    mark = 'after'
    const pass = open()
    await pass.list('artdaq', changing())
    await pass.save()
    const late = changing()
    await reader.list('artdaq', late)
    expect(late.times()).toBe(1)
  })
})
