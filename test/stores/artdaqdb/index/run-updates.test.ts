import { mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDb, never, sampleRun, store } from '../runs.ts'

let path: string
beforeEach(() => (path = join(mkdtempSync(join(tmpdir(), 'updates-')), 'db')))
afterEach(() => rmSync(path, { recursive: true, force: true }))

/** What the Python original does at a run's end: the named documents get the version `...v1`, nothing is stored twice. */
const asOriginal = (run: number, ...entities: readonly string[]): void => {
  for (const collection of ['RunHistory', 'SystemLayout']) {
    const folder = join(path, collection)
    for (const name of readdirSync(folder)) {
      const file = join(folder, name)
      const text = readFileSync(file, 'utf8')
      if (name !== 'index.json' && entities.some((entity) => text.includes(`"name" : "${entity}"`)))
        writeFileSync(
          file,
          text.replace(`"version" : "${run}/standard00001"`, `"version" : "${run}/standard00001v1"`),
        )
    }
    unlinkSync(join(folder, 'index.json')) // read from the documents
  }
}

describe('a run of the Python original whose last documents have a version of their own', () => {
  it.each([[['RunHistory']], [['RunHistory', 'schema']]])('has no update (%s)', async (entities) => {
    await store(openDb(path), { ...sampleRun(7), manifest: undefined })
    asOriginal(7, ...entities)
    const { runs, updates } = await openDb(path).list()
    expect([runs.toString(), [...updates]]).toEqual(['7', []])
    expect((await openDb(path).read(7, never)).update).toBe(0)
  })

  it('has one where the record that changed was ours', async () => {
    await store(openDb(path), sampleRun(7))
    await store(
      openDb(path),
      sampleRun(7, { boot: 'debug_level: 2\n', metadata: 'x: 1\n' }, { signature: 's2' }),
    )
    expect([...(await openDb(path).list()).updates]).toEqual([[7, 1]])
    expect((await openDb(path).read(7, never)).update).toBe(1)
  })
})
