import { describe, expect, it } from 'vitest'
import type { RunDocuments } from '../../src/stores/run-record.ts'
import type { DocumentStore } from '../../src/stores/store.ts'
import { sampleRun } from '../stores/artdaqdb/runs.ts'

/** What a store under test can do beyond the common promise, and how it is made. */
export interface Subject {
  /** A new, empty store; `reopen` gives another one on the same data, as another process would have it. */
  readonly make: () => Promise<{ readonly store: DocumentStore; readonly reopen: () => DocumentStore }>
  /** Whether originals, modes and manifest are kept, and changed records are stored beside the old ones. */
  readonly keepsOriginals: boolean
}

const never = new AbortController().signal

const put = async (store: DocumentStore, run: RunDocuments): Promise<string> => {
  const result = await store.put(run, never)
  await store.commit()
  return result
}

/** Every store of documents passes this suite, the fake included, so that tests of the stages may trust the fake. */
export const documentStoreConformance = (name: string, { make, keepsOriginals }: Subject): void => {
  const run = (number: number, boot = 'debug_level: 1 # chatty\n'): RunDocuments =>
    sampleRun(number, { boot, metadata: 'config_name: "beam"\n' })

  describe(`${name}: an empty store`, () => {
    it('lists nothing, and does not have a run', async () => {
      const { store } = await make()
      const { runs, incomplete } = await store.list()
      expect([runs.size, incomplete.size]).toEqual([0, 0])
      await expect(store.read(1, never)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await store.probe(never)
      await store.commit() // nothing to do is no error
      expect(store.commitDue()).toBe(false)
    })
  })

  describe(`${name}: runs that were put and committed`, () => {
    it('are listed, here and by whoever opens the store next, in whatever order they came', async () => {
      const { store, reopen } = await make()
      for (const number of [12, 3, 100]) expect(await store.put(run(number), never)).toBe('stored')
      await store.commit()
      for (const each of [store, reopen()]) {
        const { runs, incomplete, updates } = await each.list()
        expect([runs.toString(), incomplete.size, updates.size]).toEqual(['3,12,100', 0, 0])
      }
    })

    it('give back the values of every document, as artdaq prints them', async () => {
      const { store, reopen } = await make()
      await put(store, run(12))
      const read = await reopen().read(12, never)
      expect([read.run, read.configName, read.update]).toEqual([12, 'standard00001', 0])
      const texts = new Map(read.documents.map((one) => [`${one.collection}/${one.entity}`, one.canonical()]))
      expect(texts).toEqual(
        new Map([
          ['RunHistory/boot', '\ndebug_level: 1 # chatty\n'],
          ['RunHistory/metadata', '\nconfig_name: "beam" \n'],
          ['RunHistory/RunHistory', '\nrun_number: 12 \n'],
          ['SystemLayout/schema', '\nrun_history: [] \n'],
        ]),
      )
    })

    it('are present when they are put again, and nothing changes', async () => {
      const { store, reopen } = await make()
      await put(store, run(12))
      const before = await reopen().fingerprint()
      expect(await put(reopen(), run(12))).toBe('present')
      expect(await reopen().fingerprint()).toBe(before)
    })

    it('are never overwritten: other content is a conflict', async () => {
      const { store, reopen } = await make()
      const other = { ...run(12, 'debug_level: 2\n'), manifest: undefined }
      await put(store, { ...run(12), manifest: undefined })
      await expect(put(reopen(), other)).rejects.toMatchObject({ code: 'CONFLICT' })
      const read = await reopen().read(12, never)
      expect(read.documents.find(({ entity }) => entity === 'boot')?.canonical()).toBe(
        '\ndebug_level: 1 # chatty\n',
      )
    })
  })

  describe(`${name}: a put that was told to stop`, () => {
    it('stores nothing that is listed', async () => {
      const { store, reopen } = await make()
      await expect(store.put(run(12), AbortSignal.abort())).rejects.toThrow()
      await store.commit()
      expect((await reopen().list()).runs.isEmpty).toBe(true)
    })
  })

  if (!keepsOriginals) return
  describe(`${name}: originals`, () => {
    const attached = [{ name: 'rc_info.txt', mode: 0o600, content: Buffer.from([0, 255, 10, 13, 34, 92]) }]

    it('come back byte for byte, with the manifest', async () => {
      const { store, reopen } = await make()
      const given = sampleRun(12, { boot: '# only this\r\n' }, { attached })
      await put(store, given)
      const read = await reopen().read(12, never)
      expect(read.manifest).toEqual(given.manifest)
      expect(read.attached).toEqual(attached)
      expect(read.documents.map(({ entity, text, original }) => [entity, text, original])).toEqual(
        given.documents.map(({ entity, text, original }) => [entity, text, original]),
      )
      expect(await reopen().manifest(12)).toEqual(given.manifest)
    })

    it('of a record that changed are stored beside the old ones, and the newest is given', async () => {
      const { store, reopen } = await make()
      await put(store, sampleRun(12, { boot: 'a: 1\n' }, { ended: false }))
      const given = sampleRun(12, { boot: 'a: 2\n' })
      expect(await put(reopen(), given)).toBe('updated')
      expect([...(await reopen().list()).updates]).toEqual([[12, 1]])
      const read = await reopen().read(12, never)
      expect([read.update, read.documents[0]?.text.toString(), read.manifest]).toEqual([
        1,
        'a: 2\n',
        given.manifest,
      ])
    })
  })
}
