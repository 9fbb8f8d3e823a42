import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { artdaqCheck, artdaqExport } from '../../src/commands/artdaq.ts'
import { audit } from '../../src/commands/audit.ts'
import { extract } from '../../src/commands/extract.ts'
import { mainCommand } from '../../src/commands/main-command.ts'
import { verify } from '../../src/commands/verify.ts'
import { fhiclFromJson } from '../../src/fhicl/from-json.ts'
import { readJson } from '../../src/fhicl/json/parser.ts'
import { checksumOf, formatChecksum } from '../../src/stores/ucondb/checksum-file.ts'
import { contextOf } from '../context.ts'
import { Site } from '../site.ts'
import { randomFrom } from '../crash/random.ts'
import { contentOf, damage, filesBelow, KINDS } from './damages.ts'

/** Damages whose commands are called as functions. A twentieth of them go through the command line. */
const COUNT = Number(process.env['ARCHIVER_DAMAGES'] ?? 20)
const SEED = Number(process.env['ARCHIVER_SEED'] ?? 20261128)
const THROUGH_COMMAND_LINE = Math.ceil(COUNT / 20)
const RUNS = [1, 2, 3]
const PLACES = ['db', 'archive', 'work']

let site: Site
beforeAll(() => {
  site = new Site()
  for (const run of RUNS)
    site.record(run, { files: { 'notes.bin': Buffer.from([0, 255, run]), 'x.fcl': `x: ${run} # y\n` } })
  if (site.archiver().status !== 0) throw new Error('the site was not archived')
  for (const place of PLACES) cpSync(site.path(place), site.path('sound', place), { recursive: true })
})
afterAll(() => site.remove())

const heal = (): void => {
  for (const place of PLACES) {
    rmSync(site.path(place), { recursive: true, force: true })
    cpSync(site.path('sound', place), site.path(place), { recursive: true })
  }
}

/** The exit code of a command, called as the command line calls it; 1 for what it throws. */
const exitOf = (work: Promise<number>): Promise<number> => work.catch(() => 1)

type Reader = 'artdaq' | 'archive' | 'export'
const READERS: readonly Reader[] = ['artdaq', 'archive', 'export']

/** A way to call the commands; each gives the exit code. */
interface Commands {
  read(run: number, reader: Reader, to: string): Promise<number>
  /** Those that look for damage. */
  checks(): Promise<number[]>
  pass(): Promise<number>
}

const functions: Commands = {
  read: (run, reader, to) => {
    const about = { config: site.config, run: String(run), to }
    return exitOf(
      reader === 'export'
        ? artdaqExport(about, contextOf())
        : extract({ ...about, from: reader }, contextOf()),
    )
  },
  checks: async () => {
    const { config } = site
    return [
      await exitOf(verify({ config }, contextOf())),
      await exitOf(audit({ config, deep: true }, contextOf())),
      await exitOf(artdaqCheck({ config }, contextOf())),
    ]
  },
  pass: () => exitOf(mainCommand({ config: site.config }, contextOf())),
}

const commandLine: Commands = {
  read: (run, reader, to) =>
    Promise.resolve(
      (reader === 'export'
        ? site.command('artdaq export', String(run), '--to', to)
        : site.command('extract', String(run), '--to', to, '--from', reader)
      ).status ?? 1,
    ),
  checks: () =>
    Promise.resolve(
      [site.command('verify'), site.command('audit', '--deep'), site.command('artdaq check')].map(
        ({ status }) => status ?? 1,
      ),
    ),
  pass: () => Promise.resolve(site.archiver().status ?? 1),
}

/** What readers are given of a run, as text; undefined where the command fails. */
const given = async (commands: Commands, run: number, reader: Reader): Promise<string | undefined> => {
  const to = site.path('out')
  rmSync(to, { recursive: true, force: true })
  return (await commands.read(run, reader, to)) === 0 ? contentOf(to) : undefined
}

/** What is wrong with the answers to all readers: other bytes than were archived, or a reader who gets nothing and no command that says why. */
const wrongAnswers = async (commands: Commands, sound: ReadonlyMap<string, string>): Promise<string[]> => {
  const wrong: string[] = []
  let failed = ''
  for (const run of RUNS)
    for (const reader of READERS) {
      const text = await given(commands, run, reader)
      if (text === undefined) failed ||= `${run} cannot be read from ${reader}`
      else if (text !== sound.get(`${run} ${reader}`)) wrong.push(`wrong bytes of ${run} from ${reader}`)
    }
  if (failed !== '' && (await commands.checks()).every((code) => code === 0))
    wrong.push(`${failed}, and nothing finds it`)
  return wrong
}

