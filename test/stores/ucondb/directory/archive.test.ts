import { execFileSync } from 'node:child_process'
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  DirectoryArchive,
  type DirectoryArchiveOptions,
} from '../../../../src/stores/ucondb/directory/archive.ts'
import { describeArchive, packed } from '../../../conformance/archive.ts'
import { MemoryArchive } from '../../../fakes/archive-memory.ts'
import { unprivileged } from '../../../unprivileged.ts'

const signal = new AbortController().signal
const temporary = (): Promise<string> => mkdtemp(join(tmpdir(), 'directory-archive-'))
const openAt = (root: string, more: Partial<DirectoryArchiveOptions> = {}): DirectoryArchive =>
  new DirectoryArchive({ root, folder: 'test01', object: 'configuration', now: () => Date.now(), ...more })

describeArchive('the directory archive', async () => {
  const folder = await temporary()
  return {
    archive: openAt(join(folder, 'archive')),
    close: () => rm(folder, { recursive: true }),
  }
})

describeArchive('the archive in memory', () =>
  Promise.resolve({ archive: new MemoryArchive(), close: () => Promise.resolve() }),
)

/** What a disk fault does: blobs may be written by nobody but root. */
const cut = async (path: string, size: number): Promise<void> => {
  await chmod(path, 0o644)
  await truncate(path, size)
}

let folder: string
let root: string
let shard: string
beforeEach(async () => {
  folder = await temporary()
  root = join(folder, 'archive')
  shard = join(root, 'test01', 'configuration', '12000-12999')
})
afterEach(() => rm(folder, { recursive: true }))

