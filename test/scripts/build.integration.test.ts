import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

describe('a build', () => {
  let root: string
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'build-'))
    for (const name of ['src', 'scripts', 'node_modules', 'package.json', 'tsconfig.json'])
      symlinkSync(resolve(name), join(root, name))
    expect(spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root }).status).toBe(0)
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  /** Which files were missing at any moment while `words` ran. */
  const missingDuring = async (words: readonly string[]): Promise<Set<string>> => {
    const watched = readdirSync(join(root, 'dist')).filter((name) => /^(main|chunk-.*)\.m?js$/.test(name))
    const child = spawn(process.execPath, words, { cwd: root, stdio: 'inherit' })
    let status: number | null | undefined
    child.once('close', (code) => (status = code))
    const missing = new Set<string>()
    while (status === undefined) {
      for (const name of watched) if (!existsSync(join(root, 'dist', name))) missing.add(name)
      await turn()
    }
    expect(status).toBe(0)
    return missing
  }

  it('leaves no moment at which a program that starts lacks a file', async () => {
    expect(await missingDuring(['scripts/build.mjs'])).toEqual(new Set())
  }, 120_000)
  it('leaves nothing of the build before it', async () => {
    writeFileSync(join(root, 'dist', 'chunk-OLDOLD22.mjs'), '')
    await missingDuring(['scripts/build.mjs'])
    const built = readdirSync(join(root, 'dist'))
    expect(built).not.toContain('chunk-OLDOLD22.mjs')
    expect(built).toContain('main.mjs')
    expect(readdirSync(root).filter((name) => name.startsWith('dist'))).toEqual(['dist'])
  }, 120_000)
  it('control: a folder that is removed and put back is seen', async () => {
    const swap = `const { cpSync, renameSync, rmSync } = require('node:fs')
      cpSync('dist', 'aside', { recursive: true }); rmSync('dist', { recursive: true }); renameSync('aside', 'dist')`
    expect((await missingDuring(['-e', swap])).size).toBeGreaterThan(0)
  })
})
