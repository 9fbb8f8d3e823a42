import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createFile,
  replaceFile,
  step,
  sweepTemporaries,
  syncDirectory,
} from '../../src/platform/atomic-file.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archiver-files-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('a file that is replaced', () => {
  it('holds the new bytes and leaves nothing beside it', async () => {
    const path = join(folder, 'state.json')
    await writeFile(path, 'old, and longer than the new one')
    await replaceFile(path, 'new')
    expect(await readFile(path, 'utf8')).toBe('new')
    expect(await readdir(folder)).toEqual(['state.json'])
  })

  it('need not have been there', async () => {
    await replaceFile(join(folder, 'new.bin'), new Uint8Array([0, 255, 7]), { mode: 0o600 })
    expect([...(await readFile(join(folder, 'new.bin')))]).toEqual([0, 255, 7])
    expect((await stat(join(folder, 'new.bin'))).mode & 0o777).toBe(0o600)
  })

  it('keeps its permissions', async () => {
    const path = join(folder, 'state.json')
    await writeFile(path, 'old')
    await chmod(path, 0o640)
    await replaceFile(path, 'new')
    expect((await stat(path)).mode & 0o777).toBe(0o640)
  })

  it('takes text of any length in bytes, not in characters', async () => {
    const text = '20 °C '.repeat(100_000)
    await replaceFile(join(folder, 'text'), text)
    expect(await readFile(join(folder, 'text'), 'utf8')).toBe(text)
  })

  it('is left alone where it is a link or a directory', async () => {
    await writeFile(join(folder, 'elsewhere'), 'precious')
    await symlink(join(folder, 'elsewhere'), join(folder, 'link'))
    await mkdir(join(folder, 'directory'))
    await expect(replaceFile(join(folder, 'link'), 'x')).rejects.toMatchObject({ code: 'ELOOP' })
    await expect(replaceFile(join(folder, 'directory'), 'x')).rejects.toMatchObject({ code: 'EISDIR' })
    expect(await readFile(join(folder, 'elsewhere'), 'utf8')).toBe('precious')
  })
})

describe('a file that is created', () => {
  it('is published whole, under its own name only', async () => {
    expect(await createFile(join(folder, 'blob'), 'content')).toBe(true)
    await syncDirectory(folder)
    expect(await readFile(join(folder, 'blob'), 'utf8')).toBe('content')
    expect(await readdir(folder)).toEqual(['blob'])
  })

  it('never takes the place of one that is there', async () => {
    await writeFile(join(folder, 'blob'), 'first')
    expect(await createFile(join(folder, 'blob'), 'second')).toBe(false)
    expect(await readFile(join(folder, 'blob'), 'utf8')).toBe('first')
    expect(await readdir(folder)).toEqual(['blob'])
  })

  it('is created by one of many that try at once', async () => {
    const path = join(folder, 'blob')
    const created = await Promise.all(Array.from({ length: 20 }, (_, i) => createFile(path, `writer ${i}`)))
    expect(created.filter(Boolean)).toHaveLength(1)
    expect(await readFile(path, 'utf8')).toBe(`writer ${created.indexOf(true)}`)
  })

  it('may have a name as long as the file system allows', async () => {
    expect(await createFile(join(folder, 'n'.repeat(255)), 'content')).toBe(true)
  })
})

describe('a folder in which writers were killed', () => {
  it('is rid of their temporary files, and of nothing else', async () => {
    const swept = ['state.json.4294967295', 'state.json.700000000', '.archiver-0123456789abcdef.tmp']
    const copies = ['state.json.1', 'state.json.20261121', `state.json.${Math.floor(Date.now() / 1000)}`]
    const others = ['state.json', 'state.json.backup', 'import.log', 'x.json.700000000', '.archiver.lock']
    for (const name of [...swept, ...copies, ...others]) await writeFile(join(folder, name), '')
    expect([...(await sweepTemporaries(folder, ['state.json']))].sort()).toEqual(swept.sort())
    expect((await readdir(folder)).sort()).toEqual([...copies, ...others].sort())
  })
})

describe('a durable step', () => {
  const hook = Symbol.for('run-archiver.step')
  afterEach(() => Reflect.deleteProperty(globalThis, hook))

  it('does nothing in production', () => {
    expect(() => step('anything')).not.toThrow()
  })

  it('is reported to the test that asked, in the order of docs/ARCHITECTURE.md', async () => {
    const steps: string[] = []
    Reflect.set(globalThis, hook, (name: string) => steps.push(name))
    await replaceFile(join(folder, 'state.json'), 'x')
    expect(steps).toEqual([
      'replace-file: temporary made',
      'replace-file: temporary written',
      'replace-file: renamed',
      'replace-file: directory synced',
    ])
  })
})
