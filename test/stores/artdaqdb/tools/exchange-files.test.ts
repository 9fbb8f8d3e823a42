import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exported } from '../../../../src/stores/artdaqdb/tools/exchange-files.ts'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'exchange-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('what bulkdownloader wrote', () => {
  it('is all documents of both folders; that of the configuration may be missing', async () => {
    writeFileSync(join(folder, 'schema.fcl'), 'a: 1\n')
    expect([...(await exported(folder, 'standard'))]).toEqual([['SystemLayout/schema', 'a: 1\n']])
    mkdirSync(join(folder, 'standard'))
    writeFileSync(join(folder, 'standard', 'boot.fcl'), 'b: 2\n')
    expect([...(await exported(folder, 'standard')).keys()]).toEqual([
      'SystemLayout/schema',
      'RunHistory/boot',
    ])
  })
  it.each([
    ['the folder of the configuration', (at: string) => symlinkSync('standard', join(at, 'standard'))],
    ['a file in its place', (at: string) => writeFileSync(join(at, 'standard'), '')],
    ['the folder itself', (at: string) => rmSync(at, { recursive: true })],
  ])('is never taken for less than it is where the system does not give it: %s', async (_what, damage) => {
    damage(folder)
    await expect(exported(folder, 'standard')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/^cannot read what bulkdownloader wrote: E/) as string,
    })
  })
})
