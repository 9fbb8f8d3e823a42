import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BUILT_IN_SCHEMA } from '../../../src/stores/run-records/fhiclize/schema.ts'
import type { NewRun } from '../../../src/stores/store.ts'
import { type RunWork, runWork } from '../../../src/runs/workers/convert-run.ts'
import { Threads, type ThreadsOptions } from '../../../src/runs/workers/worker-pool.ts'
import { CollectionIndex } from '../../../src/stores/artdaqdb/format/search-index.ts'
import { openDocumentStore } from '../../../src/stores/artdaqdb/open.ts'
import { Site } from '../../site.ts'

const settings = {
  schema: BUILT_IN_SCHEMA,
  generate: ['boot', 'metadata', 'RunHistory', 'RunHistory2'],
  maxRecordBytes: 1_000_000,
  maxRecordFiles: 100,
}
const RUNS = Array.from({ length: 40 }, (_, i) => i + 100)
const never = new AbortController().signal
const threadsOf = (file = resolve('dist/worker.cjs')): Threads => new Threads({ settings, file, workers: 4 })

/** A document, or what is said of it, but for its oid, the times in it, and the seal, which covers both. */
const timeless = (text: string): string =>
  text
    .replaceAll(/"(assigned|created|timestamp|oid|\$oid)" ?: ?"[^"]*"/g, '"$1"')
    .replaceAll(/seal sha256 - -\\n[0-9a-f]{64}/g, 'seal')

/** Every document of an artdaqDB. */
const documentsIn = (database: string): string[] =>
  readdirSync(database, { recursive: true, encoding: 'utf8' })
    .filter((name) => /^(RunHistory|SystemLayout)\/(?!index).*\.json$/.test(name))
    .map((name) => timeless(readFileSync(`${database}/${name}`, 'utf8')))
    .sort()

