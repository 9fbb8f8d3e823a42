import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeFiles } from '../../../src/web/written/write-files.ts'

let root: string
let folder: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'written-'))
  folder = join(root, 'page')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const all = (): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .sort()
const pages = (names: readonly string[], text: string) =>
  new Map(names.map((name) => [name, `${text} of ${name}`]))
const LIST = '.run-archiver-page.json'

describe('a folder of written pages', () => {
  it('holds the files of the last call, and nothing that an earlier one wrote', async () => {
    await writeFiles(folder, pages(['index.html', 'runs/1.html', 'runs/2.html', 'old/3.html'], 'first'))
    writeFileSync(join(folder, 'robots.txt'), 'mine')
    expect(await writeFiles(folder, pages(['index.html', 'runs/2.html'], 'second'))).toEqual({ removed: 2 })
    expect(all()).toEqual([LIST, 'index.html', 'robots.txt', 'runs/2.html'])
    expect(readFileSync(join(folder, 'runs/2.html'), 'utf8')).toBe('second of runs/2.html')
    expect(existsSync(join(folder, 'old'))).toBe(false)
  })

  it('is refused where it holds what this program did not write', async () => {
    mkdirSync(folder)
    writeFileSync(join(folder, 'index.html'), 'mine')
    await expect(writeFiles(folder, pages(['index.html'], 'x'))).rejects.toThrow('did not write')
    expect(readFileSync(join(folder, 'index.html'), 'utf8')).toBe('mine')
  })

  it.each([
    '{"files": ["../victim"]}',
    '{"files": ["/etc/x"]}',
    '{"files": ["a/../../victim"]}',
    '{"files": [7]}',
    '{',
  ])('is refused where its list names a file outside of it or is damaged: %s', async (list) => {
    mkdirSync(folder)
    writeFileSync(join(root, 'victim'), 'mine')
    writeFileSync(join(folder, LIST), list)
    writeFileSync(join(folder, 'index.html'), 'x')
    await expect(writeFiles(folder, pages(['index.html'], 'x'))).rejects.toThrow('did not write')
    expect(existsSync(join(root, 'victim'))).toBe(true)
  })

  it('has only whole files wherever a call is cut off, and the next one makes all of them new', async () => {
    const hook = Symbol.for('run-archiver.step')
    const names = ['index.html', 'runs/1.html']
    let steps = 0
    for (let cut = 1; ; cut++) {
      rmSync(folder, { recursive: true, force: true })
      await writeFiles(folder, pages([...names, 'stale.html'], 'old'))
      steps = 0
      Object.assign(globalThis, { [hook]: () => { if (++steps === cut) throw new Error('cut off') } }) // prettier-ignore
      const isCut = await writeFiles(folder, pages(names, 'new')).then(
        () => false,
        () => true,
      )
      Reflect.deleteProperty(globalThis, hook)
      for (const name of all().filter((file) => file !== LIST && !/\.\d+$/.test(file)))
        expect([`old of ${name}`, `new of ${name}`]).toContain(readFileSync(join(folder, name), 'utf8'))
      await writeFiles(folder, pages(names, 'newer'))
      expect(all()).toEqual([LIST, ...names].sort())
      for (const name of names) expect(readFileSync(join(folder, name), 'utf8')).toBe(`newer of ${name}`)
      if (!isCut) break
    }
    expect(steps).toBeGreaterThan(12)
  })
})
