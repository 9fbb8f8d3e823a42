import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parseFhicl } from '../../../../src/fhicl/parser.ts'
import { printedParts } from '../../../../src/fhicl/to-json.ts'
import type { RunDocuments } from '../../../../src/stores/run-record.ts'
import type { NewRunPlace } from '../../../../src/stores/store.ts'
import { ArchiverError } from '../../../../src/errors.ts'
import { CollectionIndex } from '../../../../src/stores/artdaqdb/format/search-index.ts'
import { documentText, factsOf } from '../../../../src/stores/artdaqdb/format/document-printer.ts'
import { indexText } from '../../../../src/stores/artdaqdb/format/index-codec.ts'
import { writeNewRun } from '../../../../src/stores/artdaqdb/write/write-new-run.ts'
import { never, NOW, openDb, sampleRun, store } from '../runs.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
  path = join(folder, 'db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const documents = (collection: string): readonly string[] =>
  readdirSync(join(path, collection)).filter((name) => name !== 'index.json')

const documentOf = (entity: string, version = '/standard00001"'): string =>
  documents('RunHistory')
    .map((name) => join(path, 'RunHistory', name))
    .find((file) => {
      const text = readFileSync(file, 'utf8')
      return text.includes(`"entities" : [\n{\n"name" : "${entity}"`) && text.includes(version)
    })!

const listing = async () => {
  const { runs, incomplete, updates } = await openDb(path).list()
  return { runs: runs.toString(), incomplete: incomplete.toString(), updates: [...updates] }
}

describe('a run that is stored', () => {
  it('counts only after the commit, and then in every process', async () => {
    const db = openDb(path)
    expect(await db.put(sampleRun(12), never)).toBe('stored')
    expect((await openDb(path).list()).runs.isEmpty).toBe(true)
    await db.commit()
    expect((await db.list()).runs.toString()).toBe('12')
    expect(await listing()).toEqual({ runs: '12', incomplete: '', updates: [] })
  })

  it('is given back byte for byte, modes and odd bytes too', async () => {
    const odd = [
      { name: 'rc_info_start.txt', mode: 0o600, content: Buffer.from('20 \xb0C\r\n', 'latin1') },
      { name: 'sub folder/%0A"\\.bin', mode: 0o4755, content: Buffer.from([...Array(256).keys()]) },
      { name: 'empty', mode: 0o644, content: Buffer.alloc(0) },
      { name: 'large', mode: 0o644, content: Buffer.alloc((9 << 20) + 1, 'x\u00e9') },
    ]
    const run = sampleRun(
      12,
      { boot: 'a: "\\t"   // c\r\n', layout: '# only a comment\n' },
      { attached: odd },
    )
    await store(openDb(path), run)
    const read = await openDb(path).read(12, never)
    expect(read.attached.map(({ name, mode }) => [name, mode])).toEqual(
      odd.map(({ name, mode }) => [name, mode]),
    )
    for (const [i, { content }] of odd.entries()) expect(read.attached[i]!.content.equals(content)).toBe(true)
    expect(read.manifest).toEqual(run.manifest)
    expect(read.documents.map(({ collection, entity }) => `${collection}/${entity}`)).toEqual(
      run.documents.map(({ collection, entity }) => `${collection}/${entity}`),
    )
    for (const [i, { original, text }] of run.documents.entries()) {
      expect(read.documents[i]!.original).toEqual(original)
      expect(read.documents[i]!.text).toEqual(text)
    }
    expect(read.documents[0]!.canonical()).toBe('\na: "\\t" // c\n')
    expect([read.configName, read.update]).toEqual(['standard00001', 0])
  })

  it('is present when it is put again, by its content and not by its time stamps', async () => {
    await store(openDb(path), sampleRun(12))
    const before = documents('RunHistory').length
    const later = openDb(path, () => NOW + 86_400_000)
    expect(await later.put(sampleRun(12, undefined, { signature: 'touched' }), never)).toBe('present')
    await later.commit()
    expect(documents('RunHistory')).toHaveLength(before)
  })

  it('costs one write of each index, whatever the number of runs', async () => {
    const db = openDb(path)
    for (let run = 1; run <= 20; run++) await db.put(sampleRun(run), never)
    const inode = (): string => readFileSync(join(path, 'RunHistory', 'index.json'), 'utf8')
    const empty = inode()
    await db.commit()
    expect(inode()).not.toBe(empty)
    expect(await listing()).toMatchObject({ runs: '1-20' })
  })
})

describe('a commit that is due', () => {
  it('waits nine times as long as the last one took, so that indexes stay a tenth of the time', async () => {
    let time = NOW
    const db = openDb(path, () => time)
    expect(db.commitDue()).toBe(false)
    await db.put(sampleRun(1), never)
    expect(db.commitDue()).toBe(false)
    time += 250
    expect(db.commitDue()).toBe(true)
    const slow = db.commit()
    time += 1000
    await slow
    await db.put(sampleRun(2), never)
    time += 8999
    expect(db.commitDue()).toBe(false)
    time += 1
    expect(db.commitDue()).toBe(true)
  })
})

describe('a run of which only a part is there', () => {
  it('is incomplete, and is completed by the documents that are missing', async () => {
    const whole = sampleRun(12, { boot: 'a: 1\n', x: 'b: 2\n', metadata: 'c: 3\n' })
    const { manifest: _, attached: __, ...rest } = whole
    const half: RunDocuments = {
      ...rest,
      documents: whole.documents.slice(0, 2),
      manifest: undefined,
      attached: [],
    }
    await store(openDb(path), half)
    expect(await listing()).toMatchObject({ runs: '', incomplete: '12' })
    const [there] = [documentOf('boot')]
    const before = readFileSync(there, 'utf8')
    expect(await put(whole)).toBe('stored')
    expect(readFileSync(there, 'utf8')).toBe(before)
    expect(await listing()).toMatchObject({ runs: '12', incomplete: '' })
    const read = await openDb(path).read(12, never)
    expect(read.documents).toHaveLength(whole.documents.length)
    // The documents of the other program have no room for originals, so the schema carries those.
    expect(read.attached.map(({ name }) => name)).toEqual(['boot.fcl', 'x.fcl'])
  })

  it('is incomplete when a document is gone, cannot be read, and is made whole under the old oid', async () => {
    await store(openDb(path), sampleRun(12), sampleRun(13))
    const gone = documentOf('metadata', '"12/standard00001"')
    unlinkSync(gone)
    expect(await listing()).toMatchObject({ runs: '13', incomplete: '12' })
    await expect(openDb(path).read(12, never)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(gone) as string,
    })
    expect(await put(sampleRun(12))).toBe('stored')
    expect(documentOf('metadata', '"12/standard00001"')).toBe(gone)
    expect(await listing()).toMatchObject({ runs: '12-13', incomplete: '' })
  })

  it('takes over what a killed pass left, without writing it twice', async () => {
    await openDb(path).put(sampleRun(12), never) // never committed
    const left = documents('RunHistory')
    expect(await listing()).toMatchObject({ runs: '', incomplete: '12' })
    expect(await put(sampleRun(12))).toBe('stored')
    expect(documents('RunHistory')).toEqual(left)
    expect(await listing()).toMatchObject({ runs: '12', incomplete: '' })
  })

  it('sets aside what a killed pass left of a record that moved on since, and keeps it', async () => {
    await openDb(path).put(sampleRun(12, { boot: 'a: 1\n' }, { ended: false }), never)
    expect(await put(sampleRun(12, { boot: 'a: 2\n' }))).toBe('stored')
    expect(readdirSync(path).filter((name) => name.endsWith('.uncommitted')).length).toBe(2)
    expect(await listing()).toMatchObject({ runs: '12', incomplete: '', updates: [] })
    expect((await openDb(path).read(12, never)).documents[0]!.text.toString()).toBe('a: 2\n')
  })
})

