import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDocumentStore, pathOf } from '../../../src/stores/artdaqdb/open.ts'
import { never, NOW, openDb, sampleRun, store } from './runs.ts'

const settings = { keepOriginals: true, useTools: false, now: () => 0 }
const invalid = (text: RegExp): Error =>
  expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(text) as string }) as Error

describe('the URI of a database', () => {
  it('is a path, with one slash at its end taken off', () => {
    expect(pathOf('filesystemdb:///data/db/icarus_db/')).toBe('/data/db/icarus_db')
  })

  it('may not hold what artdaq would expand', () => {
    for (const path of ['/data/$HOME', '/data/$(id)', '/data/a b', '/data/*', '~/db', "/data/'x'"])
      expect(() => pathOf(`filesystemdb://${path}`)).toThrow(invalid(/hand to a shell/))
  })

  it('of MongoDB needs the tools, and says so without its password', () => {
    const open = () => openDocumentStore({ ...settings, databaseUris: ['mongodb://me:canary@host/db'] })
    expect(open).toThrow(invalid(/^artdaq_db.database_uri: mongodb:\/\/host\/db needs use_tools: true$/))
  })

  it('may be several for the native store, and one for the tools', () => {
    const databaseUris = ['filesystemdb:///data/2025', 'filesystemdb:///data/2026']
    expect(() => openDocumentStore({ ...settings, databaseUris })).not.toThrow()
    expect(() => openDocumentStore({ ...settings, databaseUris, useTools: true })).toThrow(invalid(/one URI/))
  })
})

describe('a database of which runs were stored before, and that is gone or empty', () => {
  it('is a disk that is not mounted: nothing is listed, and no second database is begun on the mount point', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
    try {
      const path = join(folder, 'db')
      const open = (...paths: readonly string[]) =>
        openDocumentStore({
          databaseUris: paths.map((one) => `filesystemdb://${one}`),
          keepOriginals: true,
          useTools: false,
          expectExisting: true,
          now: () => NOW,
        })
      const away = { code: 'STORE_UNAVAILABLE', message: expect.stringContaining(path) as string }
      for (const made of [false, true]) {
        if (made) mkdirSync(path)
        await expect(open(path).list()).rejects.toMatchObject(away)
        await expect(open(path).put(sampleRun(1), never)).rejects.toMatchObject(away)
        expect(existsSync(join(path, 'RunHistory'))).toBe(false)
      }
      await store(openDb(path), sampleRun(1))
      expect((await open(path).list()).runs.toString()).toBe('1')
      // A new year's database at the end of the list is made by the first import.
      expect((await open(path, join(folder, 'new')).list()).runs.toString()).toBe('1')
      await expect(open(join(folder, 'old'), path).list()).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
      })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
