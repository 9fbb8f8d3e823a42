import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkTwice } from '../../../src/stores/artdaqdb/check-twice.ts'
import { openDb, sampleRun, store } from './runs.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const path = (name: string): string => join(folder, name)

const found = async (...names: readonly string[]): Promise<readonly string[]> => {
  const databases = names.flatMap((name) => openDb(path(name)).databases)
  return (await checkTwice(databases, new Set())).map(
    ({ kind, path: where, run }) => `${kind} ${where} ${run}`,
  )
}

describe('a run that two databases hold', () => {
  it('is no finding where they hold the same, as a move that was cut short leaves it', async () => {
    await store(openDb(path('older')), sampleRun(5), sampleRun(6))
    cpSync(path('older'), path('newer'), { recursive: true })
    expect(await found('older', 'newer')).toEqual([])
  })

  it('with other content is named in the older one, and no other run is', async () => {
    await store(openDb(path('older')), sampleRun(5), sampleRun(6), sampleRun(7))
    const changed = sampleRun(6, { boot: 'debug_level: 2\n', metadata: 'config_name: "x"\n' })
    await store(openDb(path('newer')), sampleRun(5), changed, sampleRun(8))
    expect(await found('older', 'newer')).toEqual([`duplicate ${path('older')} 6`])
    expect(await found('newer')).toEqual([])
  })
})
