import fc from 'fast-check'
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Listing } from '../../../../src/stores/store.ts'
import { DirectoryArchive } from '../../../../src/stores/ucondb/directory/archive.ts'
import { mayComeAgain } from '../../../../src/common/file-times.ts'
import { isSettled } from '../../../../src/stores/ucondb/directory/kept-shards.ts'
import { shardOf } from '../../../../src/stores/ucondb/directory/layout.ts'
import { checksumOf, formatChecksum } from '../../../../src/stores/ucondb/checksum-file.ts'
import { temporaryFolder } from '../../../state/temporary-folder.ts'

const folder = temporaryFolder()
const LATER = 60_000
const object = (): string => folder.in('archive/test01/configuration')
/** `ahead`: how far its clock is before that of the disk, in milliseconds: so old are changes of now. */
const openArchive = (ahead = LATER): DirectoryArchive =>
  new DirectoryArchive({
    ...{ root: folder.in('archive'), folder: 'test01', object: 'configuration' },
    now: () => Date.now() + ahead,
  })
const shardPath = (run: number): string => join(object(), shardOf(run))
const blobPath = (run: number, key = String(run)): string => join(shardPath(run), `${key}.txt`)

/** A blob and its checksum file, without the syncs of a put. */
const place = (run: number, key = String(run)): void => {
  mkdirSync(shardPath(run), { recursive: true })
  const blob = Buffer.from(`blob ${key}`)
  writeFileSync(blobPath(run, key), blob)
  writeFileSync(
    join(shardPath(run), `${key}.sha256`),
    formatChecksum(checksumOf(blob, `${key}.txt`, 1_700_000_000_000)),
  )
}

/** Six shards of two runs; the first is the one that changed longest ago. */
beforeEach(() => {
  for (let shard = 1; shard <= 6; shard++)
    for (const run of [shard * 1000, shard * 1000 + 1]) {
      place(run)
      utimesSync(shardPath(run), shard, shard)
    }
})

const RUNS = '1000-1001,2000-2001,3000-3001,4000-4001,5000-5001,6000-6001'
const runsOf = ({ runs }: Pick<Listing, 'runs'>): string => runs.toString()

interface Kept {
  readonly version: number
  readonly folder: string
  readonly shards: readonly { readonly name: string; readonly key: string; readonly whole: string }[]
}
const keep = async (archive = openArchive(), kept?: unknown): Promise<Kept> =>
  (await archive.listSince(kept)).kept as Kept
const namesOf = (kept: Kept): readonly string[] => kept.shards.map(({ name }) => name)

/** What is kept, with a run in a shard's words that its folder does not have: who lists that run has not read the folder. */
const withLie = (kept: Kept, run: number): Kept => ({
  ...kept,
  shards: kept.shards.map((one) =>
    one.name === shardOf(run) ? { ...one, whole: `${one.whole},${run}` } : one,
  ),
})

const keyNow = (path: string): string => {
  const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
  return [ino, size, mtimeNs, ctimeNs].join(':')
}

/** A reader that takes the times of folders for what they were, whatever they are. */
const trustingBlindly = (kept: unknown): unknown => {
  const { shards, ...rest } = kept as Kept
  const there = new Set(readdirSync(object()))
  return {
    ...rest,
    shards: shards.flatMap((one) =>
      there.has(one.name) ? [{ ...one, key: keyNow(join(object(), one.name)) }] : [],
    ),
  }
}

const expectFresh = async (kept: unknown): Promise<unknown> => {
  const archive = openArchive()
  const { listing, kept: next } = await archive.listSince(kept)
  expect(listing).toEqual(await archive.list())
  return next
}

describe('a shard whose folder has not changed', () => {
  it('is not read again while it is none of those that changed last', async () => {
    const kept = await keep()
    expect([...namesOf(kept)].sort()).toEqual(readdirSync(object()).sort())
    // The first that is kept is the one whose turn it is; the fifth and the sixth changed last.
    const { listing } = await openArchive().listSince(withLie(withLie(kept, 2500), 5500))
    expect(runsOf(listing)).toBe(RUNS.replace('2000-2001', '2000-2001,2500'))
  })

  it('and what is kept of it is wrong, is right again after as many listings as a round has', async () => {
    for (let run = 7000; run < 40_000; run += 1000) place(run)
    let kept = withLie(await keep(), 3500)
    const runs: boolean[] = []
    for (let turn = 0; turn < 32; turn++) {
      const listed = await openArchive().listSince(kept)
      runs.push(listed.listing.runs.has(3500))
      kept = listed.kept as Kept
    }
    expect([runs[0], runs.at(-1)]).toEqual([true, false])
  })
})