describe('work on runs in threads', () => {
  let site: Site
  const database = (name: string): string => {
    for (const collection of ['RunHistory', 'SystemLayout'])
      mkdirSync(site.path(name, collection), { recursive: true })
    return site.path(name)
  }
  const write = (work: RunWork, run: number, into: string): Promise<NewRun> =>
    work.write(
      { run, path: site.path('records', String(run)), directory: String(run) },
      { database: into, time: 1_700_000_000_000 },
      never,
    )
  beforeEach(() => {
    site = new Site()
    for (const run of RUNS)
      site.record(run, { files: { 'odd.bin': Buffer.from([run, 0, 255]), [`tpc${run}.fcl`]: `x: ${run}\n` } })
  })
  afterEach(() => {
    site.remove()
  })

  it('looks at records as the thread does that asks', async () => {
    const threads = threadsOf()
    const look = (work: RunWork, run: number) => work.look({ path: site.path('records', String(run)) }, never)
    const looks = await threads.during(never, () => Promise.all(RUNS.map((run) => look(threads, run))))
    const alone = runWork(settings)
    expect(looks).toEqual(await Promise.all(RUNS.map((run) => look(alone, run))))
  })

  it('writes documents that cannot be told from those of the thread that asks', async () => {
    const [spread, single] = [database('spread'), database('single')]
    const threads = threadsOf()
    const written = await threads.during(never, () =>
      Promise.all(RUNS.map((run) => write(threads, run, spread))),
    )
    const alone = runWork(settings)
    const expected = await Promise.all(RUNS.map((run) => write(alone, run, single)))
    expect(timeless(JSON.stringify(written))).toEqual(timeless(JSON.stringify(expected)))
    expect(documentsIn(spread).length).toBeGreaterThan(RUNS.length * 5)
    expect(documentsIn(spread)).toEqual(documentsIn(single))
  })

  it('fails a run as it fails on the thread that asks, and goes on with the others', async () => {
    writeFileSync(site.path('records', '120', 'large.bin'), Buffer.alloc(1_000_001))
    const into = database('db')
    const threads = threadsOf()
    const results = await threads.during(never, () =>
      Promise.allSettled([...RUNS, 999].map((run) => write(threads, run, into))),
    )
    const errors = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    )
    expect(errors).toMatchObject([{ code: 'RECORD_INVALID' }, { code: 'ENOENT', syscall: 'lstat' }])
    expect(errors[0]).toHaveProperty(
      'message',
      expect.stringMatching(
        /^the record is too large: \d+ bytes of 1000000, of which large.bin has 1000001$/,
      ),
    )
  })

  it('drops what is in hand when the pass is to be abandoned, and is as new for the next pass', async () => {
    const into = database('db')
    const threads = threadsOf()
    const abandon = new AbortController()
    await threads.during(abandon.signal, async () => {
      await Promise.all(RUNS.slice(1).map((run) => write(threads, run, into)))
      abandon.abort()
      await expect(write(threads, 100, into)).rejects.toMatchObject({ code: 'INTERRUPTED' })
    })
    await threads.during(never, () => Promise.all(RUNS.map((run) => write(threads, run, into))))
  })

  describe('that are archived', () => {
    const MUCH = 1_000_000
    /** Compares run 100 on a thread, where so many are expected. `placeOf`: what the threads are told of a run. */
    const comparing = (placeOf?: ThreadsOptions['placeOf']) => {
      for (const run of RUNS.slice(1)) rmSync(site.path('records', String(run)), { recursive: true })
      expect(site.archiver().status).toBe(0)
      const copies = {
        records: site.path('records'),
        databaseUris: [`filesystemdb://${site.path('db')}`],
        keepOriginals: true,
        archiveUrl: `file://${site.path('archive')}`,
        folderName: 'run_records',
        objectName: 'configuration',
        blobContent: 'original',
        otherFiles: 'include',
        expected: { artdaq: true, archive: true },
      } as const
      const file = resolve('dist/worker.cjs')
      const threads = new Threads({ settings: { ...settings, copies }, file, workers: 2, placeOf })
      const expecting = (count: number) =>
        threads.during(never, async () => {
          threads.expectComparisons(count)
          return await threads.compare(100, MUCH)
        })
      return { threads, expecting }
    }
    const SOUND = { run: 100, artdaq: 'present', archive: 'present', differences: [] }

    it('are compared on threads from the first on, where many are expected, and never outside a pass', async () => {
      const { threads, expecting } = comparing()
      expect(await expecting(30)).toBeUndefined()
      expect(await expecting(31)).toMatchObject(SOUND)
      expect(await threads.during(never, () => Promise.resolve(threads.compare(100, MUCH)))).toBeUndefined()
      threads.expectComparisons(31)
      expect(threads.compare(100, MUCH)).toBeUndefined()
    })

    it('are looked up in the indexes that the thread that asks has read', async () => {
      const place = async () => openDocumentStore(artdaq()).placeOf?.(100)
      const { expecting } = comparing(place)
      expect(await expecting(31)).toMatchObject(SOUND)
    })

    it('are not found where those do not name them (control): the thread reads no index', async () => {
      const place = async () => {
        const found = await openDocumentStore(artdaq()).placeOf?.(100)
        const indexes = found?.indexes.map((one) => ({ ...one, data: CollectionIndex.EMPTY.data }))
        return found && { ...found, indexes: indexes ?? [] }
      }
      expect(await comparing(place).expecting(31)).toMatchObject({ run: 100, artdaq: 'absent' })
    })

    it('are looked up by the thread where the one that asks could not', async () => {
      const { expecting } = comparing(() => Promise.reject(new Error('the disk is away')))
      expect(await expecting(31)).toMatchObject(SOUND)
    })
    const artdaq = () => ({
      databaseUris: [`filesystemdb://${site.path('db')}`],
      keepOriginals: true,
      useTools: false,
      now: Date.now,
    })
  })

  it('fails what a thread that dies had in hand, and no more', async () => {
    const into = database('db')
    const file = site.path('dies.mjs')
    writeFileSync(file, 'export default () => process.exit(3)')
    const threads = threadsOf(file)
    const results = await threads.during(never, () =>
      Promise.allSettled(RUNS.map((run) => write(threads, run, into))),
    )
    // The first ten were done before threads were started.
    expect(results.map(({ status }) => status)).toEqual([
      ...Array<string>(10).fill('fulfilled'),
      ...Array<string>(RUNS.length - 10).fill('rejected'),
    ])
  })

  it(
    'gives a pass over many runs the same database as passes over a few, which need no threads',
    { timeout: 180_000 },
    () => {
      expect(site.archiver('--import-only').status).toBe(0)
      const few = new Site()
      rmdirSync(few.path('records'))
      symlinkSync(site.path('records'), few.path('records'))
      try {
        for (let passes = 0; passes < RUNS.length / 4; passes++)
          expect(few.archiver('--import-only', '--limit', '4').status).toBe(0)
        expect(documentsIn(site.path('db')).length).toBeGreaterThan(RUNS.length * 5)
        expect(documentsIn(site.path('db'))).toEqual(documentsIn(few.path('db')))
      } finally {
        few.remove()
      }
    },
  )
})
