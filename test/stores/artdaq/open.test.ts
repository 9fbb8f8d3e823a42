import { describe, expect, it } from 'vitest'
import { openDocumentStore, pathOf } from '../../../src/stores/artdaq/open.ts'

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