const put = async (run: RunDocuments): Promise<string> => {
  const db = openDb(path)
  const result = await db.put(run, never)
  await db.commit()
  return result
}

describe('a record that changed after it was archived', () => {
  const going = sampleRun(12, { boot: 'a: 1\n', metadata: 'start: 1\n' }, { ended: false })
  const ended = sampleRun(12, { boot: 'a: 1\n', metadata: 'start: 1\nstop: 2\n', late: 'x: 1\n' })

  it('is stored beside the old one: only what changed, under the next version', async () => {
    await put(going)
    expect(await put(ended)).toBe('updated')
    expect(documents('RunHistory')).toHaveLength(3 + 2)
    expect(await listing()).toEqual({ runs: '12', incomplete: '', updates: [[12, 1]] })
    const read = await openDb(path).read(12, never)
    expect(read.update).toBe(1)
    expect(read.manifest).toEqual(ended.manifest)
    expect(read.documents.map(({ text }) => text.toString())).toEqual(
      ended.documents.map(({ text }) => text.toString()),
    )
    expect(await openDb(path).manifest(12)).toEqual(ended.manifest)
  })

  it('is found newest after twelve updates, though versions are compared as text', async () => {
    await put(going)
    for (let i = 1; i <= 12; i++)
      expect(
        await put(sampleRun(12, { boot: `a: ${i + 100}\n`, metadata: 'start: 1\n' }, { ended: false })),
      ).toBe('updated')
    const read = await openDb(path).read(12, never)
    expect([read.update, read.documents[0]!.text.toString()]).toEqual([12, 'a: 112\n'])
    const versions = Object.keys(
      (JSON.parse(readFileSync(join(path, 'SystemLayout', 'index.json'), 'utf8')) as { version: object })
        .version,
    )
    expect(versions.slice(-4)).toEqual(
      ['v9', 'v91', 'v92', 'v93'].map((version) => `12/standard00001${version}`),
    )
  })

  it('is a conflict when files of an ended record are gone, and nothing is written', async () => {
    await put(ended)
    const before = documents('RunHistory')
    await expect(put(sampleRun(12, { metadata: 'start: 1\nstop: 2\n' }))).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/boot\.fcl, late\.fcl/) as string,
    })
    expect(documents('RunHistory')).toEqual(before)
  })
})

