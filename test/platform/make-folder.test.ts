import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeFolder, makeFolderNow } from '../../src/platform/make-folder.ts'

let root: string
const at = (...names: string[]): string => join(root, ...names)
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'archiver-make-folder.'))
})
afterEach(() => {
  rmSync(root, { recursive: true })
})

describe.each([
  { way: 'later', make: (path: string, mode?: number) => makeFolder(path, mode) },
  {
    way: 'before it returns',
    make: async (path: string, mode?: number) =>
      await Promise.resolve().then(() => makeFolderNow(path, mode)),
  },
])('a folder that is made $way', ({ make }) => {
  it('comes with those above it, in the mode that is asked for, and the uppermost is named', async () => {
    expect(await make(at('a', 'b', 'c'), 0o700)).toBe(at('a'))
    for (const path of [at('a'), at('a', 'b'), at('a', 'b', 'c')])
      expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(await make(at('a', 'b', 'd', 'e'))).toBe(at('a', 'b', 'd'))
    expect(await make(at('a', 'f/'))).toBe(at('a', 'f/'))
  })
  it('may be there, or be a link to a folder', async () => {
    mkdirSync(at('there'))
    symlinkSync(at('there'), at('link'))
    expect(await make(at('there'))).toBeUndefined()
    expect(await make(at('link'))).toBeUndefined()
    expect(await make(at('link', 'below'))).toBe(at('link', 'below'))
    expect(await make('/')).toBeUndefined()
    expect(existsSync(at('there', 'below'))).toBe(true)
  })
  it('cannot stand where a file is, below one, or behind a link that leads nowhere', async () => {
    writeFileSync(at('file'), '')
    symlinkSync(at('nowhere'), at('dead'))
    await expect(make(at('file'))).rejects.toMatchObject({ code: 'EEXIST' })
    await expect(make(at('file', 'x', 'y'))).rejects.toMatchObject({ code: 'ENOTDIR' })
    await expect(make(at('dead'))).rejects.toMatchObject({ code: 'EEXIST' })
    await expect(make(at('dead', 'x'))).rejects.toMatchObject({ code: 'EEXIST', path: at('dead') })
    expect(existsSync(at('nowhere'))).toBe(false)
  })
  it('is refused where the system says that a name in a folder that is there is not', async () => {
    await expect(make('/proc/nothing')).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(make('/proc/nothing/below/it')).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

it('has any name, byte by byte, and may be made by two at once', async () => {
  const odd = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x2f, 0xfe])])
  const made = await Promise.all([makeFolder(odd), makeFolder(odd)])
  expect(made.filter((path) => path !== undefined)).not.toEqual([])
  expect(statSync(odd).isDirectory()).toBe(true)
})

it("is no matter for Node's own way, which does not come back (control)", () => {
  const endless = `require('node:fs').mkdirSync('/proc/nothing', { recursive: true })`
  expect(spawnSync(process.execPath, ['-e', endless], { timeout: 1500 }).error).toMatchObject({
    code: 'ETIMEDOUT',
  })
})
