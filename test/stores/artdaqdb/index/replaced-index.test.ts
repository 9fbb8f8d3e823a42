import { copyFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { never, openDb, sampleRun, store } from '../runs.ts'

const HOOK = Symbol.for('run-archiver.step')
const hooks = globalThis as Record<symbol, unknown>
let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'replaced-index-'))
  path = join(folder, 'db')
})
afterEach(() => {
  hooks[HOOK] = undefined
  rmSync(folder, { recursive: true, force: true })
})

/** Does something when the program comes to a step. */
const at = (step: string, work: () => void): void => {
  hooks[HOOK] = (name: string) => {
    if (name === step) work()
  }
}

describe('an index that artdaq has replaced in the moment after ours was written', () => {
  it('is what a listing in the same process says, and not ours', async () => {
    await store(openDb(path), sampleRun(1))
    const other = join(folder, 'other')
    cpSync(path, other, { recursive: true })
    await store(openDb(other), sampleRun(2))
    const db = openDb(path)
    await db.list()
    await db.put(sampleRun(3), never)
    const written = ['RunHistory', 'SystemLayout'].values()
    at('artdaq-index: renamed', () => {
      const collection = written.next().value ?? ''
      const theirs = join(other, collection, 'index.json')
      cpSync(join(other, collection), join(path, collection), {
        recursive: true,
        filter: (file) => file !== theirs,
      })
      copyFileSync(theirs, join(path, collection, 'index.json'))
    })
    await db.commit()
    hooks[HOOK] = undefined
    expect(written.next().done).toBe(true)
    const listing = await db.list()
    expect(listing.runs.toString()).toBe((await openDb(path).list()).runs.toString())
    expect(listing.incomplete.toString()).toBe((await openDb(path).list()).incomplete.toString())
    expect([listing.runs.toString(), listing.incomplete.toString()]).toEqual(['1-2', '3'])
  })

  it('is not read again where nobody replaced it', async () => {
    const db = openDb(path)
    await store(db, sampleRun(1))
    const [database] = db.databases
    const held = ['RunHistory', 'SystemLayout'].map((name) => database?.collection(name).heldKey)
    expect(held.filter((key) => key !== undefined)).toHaveLength(2)
  })
})