describe('what is kept of the shards counts no longer', () => {
  it('when a blob comes', async () => {
    const kept = await keep()
    place(2500)
    await expectFresh(kept)
    expect(runsOf((await openArchive().listSince(kept)).listing)).toContain('2500')
  })

  it('when a blob goes, and the folder is given its old modification time', async () => {
    const kept = await keep()
    const [archive, { mtime }] = [openArchive(), statSync(shardPath(2000))]
    const before = await archive.fingerprint()
    rmSync(blobPath(2000))
    utimesSync(shardPath(2000), mtime, mtime)
    await expectFresh(kept)
    expect(runsOf((await archive.listSince(kept)).listing)).not.toContain('2000')
    expect(await archive.fingerprint()).not.toBe(before)
  })

  it('when an older copy with its times stands in the place of a shard', async () => {
    cpSync(shardPath(2000), folder.in('older'), { recursive: true, preserveTimestamps: true })
    place(2002)
    utimesSync(shardPath(2000), 2, 2)
    const kept = await keep()
    rmSync(shardPath(2000), { recursive: true })
    renameSync(folder.in('older'), shardPath(2000))
    utimesSync(shardPath(2000), 2, 2)
    await expectFresh(kept)
    expect(runsOf((await openArchive().listSince(kept)).listing)).toBe(RUNS)
  })

  it('when a shard is gone', async () => {
    const kept = await keep()
    rmSync(shardPath(2000), { recursive: true })
    const next = (await expectFresh(kept)) as Kept
    expect(namesOf(next)).not.toContain('2000-2999')
  })

  it('for the size of a blob in the folders that changed last', async () => {
    const kept = await keep()
    writeFileSync(blobPath(6000), 'cut')
    const { listing, kept: next } = await openArchive().listSince(kept)
    expect(listing.incomplete.toString()).toBe('6000')
    // It is never kept: another folder's turn must not make it the truth.
    expect((next as Kept).shards.find(({ name }) => name === '6000-6999')).toMatchObject({
      whole: '6000-6001',
    })
    await expectFresh(kept)
  })

  it.each([
    { damage: 'nothing', of: () => undefined },
    { damage: 'null', of: () => null },
    { damage: 'of another version', of: (kept: Kept) => ({ ...withLie(kept, 2500), version: 2 }) },
    { damage: 'of another folder', of: (kept: Kept) => ({ ...withLie(kept, 2500), folder: '/elsewhere' }) },
    { damage: 'without shards', of: (kept: Kept) => ({ ...kept, shards: { length: 3 } }) },
    { damage: 'cut', of: (kept: Kept) => ({ ...kept, shards: kept.shards.slice(0, 2) }) },
    {
      damage: 'with runs of another shard',
      of: (kept: Kept) => ({ ...kept, shards: kept.shards.map((one) => ({ ...one, whole: '7-5000' })) }),
    },
    {
      damage: 'with words for runs',
      of: (kept: Kept) => ({ ...kept, shards: kept.shards.map((one) => ({ ...one, whole: 'all' })) }),
    },
    {
      damage: 'with other types',
      of: (kept: Kept) => ({ ...kept, shards: kept.shards.map((one) => ({ ...one, others: [['a', 9]] })) }),
    },
  ])('where it is $damage', async ({ of }) => {
    await expectFresh(of(await keep()))
  })

  it('where it is any JSON at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (shards) => {
        await expectFresh(shards)
        await expectFresh({ version: 1, folder: object(), shards })
      }),
      { numRuns: 20 },
    )
  })
})

describe('a shard is not kept', () => {
  it('while its times are so young that a coarse clock could give them to another change', async () => {
    for (let shard = 1; shard <= 6; shard++) place(shard * 1000 + 2)
    expect(namesOf(await keep(openArchive(0)))).toEqual([])
    expect(namesOf(await keep(openArchive()))).toHaveLength(6)
  })

  it('while its times are ahead of a clock that was set back', async () => {
    expect(namesOf(await keep(openArchive(-LATER)))).toEqual([])
  })

  it.each([
    {
      when: 'it changed between the two looks',
      after: { key: 'b', changed: 0n },
      now: 10_000,
      settled: false,
    },
    { when: 'it went away', after: undefined, now: 10_000, settled: false },
    { when: 'it is the same and old', after: { key: 'a', changed: 0n }, now: 10_000, settled: true },
    { when: 'it is the same and 3 s old', after: { key: 'a', changed: 0n }, now: 3000, settled: false },
  ])('$when: settled $settled', ({ after, now, settled }) => {
    expect(isSettled({ key: 'a', changed: 0n }, after, now)).toBe(settled)
  })

  it.each([
    { time: 'a whole second, 3 s ago', changed: 7_000_000_000n, again: true },
    { time: 'a whole second, and older', changed: 6_000_000_000n, again: false },
    { time: 'no whole second', changed: 10_000_000_004n, again: false },
    { time: 'a whole second ahead of the clock', changed: 11_000_000_000n, again: true },
  ])('as a whole while a change of now could have the same time: $time', ({ changed, again }) => {
    expect(mayComeAgain(changed, 10_000)).toBe(again)
  })

  it('where more stray names than runs stand in it', async () => {
    for (let stray = 0; stray <= 1000; stray++) writeFileSync(blobPath(2000, `stray-${stray}`), '')
    const kept = await keep()
    expect(namesOf(kept)).not.toContain('2000-2999')
    expect(namesOf(kept)).toHaveLength(5)
    await expectFresh(kept)
  })
})

