import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Database } from '../../../../src/stores/artdaqdb/index/database.ts'
import { openDb, sampleRun, store } from '../runs.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shared-reading-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('an index that several ask for at once is read once: that of a year takes a hundred megabytes', async () => {
  const path = join(folder, 'db')
  await store(openDb(path), sampleRun(1))
  const collection = new Database(path).collection('RunHistory')
  const [first, ...others] = await Promise.all([collection.index(), collection.index(), collection.index()])
  for (const other of others) expect(other).toBe(first)
  const [listed, again] = await Promise.all([collection.difference(), collection.difference()])
  expect(again).toBe(listed)
})
