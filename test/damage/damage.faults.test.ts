import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { artdaqCheck, artdaqExport } from '../../src/commands/artdaq.ts'
import { audit } from '../../src/commands/audit.ts'
import { extract } from '../../src/commands/extract.ts'
import { verify } from '../../src/commands/verify.ts'
import { contextOf } from '../context.ts'
import { Site } from '../site.ts'

const COUNT = Number(process.env['ARCHIVER_DAMAGES'] ?? 25)
const SEED = Number(process.env['ARCHIVER_SEED'] ?? 20261128)
const RUNS = [1, 2, 3]

/** The same sequence for each seed (mulberry32). */
const randomOf = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const filesBelow = (root: string): string[] =>
  existsSync(root)
    ? readdirSync(root, { recursive: true, encoding: 'utf8' })
        .map((name) => join(root, name))
        .filter((path) => statSync(path).isFile())
        .sort()
    : []

/** Everything below a folder: names, modes and bytes. */
const contentOf = (root: string): string =>
  JSON.stringify(
    filesBelow(root).map((path) => [
      path.slice(root.length),
      statSync(path).mode,
      readFileSync(path, 'latin1'),
    ]),
  )

let site: Site
beforeAll(() => {
  site = new Site()
  for (const run of RUNS)
    site.record(run, { files: { 'notes.bin': Buffer.from([0, 255, run]), 'x.fcl': `x: ${run} # y\n` } })
  if (site.archiver().status !== 0) throw new Error('the site was not archived')
  for (const place of ['db', 'archive', 'work'])
    cpSync(site.path(place), site.path('sound', place), { recursive: true })
})
afterAll(() => site.remove())

const heal = (): void => {
  for (const place of ['db', 'archive', 'work']) {
    rmSync(site.path(place), { recursive: true, force: true })
    cpSync(site.path('sound', place), site.path(place), { recursive: true })
  }
}

/** The exit code of a command, called as the command line calls it; 1 for what it throws. */
const exitOf = (work: Promise<number>): Promise<number> => work.catch(() => 1)

/** What readers are given of a run, as text; undefined where the command fails. */
const given = async (run: number, reader: 'artdaq' | 'archive' | 'export'): Promise<string | undefined> => {
  const to = site.path('out')
  rmSync(to, { recursive: true, force: true })
  const about = { config: site.config, run: String(run), to }
  const code = await exitOf(
    reader === 'export' ? artdaqExport(about, contextOf()) : extract({ ...about, from: reader }, contextOf()),
  )
  return code === 0 ? contentOf(to) : undefined
}

const READERS = ['artdaq', 'archive', 'export'] as const

/** Damages one or two files, and says how. */
const damage = (random: () => number): string => {
  const files = ['db', 'archive', 'work'].flatMap((place) => filesBelow(site.path(place)))
  const pick = (): string => files[Math.floor(random() * files.length)]!
  const path = pick()
  const size = statSync(path).size
  const kind = ['bit', 'bit', 'bit', 'cut', 'zeros', 'swap', 'name', 'gone'][Math.floor(random() * 8)]!
  const at = Math.floor(random() * size)
  const bytes = readFileSync(path)
  chmodSync(path, 0o644)
  if (kind === 'bit' && size > 0) {
    bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8))
    writeFileSync(path, bytes)
  } else if (kind === 'cut') truncateSync(path, at)
  else if (kind === 'zeros') writeFileSync(path, bytes.fill(0, at, Math.min(size, at + 64)))
  else if (kind === 'swap') {
    const other = pick()
    renameSync(path, `${path}.x`)
    if (other !== path) renameSync(other, path)
    renameSync(`${path}.x`, other)
  } else if (kind === 'name') renameSync(path, `${path.slice(0, -1)}~`)
  else if (kind === 'gone') rmSync(path)
  return `${kind} ${path.slice(site.root.length)} at ${at}`
}

describe('random damage', () => {
  it(
    `of ${COUNT} kinds gives no reader wrong bytes, and is found where one could be given any`,
    async () => {
      const random = randomOf(SEED)
      const sound = new Map<string, string | undefined>()
      for (const run of RUNS)
        for (const reader of READERS) sound.set(`${run} ${reader}`, await given(run, reader))
      expect([...sound.values()]).not.toContain(undefined)
      const wrong: string[] = []
      for (let n = 0; n < COUNT; n++) {
        heal()
        const what = damage(random)
        let failed = false
        for (const run of RUNS)
          for (const reader of READERS) {
            const text = await given(run, reader)
            if (text === undefined) failed = true
            else if (text !== sound.get(`${run} ${reader}`))
              wrong.push(`${what}: wrong bytes of ${run} from ${reader}`)
          }
        if (!failed) continue
        const { config } = site
        const codes = [
          await exitOf(verify({ config }, contextOf())),
          await exitOf(audit({ config, deep: true }, contextOf())),
          await exitOf(artdaqCheck({ config }, contextOf())),
        ]
        if (codes.every((code) => code === 0)) wrong.push(`${what}: found by nothing`)
      }
      heal()
      expect(wrong).toEqual([])
    },
    60_000 + COUNT * 3000,
  )

  it('is noticed by this test: a blob and its checksum file that both say something else are wrong bytes', async () => {
    heal()
    const before = await given(1, 'archive')
    const [blob] = filesBelow(site.path('archive')).filter((path) => path.endsWith('/1.txt'))
    chmodSync(blob!, 0o644)
    writeFileSync(blob!, readFileSync(blob!, 'utf8').replace('debug_level', 'debug_lexel'))
    expect(await given(1, 'archive')).toBeUndefined()
    // The check of the blob, switched off: its checksum file is made for what stands there now.
    const { checksumOf, formatChecksum } = await import('../../src/stores/ucondb/checksum-file.ts')
    const sum = blob!.replace('.txt', '.sha256')
    chmodSync(sum, 0o644)
    writeFileSync(sum, formatChecksum(checksumOf(readFileSync(blob!), '1.txt', Date.now())))
    const after = await given(1, 'archive')
    expect(after).toBeDefined()
    expect(after).not.toBe(before)
    expect(await exitOf(verify({ config: site.config }, contextOf()))).toBe(1)
    heal()
  })
})
