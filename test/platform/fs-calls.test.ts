import { constants, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { direct, pooled } from '../../src/platform/fs-calls.ts'
import { readFile, readSmallFile } from '../../src/platform/read-file.ts'

const FLAGS = constants.O_RDONLY
const folder = mkdtempSync(join(tmpdir(), 'fs-calls-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

describe.each([
  ['pooled', pooled],
  ['direct', direct],
])('a file that is read in one call, %s', (_, calls) => {
  const file = join(folder, 'twelve')
  writeFileSync(file, 'twelve bytes')

  it('gives as many bytes as are wanted, and fewer where it has no more', async () => {
    expect((await calls.contents(file, FLAGS, ({ size }) => size)).toString()).toBe('twelve bytes')
    expect((await calls.exactContents(file, FLAGS, () => 6)).toString()).toBe('twelve')
    expect((await calls.contents(file, FLAGS, () => 100)).toString()).toBe('twelve bytes')
  })

  it('rejects with what looking at it throws, and closes it', async () => {
    const refused = new Error('refused')
    const refuse = (): never => {
      throw refused
    }
    const openNow = (): number => readdirSync('/proc/self/fd').length
    const before = openNow()
    for (let i = 0; i < 20; i++) await expect(calls.contents(file, FLAGS, refuse)).rejects.toBe(refused)
    expect(openNow()).toBeLessThan(before + 10)
  })

  it('rejects with the system’s error', async () => {
    await expect(calls.contents(join(folder, 'none'), FLAGS, () => 0)).rejects.toThrow(/ENOENT/)
    await expect(calls.lstats([Buffer.from(join(folder, 'none'))])).rejects.toThrow(/ENOENT/)
  })
})

describe('a small file', () => {
  const file = join(folder, 'five')
  writeFileSync(file, '12345')
  mkdirSync(join(folder, 'folder'))

  it('is read below a size, and not from that size on', async () => {
    expect(await readSmallFile(file, 6)).toEqual(Buffer.from('12345'))
    expect(await readSmallFile(file, 5)).toBe('large')
    expect((await readFile(file)).toString()).toBe('12345')
  })

  it('is no folder', async () => {
    await expect(readSmallFile(join(folder, 'folder'), 10)).rejects.toMatchObject({ code: 'EISDIR' })
  })
})
