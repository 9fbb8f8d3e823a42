import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LARGEST_RUN } from '../../src/common/run-set.ts'
import type { Archive } from '../../src/stores/store.ts'
import { sha256Of } from '../../src/stores/ucondb/checksum-file.ts'

/** An archive that nothing was put into yet, and how to get rid of it. */
export interface FreshArchive {
  readonly archive: Archive
  close(): Promise<void>
}

/** A run record's blob as it is packed at a time of day, `15:50`. Blobs of the same record differ in nothing else. */
export const packed = (run: number, content: string | Buffer, time = '15:50'): Buffer => {
  const stamp = `Run Number: ${run}\nPacked on Oct 03 ${time} UTC\n`
  return Buffer.concat([
    Buffer.from(`Start of Record\n${stamp}\n#####\nmetadata.fcl:\n#####\n`),
    Buffer.from(content),
    Buffer.from(`\nEnd of Record\n${stamp}`),
  ])
}

/** What every archive promises to the stages (src/stores/store.ts), whatever it is made of. */
export const describeArchive = (name: string, open: () => Promise<FreshArchive>): void => {
  const signal = new AbortController().signal
  let fresh: FreshArchive
  let archive: Archive
  beforeEach(async () => {
    fresh = await open()
    archive = fresh.archive
  })
  afterEach(() => fresh.close())

  describe(`${name}, empty`, () => {
    it('lists nothing, and is still empty afterwards', async () => {
      for (let i = 0; i < 2; i++) {
        const listing = await archive.list()
        expect([listing.runs.size, listing.incomplete.size, listing.updates.size]).toEqual([0, 0, 0])
        expect(listing.notes).toEqual([])
      }
    })

    it('answers a probe', async () => {
      await expect(archive.probe(signal)).resolves.toBeUndefined()
    })

    it.each([0, 1, 'newest'] as const)('has no blob to give, update %s', async (update) => {
      await expect(archive.get(12000, update, signal)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })
  })

  describe(`${name}, a blob that was put`, () => {
    it.each([
      { what: 'text', content: 'config_name: "demo"\n' },
      { what: 'every byte', content: Buffer.from(Array.from({ length: 256 }, (_, i) => i)) },
      { what: 'characters beyond Latin-1', content: 'Größe → 10 µm' },
      { what: 'nothing', content: '' },
      { what: 'two megabytes', content: Buffer.alloc(2_000_000, 'abcdefg\n') },
    ])('comes back byte for byte: $what', async ({ content }) => {
      const blob = packed(12000, content)
      expect(await archive.put(12000, 0, blob, signal)).toBe('stored')
      expect((await archive.get(12000, 0, signal)).equals(blob)).toBe(true)
      expect((await archive.get(12000, 'newest', signal)).equals(blob)).toBe(true)
    })

    it('stands in the listing, and no other run does', async () => {
      for (const run of [1, 999, 1000, 12000, 12001, LARGEST_RUN])
        await archive.put(run, 0, packed(run, 'x'), signal)
      const { runs, incomplete, updates } = await archive.list()
      expect([...runs]).toEqual([1, 999, 1000, 12000, 12001, LARGEST_RUN])
      expect([incomplete.size, updates.size]).toEqual([0, 0])
      await expect(archive.get(2, 'newest', signal)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    it('is kept as it was when its buffer changes later', async () => {
      const blob = packed(7, 'before')
      await archive.put(7, 0, blob, signal)
      blob.fill(0)
      expect((await archive.get(7, 0, signal)).equals(packed(7, 'before'))).toBe(true)
    })
  })

  describe(`${name}, a key that is taken`, () => {
    it('by the same bytes: present', async () => {
      await archive.put(5, 0, packed(5, 'a'), signal)
      expect(await archive.put(5, 0, packed(5, 'a'), signal)).toBe('present')
    })

    it('by the same record packed in another minute: present, and the first stays', async () => {
      await archive.put(5, 0, packed(5, 'a', '15:50'), signal)
      expect(await archive.put(5, 0, packed(5, 'a', '15:51'), signal)).toBe('present')
      expect((await archive.get(5, 0, signal)).equals(packed(5, 'a', '15:50'))).toBe(true)
    })

    it('by another record: a conflict that names run and both digests, and the first stays', async () => {
      const [first, second] = [packed(5, 'a'), packed(5, 'b')]
      await archive.put(5, 0, first, signal)
      const refused = archive.put(5, 0, second, signal)
      await expect(refused).rejects.toMatchObject({ code: 'CONFLICT', run: 5, retry: false })
      await expect(refused).rejects.toThrow(sha256Of(first))
      await expect(refused).rejects.toThrow(sha256Of(second))
      expect((await archive.get(5, 0, signal)).equals(first)).toBe(true)
    })

    it('by several writers of one record at once: stored once, present to the others', async () => {
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, i) => archive.put(5, 0, packed(5, 'a', `15:0${i}`), signal)),
      )
      expect(answers.filter((answer) => answer === 'stored')).toHaveLength(1)
      expect(answers.filter((answer) => answer === 'present')).toHaveLength(7)
    })

    it('by several writers of different records at once: one is stored, the others are conflicts', async () => {
      const blobs = Array.from({ length: 8 }, (_, i) => packed(5, `record ${i}`))
      const answers = await Promise.allSettled(blobs.map((blob) => archive.put(5, 0, blob, signal)))
      const stored = blobs.filter((_, i) => answers[i]?.status === 'fulfilled')
      expect(stored).toHaveLength(1)
      for (const answer of answers)
        if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'CONFLICT' })
      expect((await archive.get(5, 'newest', signal)).equals(stored[0]!)).toBe(true)
    })
  })

  describe(`${name}, a record that changed after it was archived`, () => {
    it('stands beside the first, and the newest is given unless another is asked for', async () => {
      const blobs = ['first', 'second', 'third'].map((content) => packed(88, content))
      for (const [update, blob] of blobs.entries())
        expect(await archive.put(88, update, blob, signal)).toBe('stored')
      for (const [update, blob] of blobs.entries())
        expect((await archive.get(88, update, signal)).equals(blob)).toBe(true)
      expect((await archive.get(88, 'newest', signal)).equals(blobs[2]!)).toBe(true)
      await expect(archive.get(88, 3, signal)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    it('is counted in the listing, and is no run of its own', async () => {
      for (const update of [0, 1, 2]) await archive.put(88, update, packed(88, `${update}`), signal)
      await archive.put(89, 0, packed(89, 'x'), signal)
      const { runs, updates } = await archive.list()
      expect([...runs]).toEqual([88, 89])
      expect([...updates]).toEqual([[88, 2]])
    })

    it.each([
      [[0, 2], 2],
      [[1, 3], 3],
      [[0, 1, 5], 5],
      [[0, 1, 12, 25], 25],
    ])(
      'again before its last change was archived has no key of that one: of keys %j the newest is %i',
      async (updates, newest) => {
        for (const update of updates) await archive.put(88, update, packed(88, `${update}`), signal)
        expect(await archive.get(88, 'newest', signal)).toEqual(packed(88, `${newest}`))
      },
    )

    it.each([1, 2])(
      'before it was archived for the first time is archived by its key of update %i alone',
      async (update) => {
        await archive.put(88, update, packed(88, 'late'), signal)
        const { runs, updates } = await archive.list()
        expect([...runs]).toEqual([88])
        expect([...updates]).toEqual([[88, update]])
        expect(await archive.get(88, 'newest', signal)).toEqual(packed(88, 'late'))
      },
    )
  })

  describe(`${name}, asked whether anything changed`, () => {
    it('says the same until something is put, and then something else', async () => {
      const texts: (string | undefined)[] = [await archive.fingerprint()]
      for (const run of [1, 2, 2001]) {
        await archive.put(run, 0, packed(run, 'x'), signal)
        const text = await archive.fingerprint()
        if (text !== undefined) expect(await archive.fingerprint()).toBe(text)
        texts.push(text)
      }
      const told = texts.filter((text) => text !== undefined)
      expect(new Set(told).size).toBe(told.length)
    })
  })

  describe(`${name}, listed with what it keeps of its parts`, () => {
    it('gives the same listing, whatever was put since', async () => {
      let kept: unknown
      for (const run of [1, 2, 2001, 3001]) {
        await archive.put(run, 0, packed(run, 'x'), signal)
        await archive.put(run, 1, packed(run, 'y'), signal)
        const since = await archive.listSince?.(kept)
        if (since) expect(since.listing).toEqual(await archive.list())
        kept = since?.kept
      }
      expect((await archive.list()).runs.size).toBe(4)
    })
  })

  describe(`${name}, told to stop before it began`, () => {
    it('stores nothing', async () => {
      await expect(archive.put(3, 0, packed(3, 'x'), AbortSignal.abort())).rejects.toThrow()
      expect((await archive.list()).runs.has(3)).toBe(false)
    })
  })
}