/** A change of an archive, by whomever. */
type Change = (copies: string) => void

const anyRun = fc.integer({ min: 1000, max: 6003 }).filter((run) => run % 1000 < 4)
const anyKey = fc.tuple(
  anyRun,
  fc.constantFrom('', '', '', '-update-1', '-update-2', '.damaged-0123456789abcdef', ' copy'),
)
/** Works in a run's shard where it is there; `hides`: gives the folder its old modification time back, as rsync does. */
const within = (run: number, hides: boolean, work: (path: string) => void): void => {
  if (!readdirSync(object()).includes(shardOf(run))) return
  const { mtime } = statSync(shardPath(run))
  work(shardPath(run))
  if (hides) utimesSync(shardPath(run), mtime, mtime)
}
const anyChange: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(anyKey, fc.boolean()).map(([[run, ending], hides]) => () => {
    within(run, hides, () => place(run, `${run}${ending}`))
  }),
  fc
    .tuple(anyKey, fc.constantFrom('.txt', '.sha256'), fc.boolean())
    .map(([[run, ending], half, hides]) => () => {
      within(run, hides, (path) => rmSync(join(path, `${run}${ending}${half}`), { force: true }))
    }),
  anyRun.map((run) => () => place(run)),
  fc.tuple(anyRun, fc.boolean()).map(([run, hides]) => () => {
    within(run, hides, (path) => mkdirSync(join(path, shardOf(run)), { recursive: true }))
  }),
  anyRun.map((run) => () => within(run, false, () => writeFileSync(blobPath(run), 'of another size'))),
  anyRun.map((run) => () => {
    if (readdirSync(object()).includes(shardOf(run))) rmSync(shardPath(run), { recursive: true })
  }),
  anyRun.map((run): Change => (copies) => {
    within(run, false, (path) => {
      rmSync(join(copies, shardOf(run)), { recursive: true, force: true })
      cpSync(path, join(copies, shardOf(run)), { recursive: true, preserveTimestamps: true })
    })
  }),
  anyRun.map((run): Change => (copies) => {
    const copy = join(copies, shardOf(run))
    if (!readdirSync(copies).includes(shardOf(run))) return
    const { mtime } = statSync(copy)
    rmSync(shardPath(run), { recursive: true, force: true })
    renameSync(copy, shardPath(run))
    utimesSync(shardPath(run), mtime, mtime)
  }),
)

let turns = 0
const sameAfterAnyChanges = (asKept: (kept: unknown) => unknown) =>
  fc.asyncProperty(
    fc.array(fc.array(anyChange, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 }),
    async (passes) => {
      const copies = folder.in(`copies-${++turns}`)
      mkdirSync(copies)
      let kept: unknown = await keep()
      for (const changes of passes) {
        for (const change of changes) change(copies)
        kept = await expectFresh(asKept(kept))
      }
    },
  )

describe('a listing with what is kept of the shards', () => {
  it('is what a fresh one is, after any changes', async () => {
    await fc.assert(
      sameAfterAnyChanges((kept) => kept),
      { numRuns: 25 },
    )
  }, 60_000)

  it('would not be, if times were trusted blindly', async () => {
    // It ends at the first failure, most often within ten; 25 were not enough once.
    const control = await fc.check(sameAfterAnyChanges(trustingBlindly), { numRuns: 500, endOnFailure: true })
    expect(control.failed).toBe(true)
  }, 120_000)

  it('has the notes of a fresh one about damaged and misplaced names', async () => {
    place(2000, '2000.damaged-0123456789abcdef')
    place(2000, '7000')
    place(2000, 'a letter')
    mkdirSync(join(shardPath(2000), '2000-2999'))
    const kept = await keep()
    const { listing } = await openArchive().listSince(kept)
    expect(listing.misplaced).toEqual(['2000-2999/2000-2999', '2000-2999/7000'])
    expect(listing.notes.join('\n')).toMatch(/2000\.damaged-[^]*a letter/)
    await expectFresh(kept)
    expect(readFileSync(blobPath(2000, '7000'), 'utf8')).toBe('blob 7000')
  })
})