describe('the files of the directory archive', () => {
  it('are checked by sha256sum', async () => {
    const archive = openAt(root, { now: () => Date.UTC(2026, 9, 3, 15, 50) })
    await archive.put(12000, 0, packed(12000, 'a'), signal)
    await archive.put(12000, 1, packed(12000, 'b'), signal)
    expect((await readdir(shard)).sort()).toEqual([
      '12000-update-1.sha256',
      '12000-update-1.txt',
      '12000.sha256',
      '12000.txt',
    ])
    const said = execFileSync('sh', ['-c', 'sha256sum --strict --check *.sha256'], {
      cwd: shard,
      encoding: 'utf8',
    })
    expect(said).toBe('12000-update-1.txt: OK\n12000.txt: OK\n')
    expect(await readFile(join(shard, '12000.sha256'), 'utf8')).toMatch(
      /^# size \d+\n# adler32 \d+\n# stored 2026-10-03T15:50:00\.000Z\n[0-9a-f]{64} {2}12000\.txt\n$/,
    )
  })

  it('are made by the first put and not by looking', async () => {
    const archive = openAt(root)
    await archive.list()
    await archive.fingerprint()
    await archive.probe(signal)
    await archive.get(1, 'newest', signal).catch(() => undefined)
    expect(await readdir(folder)).toEqual([])
  })

  it.each(['../escape', 'a/b', '', '.hidden', 'sp ace', 'Ä'])('are never named by a folder %j', (name) => {
    expect(() => openAt(root, { folder: name })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    expect(() => openAt(root, { object: name })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })

  it('that somebody else put there are named and left alone', async () => {
    await openAt(root).put(12000, 0, packed(12000, 'a'), signal)
    for (const name of ['notes.txt', '012001.txt', '12002.jpg']) await writeFile(join(shard, name), 'x')
    const { runs, incomplete, notes } = await openAt(root).list()
    expect([[...runs], [...incomplete]]).toEqual([[12000], []])
    for (const key of ['12000-12999/012001', '12000-12999/notes']) expect(notes.join()).toContain(key)
  })
})

it('whose folder may be listed and not entered is an error, and no empty archive', async () => {
  await openAt(root).put(12000, 0, packed(12000, 'a'), signal)
  const object = dirname(shard)
  try {
    await unprivileged(folder, async () => {
      await chmod(object, 0o644)
      await expect(openAt(root).list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      await expect(openAt(root).fingerprint()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    })
  } finally {
    await chmod(object, 0o755)
  }
})

describe('a blob in a folder that is not its own', () => {
  it('is not taken for archived, because it would not be found there', async () => {
    await openAt(root).put(12000, 0, packed(12000, 'a'), signal)
    for (const suffix of ['txt', 'sha256'])
      await rename(join(shard, `12000.${suffix}`), join(shard, `13000.${suffix}`))
    const { runs, notes } = await openAt(root).list()
    expect([...runs]).toEqual([])
    expect(notes.join()).toContain('12000-12999/13000')
  })

  it('is named with every other copy that no reader looks for', async () => {
    await openAt(root).put(12000, 0, packed(12000, 'a'), signal)
    expect((await openAt(root).list()).misplaced).toEqual([])
    for (const name of ['13000-13999', 'copy', '.12000-12999'])
      await cp(shard, join(dirname(shard), name), { recursive: true })
    await symlink('/nowhere/at/all', join(dirname(shard), '14000-14999'))
    await cp(shard, join(root, 'aside'), { recursive: true })
    await cp(join(root, 'aside'), join(shard, '12000-12999'), { recursive: true })
    const { runs, misplaced } = await openAt(root).list()
    expect([...runs]).toEqual([12000])
    expect([...(misplaced ?? [])].sort()).toEqual([
      '.12000-12999',
      '12000-12999/12000-12999',
      '13000-13999/12000',
      '14000-14999',
      'copy',
    ])
  })
})

describe('an archive whose disk is not mounted', () => {
  it('is empty only to who never used it', async () => {
    expect((await openAt(root).list()).runs.isEmpty).toBe(true)
    const expecting = openAt(root, { expectExisting: true })
    for (const call of [
      () => expecting.list(),
      () => expecting.fingerprint(),
      () => expecting.probe(signal),
      () => expecting.get(1, 0, signal),
      () => expecting.put(1, 0, packed(1, 'x'), signal),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await readdir(folder)).toEqual([])
  })

  it('is noticed when it goes away under a running archiver, and nothing is written to the empty folder', async () => {
    const archive = openAt(root)
    await archive.put(12000, 0, packed(12000, 'a'), signal)
    await rename(root, join(folder, 'elsewhere'))
    await mkdir(root)
    await expect(archive.put(12001, 0, packed(12001, 'a'), signal)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
    await expect(archive.list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await readdir(root)).toEqual([])
    await rm(root, { recursive: true })
    await rename(join(folder, 'elsewhere'), root)
    expect(await archive.put(12001, 0, packed(12001, 'a'), signal)).toBe('stored')
  })

  it('whose marker is of a newer format is not touched', async () => {
    await openAt(root).put(12000, 0, packed(12000, 'a'), signal)
    const marker = join(root, 'run-record-archive.json')
    await chmod(marker, 0o644)
    await writeFile(marker, '{"format":"run-record-archive","version":2}')
    await expect(openAt(root).list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(openAt(root).put(1, 0, packed(1, 'x'), signal)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
  })
})

describe('a put that was killed', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'at step %i leaves nothing that counts, and the next put completes it',
    async (steps) => {
      const blob = packed(12000, 'a', '15:50')
      let left = steps
      const hook = Symbol.for('run-archiver.step')
      const world = globalThis as unknown as Record<symbol, unknown>
      const archive = openAt(root)
      await archive.put(12999, 0, packed(12999, 'z'), signal) // folders and marker are there
      world[hook] = () => {
        if (--left === 0) throw Object.assign(new Error('killed'), { killed: true })
      }
      const outcome = await archive.put(12000, 0, blob, signal).then(
        () => 'done',
        () => 'killed',
      )
      delete world[hook] // eslint-disable-line @typescript-eslint/no-dynamic-delete
      expect(outcome).toBe(steps <= 6 ? 'killed' : 'done')
      const { runs, incomplete } = await openAt(root).list()
      expect(runs.has(12000) && incomplete.has(12000)).toBe(false)
      if (runs.has(12000)) expect((await openAt(root).get(12000, 0, signal)).equals(blob)).toBe(true)
      // The next pass packs the record anew, a minute later.
      await openAt(root).put(12000, 0, packed(12000, 'a', '15:51'), signal)
      const after = await openAt(root).list()
      expect([[...after.runs], [...after.incomplete]]).toEqual([[12000, 12999], []])
      expect(after.notes).toEqual([])
    },
  )

  it('leaves a temporary file, which is not listed and is swept by the next writer', async () => {
    await openAt(root).put(12000, 0, packed(12000, 'a'), signal)
    const left = join(shard, '.archiver-0123456789abcdef.tmp')
    await writeFile(left, 'Start of Rec')
    const { runs, incomplete, notes } = await openAt(root).list()
    expect([[...runs], [...incomplete], notes]).toEqual([[12000], [], []])
    await openAt(root).put(12001, 0, packed(12001, 'a'), signal)
    expect(await readdir(shard)).not.toContain('.archiver-0123456789abcdef.tmp')
  })
})

describe('a blob without its checksum file', () => {
  beforeEach(async () => {
    await openAt(root).put(12000, 0, packed(12000, 'a'), signal)
    await unlink(join(shard, '12000.sha256'))
  })

  it('is incomplete, and is not given out', async () => {
    const { runs, incomplete } = await openAt(root).list()
    expect([[...runs], [...incomplete]]).toEqual([[], [12000]])
    await expect(openAt(root).get(12000, 'newest', signal)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      run: 12000,
    })
  })

  it('is completed by a put of the same record, and stays as it is', async () => {
    expect(await openAt(root).put(12000, 0, packed(12000, 'a', '23:59'), signal)).toBe('stored')
    expect((await openAt(root).get(12000, 0, signal)).equals(packed(12000, 'a'))).toBe(true)
    expect([...(await openAt(root).list()).runs]).toEqual([12000])
  })

  it('is a conflict for a put of another record', async () => {
    await expect(openAt(root).put(12000, 0, packed(12000, 'b'), signal)).rejects.toMatchObject({
      code: 'CONFLICT',
    })
  })
})

describe('a blob that does not fit its checksum file', () => {
  const damages = [
    { damage: 'cut short', make: (blob: string) => cut(blob, 20) },
    { damage: 'emptied', make: (blob: string) => cut(blob, 0) },
    { damage: 'gone', make: (blob: string) => unlink(blob) },
    {
      damage: 'without a readable checksum',
      make: (blob: string) => cut(blob.replace('.txt', '.sha256'), 30),
    },
  ]
  beforeEach(() => openAt(root).put(12000, 0, packed(12000, 'a'), signal))

  it.each(damages)('because it is $damage is listed as incomplete', async ({ make }) => {
    await make(join(shard, '12000.txt'))
    const { runs, incomplete } = await openAt(root).list()
    expect([[...runs], [...incomplete]]).toEqual([[], [12000]])
  })

  const flipped = async (path: string): Promise<void> => {
    const bytes = await readFile(path)
    bytes[10] = (bytes[10] ?? 0) ^ 1
    await chmod(path, 0o644)
    await chmod(path, 0o644)
    await writeFile(path, bytes)
  }
  it.each([...damages, { damage: 'changed in one bit', make: flipped }])(
    'because it is $damage is not given out, and a put keeps it aside and stores the record anew',
    async ({ make }) => {
      await make(join(shard, '12000.txt'))
      const left = await readFile(join(shard, '12000.txt')).catch(() => undefined)
      await expect(openAt(root).get(12000, 0, signal)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
      const again = packed(12000, 'a', '16:10')
      expect(await openAt(root).put(12000, 0, again, signal)).toBe('stored')
      expect((await openAt(root).get(12000, 0, signal)).equals(again)).toBe(true)
      const { runs, incomplete } = await openAt(root).list()
      expect([[...runs], [...incomplete]]).toEqual([[12000], []])
      const aside = (await readdir(shard)).filter((name) => /^12000\.damaged-[0-9a-f]{16}\.txt$/.test(name))
      if (left) expect((await readFile(join(shard, aside[0]!))).equals(left)).toBe(true)
    },
  )

  it('and whose setting aside was killed half-way is completed by the next put', async () => {
    await cut(join(shard, '12000.txt'), 20)
    await rename(join(shard, '12000.txt'), join(shard, '12000.damaged-0123456789abcdef.txt'))
    expect(await openAt(root).put(12000, 0, packed(12000, 'a', '16:10'), signal)).toBe('stored')
    expect((await openAt(root).get(12000, 0, signal)).equals(packed(12000, 'a', '16:10'))).toBe(true)
  })

  it('is told in the listing once it was set aside', async () => {
    await cut(join(shard, '12000.txt'), 20)
    await openAt(root).put(12000, 0, packed(12000, 'a'), signal)
    expect((await openAt(root).list()).notes.join()).toMatch(
      /damaged \(1\): 12000\.damaged-[0-9a-f]{16}\.txt/,
    )
  })
})

describe('an archive that may not be written to', () => {
  it('stops the pass instead of failing each run', async () => {
    await openAt(root).put(12000, 0, packed(12000, 'a'), signal)
    await chmod(shard, 0o555)
    await unprivileged(folder, () =>
      expect(openAt(root).put(12001, 0, packed(12001, 'a'), signal)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
      }),
    )
    await chmod(shard, 0o755)
  })
})

describe('a root that is a file', () => {
  it('is an archive that cannot be reached', async () => {
    await writeFile(root, 'x')
    await expect(openAt(root).list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(openAt(root).put(1, 0, packed(1, 'x'), signal)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
  })
})

describe('two blobs that have changed names', () => {
  const swap = async (...suffixes: string[]): Promise<void> => {
    for (const suffix of suffixes) {
      const [one, two] = [join(shard, `12001${suffix}`), join(shard, `12002${suffix}`)]
      await rename(one, `${one}.x`)
      await rename(two, one)
      await rename(`${one}.x`, two)
    }
  }
  it.each([
    { with: 'their checksum files', suffixes: ['.txt', '.sha256'] },
    { with: 'their checksum files left alone', suffixes: ['.txt'] },
  ])('$with, are never given out for one another', async ({ suffixes }) => {
    const archive = openAt(root)
    for (const run of [12001, 12002]) await archive.put(run, 0, packed(run, 'same size'), signal)
    await swap(...suffixes)
    for (const run of [12001, 12002])
      await expect(archive.get(run, 'newest', signal)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })

  it('and whose checksum files were made again for the new names, neither: a blob names its run itself', async () => {
    const archive = openAt(root)
    for (const run of [12001, 12002]) await archive.put(run, 0, packed(run, 'same size'), signal)
    await swap('.txt', '.sha256')
    for (const run of [12001, 12002]) {
      const path = join(shard, `${run}.sha256`)
      const text = await readFile(path, 'utf8')
      await chmod(path, 0o644)
      await writeFile(path, text.replace(/1200[12]\.txt/, `${run}.txt`))
      await expect(archive.get(run, 'newest', signal)).rejects.toMatchObject({
        code: 'STORE_CORRUPT',
        message: expect.stringContaining('is the blob of run') as string,
      })
    }
  })
})
