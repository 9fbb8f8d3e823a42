import { describe, expect, it } from 'vitest'
import { packed } from '../../../conformance/archive.ts'
import { signal, server, opened, put, fails, serverForEachTest } from './faulty-server.ts'

serverForEachTest()

describe('H8: a key that is taken', () => {
  it('by the same record: present, told by one put and one look', async () => {
    await put(opened())
    const archive = opened()
    await archive.probe(signal)
    server.seen.length = 0
    expect(await put(archive)).toBe('present')
    expect(server.seen.filter(({ path }) => path.includes('key=')).map(({ method }) => method)).toEqual([
      'POST',
      'GET',
    ])
  })

  it('by another record: a conflict, nothing overwritten, nothing tried', async () => {
    await put(opened(), 12000, packed(12000, 'first'))
    expect(await put(opened())).toBe('CONFLICT')
    expect(server.blob('12000')?.equals(packed(12000, 'first'))).toBe(true)
    expect(server.seen.every(({ path }) => !path.includes('override=yes'))).toBe(true)
  })

  it.each(['same', 'other'] as const)(
    'in a race that another server process won, with %s bytes',
    async (bytes) => {
      fails({ kind: 'race', with: bytes })
      expect(await put(opened())).toBe(bytes === 'same' ? 'present' : 'CONFLICT')
    },
  )

  it('and is to be overridden for this one run, by hand: stored and proved, the other keeps its bytes without a key', async () => {
    const first = packed(12000, 'first')
    await put(opened(), 12000, first)
    await put(opened(), 12001, packed(12001, 'first'))
    const archive = opened(server, { overrideConflict: 12000 })
    expect(await put(archive)).toBe('stored')
    expect(await put(archive, 12001)).toBe('CONFLICT')
    expect(server.folder.versions[0]).toMatchObject({ key: null })
    expect((await archive.list()).runs.size).toBe(2)
  })

  it('and is overridden, and the reply is lost: stored all the same', async () => {
    await put(opened(), 12000, packed(12000, 'first'))
    fails({ kind: 'reset', when: 'before reply', path: 'override=yes' })
    expect(await put(opened(server, { overrideConflict: 12000 }))).toBe('stored')
    expect(server.folder.versions).toHaveLength(2)
  })
})

describe('H9: a listing that is not quite right', () => {
  it('names a run twice, and keys that are none: counted once, and told', async () => {
    const object = 'configuration'
    for (const [key, tr] of [
      ['7', 3],
      ['000211', 2],
      [null, 1],
    ] as const)
      server.folder.store(object, key, packed(7, 'x'), { tr })
    const twice = (await (await fetch(`${server.url}/versions?folder=test01&object=${object}`)).text()).slice(
      1,
      -1,
    )
    fails({ kind: 'status', status: 200, body: `[${twice}, ${twice}]`, path: '/versions' })
    const { runs, notes } = await opened().list()
    expect([...runs]).toEqual([7])
    expect(notes.join()).toContain('"000211"')
  })

  it('names a run that cannot be fetched: not found, and a put stores it', async () => {
    const body = '[{"key": "12000", "tr": 1.0, "data_size": 1, "uadler32": 1}]'
    await put(opened(), 1, packed(1, 'x'))
    fails({ kind: 'status', status: 200, body, path: '/versions' })
    const archive = opened()
    expect((await archive.list()).runs.has(12000)).toBe(true)
    await expect(archive.get(12000, 'newest', signal)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await put(archive)).toBe('stored')
  })

  it('leaves out a run that is there (its version is marked as deleted): the put compares, and finds it', async () => {
    await put(opened())
    await put(opened(), 1, packed(1, 'x'))
    server.folder.versions[0]!.deleted = true
    expect([...(await opened().list()).runs]).toEqual([1])
    expect(await put(opened())).toBe('present')
    expect(await put(opened(), 12000, packed(12000, 'other'))).toBe('CONFLICT')
  })
})

describe('a key that the server calls taken and does not find', () => {
  it('fails its run, and holds up no other', async () => {
    fails({
      kind: 'error',
      message: 'Version with key 12000 already exists',
      path: 'key=12000&override',
      times: Infinity,
    })
    const archive = opened()
    expect([await put(archive), await put(archive, 12001)]).toEqual(['STORE_REFUSED', 'stored'])
  })
})