describe('a run that another program stored', () => {
  const theirs = (text: string): RunDocuments => ({ ...sampleRun(12, { boot: text }), manifest: undefined })

  it('is present when its values are the same', async () => {
    await put(theirs('a: 1\n'))
    expect(await put(sampleRun(12, { boot: 'a:    1\n' }))).toBe('present')
  })

  it('is a conflict when they are not, naming the documents', async () => {
    await put(theirs('a: 1\n'))
    await expect(put(sampleRun(12, { boot: 'a: 2\n' }))).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('boot') as string,
    })
  })

  it('is found by its run when its configuration has another name', async () => {
    await put({ ...theirs('a: 1\n'), configName: 'beam_a' })
    expect(await put(sampleRun(12, { boot: 'a: 1\n' }, { configName: 'beam_b' }))).toBe('present')
    await put(sampleRun(13))
    expect((await openDb(path).read(12, never)).configName).toBe('beam_a')
  })
})

describe('names that artdaq would hand to a shell', () => {
  it.each([
    'beam; touch MARKER',
    'a b',
    'x"y',
    'back\\slash',
    '$(id)',
    '../up',
    '',
    'a/b',
    'n\u00e4me',
    'nul\0',
  ])('are refused as a configuration and as an entity: %j', async (name) => {
    const refusal = { code: 'RECORD_INVALID', run: 12 }
    await expect(put(sampleRun(12, undefined, { configName: name }))).rejects.toMatchObject(refusal)
    await expect(put(sampleRun(12, { [name]: 'a: 1\n' }))).rejects.toMatchObject(refusal)
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('several databases read as one', () => {
  it('lists and reads all of them and writes the last', async () => {
    const older = join(folder, '2025')
    await store(openDb(older), sampleRun(1), sampleRun(2))
    const both = openDb([older, path])
    await store(both, sampleRun(3))
    expect((await both.list()).runs.toString()).toBe('1-3')
    expect((await both.read(2, never)).run).toBe(2)
    expect(await both.put(sampleRun(2), never)).toBe('present')
    await expect(both.put(sampleRun(2, { boot: 'a: 7\n', metadata: 'b: 1\n' }), never)).rejects.toMatchObject(
      {
        code: 'STORE_REFUSED',
      },
    )
    expect((await openDb(path).list()).runs.toString()).toBe('3')
  })
})

describe('an index that is damaged', () => {
  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['cut', '{\n"ouid" : [\n"12'],
    ['garbled', '\0\0\0\0'],
  ])('is read from the documents when it is %s, mended by the next commit, and kept', async (_, text) => {
    await store(openDb(path), sampleRun(12), sampleRun(13))
    const index = join(path, 'RunHistory', 'index.json')
    if (text === undefined) unlinkSync(index)
    else writeFileSync(index, text)
    const { runs, notes } = await openDb(path).list()
    expect(runs.toString()).toBe('12-13')
    expect(notes.join()).toContain(index)
    expect(await put(sampleRun(14))).toBe('stored')
    expect(await listing()).toMatchObject({ runs: '12-14', incomplete: '' })
    expect((await openDb(path).list()).notes).toEqual([])
    const kept = readdirSync(path).filter((name) => name.startsWith('RunHistory-index.json.damaged'))
    expect(kept.map((name) => readFileSync(join(path, name), 'utf8'))).toEqual([text ?? ''])
  })
})

describe('an original that was damaged in artdaqDB', () => {
  it('is found when the run is put again, and when it is read', async () => {
    await store(openDb(path), sampleRun(12))
    const file = documentOf('boot')
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace('boot.fcl\\ndebug_level: 1', 'boot.fcl\\ndebug_level: 2'),
    )
    const damaged = { code: 'STORE_CORRUPT', message: expect.stringContaining('boot') as string }
    await expect(openDb(path).read(12, never)).rejects.toMatchObject(damaged)
    await expect(put(sampleRun(12))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })
})

describe('a database whose disk is taken away', () => {
  const unmount = (): void => {
    renameSync(path, `${path}-away`)
    mkdirSync(path) // the mount point
  }
  it('is no run that is not there: nothing is said of any run', async () => {
    const db = openDb(path)
    await store(db, sampleRun(1))
    unmount()
    await expect(db.read(1, never)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    rmdirSync(path)
    await expect(db.read(1, never)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
  it('commits nothing, and says so', async () => {
    const db = openDb(path)
    await store(db, sampleRun(1))
    await db.put(sampleRun(2), never)
    unmount()
    await expect(db.commit()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})

describe('a disk that takes nothing', () => {
  it('is a store that is not available, whatever the run', async () => {
    writeFileSync(path, 'a file where the database should be')
    await expect(put(sampleRun(12))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(openDb(path).list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(openDb(path).probe(never)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it('leaves no document half when it is full, and the run is stored once there is room', ({ skip }) => {
    const disk = join(folder, 'disk')
    mkdirSync(disk)
    const script = [
      `mount -t tmpfs -o size=8m none ${disk} || exit`,
      `head -c 8032k /dev/zero >${disk}/filler`,
      `node --import tsx test/stores/artdaqdb/writer.ts ${disk}/db 1-40 2>&1 | grep -o "STORE_UNAVAILABLE" | head -1`,
      `find ${disk}/db -name '*.json' -size 0; find ${disk}/db -name '*.tmp'`,
      `rm ${disk}/filler`,
      `node --import tsx test/stores/artdaqdb/writer.ts ${disk}/db 1-40 | tail -1`,
    ].join('\n')
    const { status, stdout, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', script], { encoding: 'utf8' })
    if (/^(unshare|mount):/m.test(stderr) && stdout === '') skip(`a full disk cannot be made here: ${stderr}`)
    expect([status, stdout], stderr).toEqual([0, 'STORE_UNAVAILABLE\n40\n'])
  })
})

describe('temporary files of killed writers', () => {
  it('are swept by the next commit when they are old, and left when somebody may still write them', async () => {
    await store(openDb(path), sampleRun(12))
    const old = join(path, '.archiver-0123456789abcdef.tmp')
    const young = join(path, '.archiver-fedcba9876543210.tmp')
    for (const file of [old, young]) writeFileSync(file, 'half')
    const time = Date.now() / 1000
    utimesSync(old, time - 7200, time - 7200)
    await store(openDb(path, Date.now), sampleRun(13))
    expect(readdirSync(path).filter((name) => name.endsWith('.tmp'))).toEqual([
      '.archiver-fedcba9876543210.tmp',
    ])
  })
})

describe('several documents of an entity whose versions are no names of ours', () => {
  // As other programs store them: `version` is any text.
  const documents = [
    { entity: 'boot', oid: 'b'.repeat(24), version: 'calib002', fhicl: 'x: "new"' },
    { entity: 'boot', oid: 'a'.repeat(24), version: 'calib001', fhicl: 'x: "old"' },
    { entity: 'schema', oid: 'c'.repeat(24), version: 'calib001', fhicl: 's: 1' },
  ]
  const write = (): void => {
    for (const collection of ['RunHistory', 'SystemLayout'] as const) {
      mkdirSync(join(path, collection), { recursive: true })
      const facts = documents
        .filter(({ entity }) => (entity === 'schema') === (collection === 'SystemLayout'))
        .map(({ fhicl, ...document }) => {
          const about = { configuration: '7/std00001', run: '7', time: NOW, rawdata: [], attachments: [] }
          const all = { ...about, ...document, collection }
          const bytes = Buffer.concat([...documentText(printedParts(parseFhicl(fhicl)), all)])
          writeFileSync(join(path, collection, `${document.oid}.json`), bytes)
          return factsOf(all)
        })
      const parts = [...indexText(CollectionIndex.EMPTY.plus(facts))]
      writeFileSync(
        join(path, collection, 'index.json'),
        parts.map((part) => part.toString('latin1')).join(''),
      )
    }
  }

  it('are read by the greatest version', async () => {
    write()
    const read = await openDb(path).read(7, never)
    expect(read.documents.map(({ fhicl }) => fhicl)).toContain('\nx: "new" \n')
  })

  it('cannot be read where the greatest is gone: an older one is not given instead', async () => {
    write()
    unlinkSync(join(path, 'RunHistory', `${'b'.repeat(24)}.json`))
    await expect(openDb(path).read(7, never)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })
})

describe('a run that fails before anything of it is written', () => {
  it('costs no second look at the database', async () => {
    await put(sampleRun(1))
    const db = openDb(path)
    await db.list()
    const looks = vi.spyOn(db.databases[0]!.collection('RunHistory'), 'oids')
    const bad = () => Promise.reject(new ArchiverError('RECORD_INVALID', 'bad'))
    for (const run of [2, 4, 6]) {
      await expect(db.putNew(run, bad, never)).rejects.toMatchObject({ code: 'RECORD_INVALID' })
      expect(await db.putNew(run + 1, (place) => write(run + 1, place), never)).toBeDefined()
    }
    await expect(db.put(sampleRun(1, { 'a b': 'x: 1\n' }), never)).rejects.toMatchObject({
      code: 'RECORD_INVALID',
    })
    expect(await db.put(sampleRun(8), never)).toBe('stored')
    expect(looks).not.toHaveBeenCalled()
  })

  it('unlike one of which some is: the next put takes that over', async () => {
    await put(sampleRun(1))
    const db = openDb(path)
    await db.list()
    const torn = async (place: NewRunPlace) => {
      await write(2, place)
      throw new ArchiverError('VERIFY_MISMATCH', 'the last document')
    }
    await expect(db.putNew(2, torn, never)).rejects.toMatchObject({ code: 'VERIFY_MISMATCH' })
    expect(await db.putNew(2, torn, never)).toBeUndefined()
    expect(await db.put(sampleRun(2), never)).toBe('stored')
    await db.commit()
    expect(documents('RunHistory')).toHaveLength(6)
  })
})

describe('a new run that waits for its commit', () => {
  it('is no run in part to the process that wrote it, as none that was put is', async () => {
    await put(sampleRun(1))
    const db = openDb(path)
    await db.putNew(2, (place) => write(2, place), never)
    await db.put(sampleRun(3), never)
    const { runs, incomplete, notes } = await db.list()
    expect([runs.toString(), incomplete.toString(), notes]).toEqual(['1', '', []])
  })
})

const write = (run: number, place: NewRunPlace) =>
  writeNewRun(sampleRun(run), place, () => crypto.randomUUID(), never)