/** Prints the FHiCL of every document that can be read, and looks at no proof; the other readers as they are. */
const readUnchecked = (run: number, reader: Reader, to: string): Promise<number> => {
  if (reader !== 'export') return functions.read(run, reader, to)
  const text = filesBelow(site.path('db'))
    .filter((path) => path.endsWith('.json') && !path.endsWith('index.json'))
    .map((path) => {
      try {
        return fhiclFromJson(readJson(readFileSync(path, 'utf8')))
      } catch {
        return ''
      }
    })
    .join('')
  mkdirSync(to, { recursive: true })
  writeFileSync(`${to}/all`, text)
  return Promise.resolve(0)
}

const soundAnswers = async (commands: Commands): Promise<Map<string, string>> => {
  const sound = new Map<string, string>()
  for (const run of RUNS)
    for (const reader of READERS)
      sound.set(`${run} ${reader}`, (await given(commands, run, reader)) ?? 'nothing')
  return sound
}

const places = (): string[] => PLACES.map((place) => site.path(place))

/** Damages, asks, archives and asks again. A pass may heal; it must not make anything worse, nor be content with what readers cannot get. */
const tryDamages = async (count: number, seed: number, commands: Commands): Promise<string[]> => {
  heal()
  const sound = await soundAnswers(commands)
  expect([...sound.values()]).not.toContain('nothing')
  const random = randomFrom(seed)
  const wrong: string[] = []
  for (let n = 0; n < count; n++) {
    heal()
    const what = damage(places(), random, n < KINDS.length ? KINDS[n] : undefined).replaceAll(site.root, '')
    const before = await wrongAnswers(commands, sound)
    await commands.pass()
    const after = await wrongAnswers(commands, sound)
    wrong.push(
      ...before.map((text) => `${what}: ${text}`),
      ...after.map((text) => `${what}, then a pass: ${text}`),
    )
  }
  heal()
  return wrong
}

describe('random damage', () => {
  it(
    `of ${COUNT} kinds gives no reader wrong bytes, and is found where one gets nothing`,
    async () => {
      expect(await tryDamages(COUNT, SEED, functions)).toEqual([])
    },
    60_000 + COUNT * 5000,
  )

  it(
    `is found through the command line, ${THROUGH_COMMAND_LINE} times`,
    async () => {
      expect(await tryDamages(THROUGH_COMMAND_LINE, SEED + 1, commandLine)).toEqual([])
    },
    60_000 + THROUGH_COMMAND_LINE * 60_000,
  )

  it('is noticed by this test: a reader without the checks gives wrong bytes (control)', async () => {
    const unchecked: Commands = { ...functions, read: (run, reader, to) => readUnchecked(run, reader, to) }
    heal()
    const sound = await soundAnswers(unchecked)
    const random = randomFrom(SEED)
    let noticed: string[] = []
    for (let n = 0; n < 300 && noticed.length === 0; n++) {
      heal()
      damage([site.path('db')], random, 'bit')
      noticed = await wrongAnswers(unchecked, sound)
    }
    heal()
    expect(noticed.join()).toContain('wrong bytes')
  }, 120_000)

  it('is found where a blob and its checksum file both say something else', async () => {
    heal()
    const before = await given(functions, 1, 'archive')
    const blob = filesBelow(site.path('archive')).find((path) => path.endsWith('/1.txt'))!
    chmodSync(blob, 0o644)
    writeFileSync(blob, readFileSync(blob, 'utf8').replace('debug_level', 'debug_lexel'))
    expect(await given(functions, 1, 'archive')).toBeUndefined()
    const sum = blob.replace('.txt', '.sha256')
    chmodSync(sum, 0o644)
    writeFileSync(sum, formatChecksum(checksumOf(readFileSync(blob), '1.txt', Date.now())))
    const after = await given(functions, 1, 'archive')
    expect(after).toBeDefined()
    expect(after).not.toBe(before)
    expect(await exitOf(verify({ config: site.config }, contextOf()))).toBe(1)
    heal()
  })
})
