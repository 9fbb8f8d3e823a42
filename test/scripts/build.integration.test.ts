import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
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
    const watched = readdirSync(join(root, 'dist')).filter((name) =>
      /^(main|program-.*|chunk-.*)\.[cm]?js$/.test(name),
    )
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
    expect(built).toContain('main.js')
    expect(readdirSync(root).filter((name) => name.startsWith('dist'))).toEqual(['dist'])
  }, 120_000)
  it('control: a folder that is removed and put back is seen', async () => {
    // It is gone for a millisecond: a machine that is busy may look away for so long, but not each time.
    const swap = `const { cpSync, renameSync, rmSync } = require('node:fs')
      for (let time = 0; time < 20; time++) {
        cpSync('dist', 'aside', { recursive: true }); rmSync('dist', { recursive: true }); renameSync('aside', 'dist')
      }`
    expect((await missingDuring(['-e', swap])).size).toBeGreaterThan(0)
  })
})

const flipped = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 16
  return copy
}

describe('the program, compiled ahead', () => {
  let root: string
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'compiled-'))
    cpSync('dist', join(root, 'dist'), { recursive: true })
    symlinkSync(resolve('node_modules'), join(root, 'node_modules'))
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  const fileOf = (ending: string): string =>
    join(
      root,
      'dist',
      readdirSync(join(root, 'dist')).find((name) => name.startsWith('program-') && name.endsWith(ending)) ??
        '',
    )
  const isRefused = (): string =>
    spawnSync(
      process.execPath,
      [
        '-p',
        `require(${JSON.stringify(join(root, 'dist', 'load-program.cjs'))}).compile().cachedDataRejected`,
      ],
      { encoding: 'utf8' },
    ).stdout.trim()
  const help = () =>
    spawnSync(process.execPath, [join(root, 'dist', 'main.js'), '--help'], { encoding: 'utf8' })

  it('is taken by the version of Node that built it', () => expect(isRefused()).toBe('false'))
  it('loads no package with import(), which such code has not', () =>
    expect(readFileSync(fileOf('.cjs'), 'utf8')).not.toMatch(/\bimport\(/))
  const resealed = (code: Buffer): Buffer => Buffer.concat([code, createHash('sha256').update(code).digest()])
  it.each<[string, string, (compiled: Buffer) => Buffer]>([
    [
      'is of another version of V8',
      'true',
      (compiled) =>
        resealed(Buffer.concat([compiled.subarray(0, 4), Buffer.alloc(12, 1), compiled.subarray(16, -32)])),
    ],
    ['is cut short', 'undefined', (compiled) => compiled.subarray(0, 1000)],
    ['is empty', 'undefined', () => Buffer.alloc(0)],
    ...Array.from({ length: 3 }, (_, at): [string, string, (compiled: Buffer) => Buffer] => [
      `has a bit flipped after ${at} of three parts`,
      'undefined',
      (compiled) => flipped(compiled, Math.floor((compiled.length * at) / 3)),
    ]),
  ])('starts likewise where that code %s', (_what, refused, damage) => {
    const whole = help()
    expect(whole).toMatchObject({ status: 0, stderr: '' })
    const file = fileOf('.compiled')
    const compiled = readFileSync(file)
    writeFileSync(file, damage(compiled))
    expect(isRefused()).toBe(refused)
    expect(help()).toMatchObject({ status: 0, stdout: whole.stdout, stderr: '' })
    writeFileSync(file, compiled)
  })
  it('would be run by V8 with a bit flipped in it (control)', () => {
    const code = readFileSync(fileOf('.compiled')).subarray(0, -32)
    const damaged = join(root, 'damaged')
    writeFileSync(damaged, flipped(code, code.length >> 1))
    const run = `const { readFileSync } = require('node:fs')
      const cachedData = readFileSync(${JSON.stringify(damaged)})
      console.log(new (require('node:vm').Script)(readFileSync(${JSON.stringify(fileOf('.cjs'))}, 'latin1'), { cachedData }).cachedDataRejected)`
    const { stdout, signal } = spawnSync(process.execPath, ['-e', run], { encoding: 'utf8' })
    expect(signal === null ? stdout.trim() : 'a crash').toMatch(/^(?:false|a crash)$/)
  })
  it('starts likewise without that code', () => {
    rmSync(fileOf('.compiled'))
    expect(help()).toMatchObject({ status: 0, stderr: '' })
  })
})
