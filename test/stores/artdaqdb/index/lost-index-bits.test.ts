import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { exportedFiles } from '../../../../src/stores/artdaqdb/read/export-run.ts'
import { sized } from '../../../sized.ts'
import { never, openDb, sampleRun, store } from '../runs.ts'

const UPDATED = { boot: 'debug_level: 2\n', metadata: '# about it\nconfig_name: "x"\n' }

/** Of so many bytes one is harmed. */
const EACH = sized(7, 1)

let folder: string
let path: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
  path = join(folder, 'db')
  await store(openDb(path), sampleRun(1), sampleRun(2))
  await store(openDb(path), sampleRun(2, UPDATED, { signature: 's2' }))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** What readers are given of run 2, and its updates; the code of the error where they are given nothing. */
const given = async (): Promise<string> => {
  try {
    const { documents, update } = await openDb(path).read(2, never)
    const files = await exportedFiles(openDb(path).databases[0]!, 2)
    return JSON.stringify([
      documents.map(({ text }) => text.toString()),
      update,
      files.map(({ text }) => text),
    ])
  } catch (error) {
    return (error as { code: string }).code
  }
}

it.each(['SystemLayout', 'RunHistory'])(
  'a bit of the index of %s that is lost never gives a reader the run as it was before its update',
  async (collection) => {
    const index = join(path, collection, 'index.json')
    const bytes = readFileSync(index)
    const sound = await given()
    expect(sound).toContain('debug_level: 2')
    const wrong: string[] = []
    let refused = 0
    for (let at = 0; at < bytes.length; at += EACH) {
      const harmed = Buffer.from(bytes)
      harmed[at] = harmed[at]! ^ (1 << (at % 8))
      writeFileSync(index, harmed)
      const answer = await given()
      if (answer === 'STORE_CORRUPT' || answer === 'NOT_FOUND') refused++
      else if (answer !== sound) wrong.push(`byte ${at}: ${answer.slice(0, 100)}`)
    }
    expect(wrong).toEqual([])
    expect(refused).toBeGreaterThan(10 / EACH)
  },
)
