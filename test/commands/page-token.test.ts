import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pageToken } from '../../src/commands/page-token.ts'
import { contextOf } from '../context.ts'

const TOKEN = '0123456789abcdef'
let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'token-'))
  file = join(folder, 'token')
  writeFileSync(file, `${TOKEN}\n`, { mode: 0o640 })
})
afterEach(() => rmSync(folder, { recursive: true }))

const read = async (): Promise<{ token: string; said: string }> => {
  let said = ''
  const token = await pageToken(file, contextOf({ err: (text) => (said += text) }))
  return { token: token.current(), said }
}

describe('the token file of the page', () => {
  it('is read without a word where only its owner and group may read it', async () => {
    expect(await read()).toEqual({ token: TOKEN, said: '' })
  })
  it.each([0o644, 0o641 + 1])(
    'that others may read or write is warned about, and taken: mode %o',
    async (mode) => {
      chmodSync(file, mode)
      const { token, said } = await read()
      expect(token).toBe(TOKEN)
      expect(said).toBe(`warning: others may read or write the token file ${file}; chmod 640\n`)
    },
  )
  it('is read again when it was replaced; while it holds none, nobody is let in', async () => {
    const token = await pageToken(file, contextOf({}))
    writeFileSync(file, 'fedcba9876543210\n')
    expect(token.current()).toBe('fedcba9876543210')
    writeFileSync(file, '')
    expect(token.current()).toBe('fedcba9876543210')
    expect(token.accepted()).toBeUndefined()
    writeFileSync(file, TOKEN)
    expect(token.accepted()).toBe(TOKEN)
  })
  it('lets nobody in when it was removed; one that came through a pipe stays', async () => {
    const token = await pageToken(file, contextOf({}))
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const [piped] = await Promise.all([pageToken(pipe, contextOf({})), writeFile(pipe, TOKEN)])
    rmSync(file)
    rmSync(pipe)
    expect([token.accepted(), piped.accepted()]).toEqual([undefined, TOKEN])
  })
  it('holds nobody up where a FIFO without a writer has taken its place', async () => {
    const token = await pageToken(file, contextOf({}))
    rmSync(file)
    execFileSync('mkfifo', [file])
    expect(token.current()).toBe(TOKEN)
  })
  it('is refused by name where it is not there, or holds no token', async () => {
    writeFileSync(file, 'short')
    await expect(read()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('16 to 512') as string,
    })
    rmSync(file)
    await expect(read()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('cannot be read') as string,
    })
  })
})
