import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { artdaqCheck, artdaqExport, artdaqList, artdaqRepair, artdaqShow } from '../../src/commands/artdaq.ts'
import { checkText } from '../../src/commands/artdaq-text.ts'
import { contextOf } from '../context.ts'
import { golden, hasGolden } from '../stores/artdaqdb/golden.ts'
import { openDb, sampleRun, store } from '../stores/artdaqdb/runs.ts'

let folder: string
let config: string
let said: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
  config = configure('filesystemdb://')
  said = ''
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const configure = (scheme: string, more = ''): string => {
  const path = join(folder, 'config.yaml')
  writeFileSync(
    path,
    [
      'app:',
      `  work_dir: ${join(folder, 'work')}`,
      'source_files:',
      `  run_records_dir: ${join(folder, 'records')}`,
      'artdaq_db:',
      `  database_uri: ${scheme}${join(folder, 'db')}`,
      ...(more === '' ? [] : [`  ${more}`]),
      'ucon_db:',
      `  server_url: file://${join(folder, 'archive')}`,
      '',
    ].join('\n'),
  )
  return path
}

const context = contextOf({ out: (text) => (said += text) })

describe('artdaq list', () => {
  it('tells whole runs, runs in part and updates, and exits 1 when a run is not whole', async () => {
    const db = openDb(join(folder, 'db'))
    await store(db, sampleRun(1, { boot: 'a: 1\n' }, { ended: false }), sampleRun(2))
    await store(db, sampleRun(1, { boot: 'a: 2\n' }))
    expect(await artdaqList({ config }, context)).toBe(0)
    expect(said).toBe('2 runs: 1-2\nRun 1: 1 update\n')
    said = ''
    await openDb(join(folder, 'db')).put(sampleRun(7), context.signal)
    expect(await artdaqList({ config, json: true }, context)).toBe(1)
    expect(JSON.parse(said)).toMatchObject({ runs: '1-2', count: 2, incomplete: '7', updates: { 1: 1 } })
  })
})

describe('artdaq show', () => {
  it('tells a run by its documents, with the file that each was made from', async () => {
    await store(openDb(join(folder, 'db')), sampleRun(12))
    expect(await artdaqShow({ config, run: '000012' }, context)).toBe(0)
    expect(said).toMatch(
      /^Run 12: configuration 12\/standard00001 in .*\n4 documents, 0 updates, with the original files\n/,
    )
    expect(said).toMatch(/RunHistory\/boot {2}12\/standard00001 {2}[0-9a-f]{24} {2}from boot\.fcl\n/)
  })

  it('does not find what is not there', async () => {
    await expect(artdaqShow({ config, run: '12' }, context)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(artdaqShow({ config, run: 'x' }, context)).rejects.toMatchObject({ code: 'USAGE' })
  })
})

describe.skipIf(!hasGolden)('artdaq export', () => {
  it("gives the bytes and folders of artdaq's bulkdownloader", async () => {
    cpSync(join(golden, 'main', 'db'), join(folder, 'db'), { recursive: true })
    const to = join(folder, 'out')
    expect(await artdaqExport({ config, run: '2001', to }, context)).toBe(0)
    const expected = join(golden, 'main', 'export_bulkdownloader', '2001_np04_teststand_tests00003')
    const files = (below: string) => (readdirSync(below, { recursive: true }) as string[]).sort()
    expect(files(to)).toEqual(files(expected))
    for (const name of files(to))
      if (name.endsWith('.fcl'))
        expect(readFileSync(join(to, name), 'utf8')).toBe(readFileSync(join(expected, name), 'utf8'))
  })
})

describe('artdaq check and artdaq repair', () => {
  it('find a lost index entry, exit 1, mend it, and find nothing more', async () => {
    await openDb(join(folder, 'db')).put(sampleRun(12), context.signal)
    expect(await artdaqCheck({ config }, context)).toBe(1)
    expect(said).toMatch(/^orphan: .*\.json: it is on disk and not in the index\n/)
    said = ''
    expect(await artdaqRepair({ config }, context)).toBe(0)
    expect(said).toMatch(
      /RunHistory: index written again with 3 documents, because 3 documents were not in it; the old one is /,
    )
    said = ''
    expect(await artdaqCheck({ config, json: true }, context)).toBe(0)
    expect(JSON.parse(said)).toEqual({ sound: true, findings: [] })
  })

  it('say so where there are no files to look into', async () => {
    config = configure('mongodb://host', 'use_tools: true')
    await expect(artdaqCheck({ config }, context)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

describe('a database that is not there, or is an empty mount point', () => {
  it.each([
    ['artdaq list', artdaqList],
    ['artdaq check', artdaqCheck],
    ['artdaq repair', artdaqRepair],
  ])('is told by %s, never found in order', async (_, command) => {
    await expect(command({ config }, context)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    mkdirSync(join(folder, 'db'))
    await expect(command({ config }, context)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(said).toBe('')
  })
})

describe('what artdaq check promises of artdaq repair', () => {
  it('is no more than that does: the last database, and no duplicates', () => {
    const text = checkText([{ kind: 'duplicate', path: '/a', message: 'twice' }], '/b')
    expect(text).toContain('It repairs /b alone')
    expect(text).toContain('Neither removes a duplicate')
    expect(checkText([{ kind: 'orphan', path: '/a', message: 'x' }])).not.toMatch(/alone|duplicate/)
  })
})
