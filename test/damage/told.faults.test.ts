import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mainCommand } from '../../src/commands/main-command.ts'
import { history } from '../../src/commands/history.ts'
import { ArchiverError } from '../../src/errors.ts'
import { contextOf } from '../context.ts'
import { randomFrom } from '../crash/random.ts'
import { functions, READERS } from './commands.ts'
import { COMING, DamagedSite, RUNS } from './damaged-site.ts'
import { filesBelow } from './damages.ts'

const SEED = Number(process.env['ARCHIVER_SEED'] ?? 20261129)
const LEDGER_FLIPS = Math.ceil(Number(process.env['ARCHIVER_DAMAGES'] ?? 20) / 2)

/** What a command prints, and how it ends. */
interface Told {
  readonly code: number
  readonly text: string
}

const toldBy = async (command: (context: ReturnType<typeof contextOf>) => Promise<number>): Promise<Told> => {
  let text = ''
  const out = (more: string | Uint8Array): void => void (text += String(more))
  const code = await command(contextOf({ out })).catch((error: unknown) => {
    if (error instanceof ArchiverError) return error.exitCode
    throw error
  })
  return { code, text }
}

interface Report {
  readonly filesystem: { readonly runs: string }
  readonly artdaqdb: { readonly runs: string }
  readonly ucondb: { readonly runs: string }
  readonly compared: { readonly archived: number; readonly compared: number; readonly oldest: string | null }
  readonly import: {
    readonly actual_contiguous_run: number
    readonly missing: string
    readonly failed: string
  }
  readonly migrate: Report['import']
}

const reportOf = async (config: string): Promise<Report & { readonly code: number }> => {
  const { code, text } = await toldBy((context) =>
    mainCommand({ config, reportStatus: true, json: true }, context),
  )
  return { ...(JSON.parse(text) as Report), code }
}

/** What a report says of stores and proof. Two numbers that are shown as the state's own, and times, are left out. */
const claims = ({ filesystem, artdaqdb, ucondb, import: imported, migrate }: Report): unknown => {
  const stage = ({ actual_contiguous_run, missing, failed }: Report['import']): unknown[] => [
    actual_contiguous_run,
    missing,
    failed,
  ]
  return [filesystem.runs, artdaqdb.runs, ucondb.runs, stage(imported), stage(migrate)]
}

const oldest = ({ compared }: Report): number => (compared.oldest === null ? 0 : Date.parse(compared.oldest))

/** Whether a report says that more was compared, or later, than was. */
const boasts = (told: Report, sound: Report): boolean =>
  told.compared.compared > sound.compared.compared ||
  (told.compared.compared === sound.compared.compared && oldest(told) > oldest(sound))

const flipped = (bytes: Buffer, at: number, bit: number): Buffer => {
  const damaged = Buffer.from(bytes)
  damaged[at]! ^= 1 << bit
  return damaged
}

let site: DamagedSite
beforeEach(async () => {
  site = new DamagedSite()
  await site.prepare(functions(site.site))
  site.heal()
}, 60_000)
afterEach(() => site.site.remove())

describe('one bit of work_dir', () => {
  const files = (): string[] =>
    filesBelow(site.site.path('work')).filter((path) => !/ledger|\.log$/.test(basename(path)))

  it('makes no report say more than is so: whatever it cannot read, it says, and ends with 1', async () => {
    const { config } = site.site
    const sound = await reportOf(config)
    expect([sound.code, sound.compared.compared]).toEqual([0, RUNS.length])
    const wrong: string[] = []
    for (const path of files()) {
      const bytes = readFileSync(path)
      // What is longer, is under a digest, or a log that no report reads.
      const every = Math.ceil(bytes.length / 150)
      for (let at = 0; at < bytes.length; at += every) {
        const bit = at % 7
        writeFileSync(path, flipped(bytes, at, bit))
        const told = await reportOf(config)
        const same = JSON.stringify(claims(told)) === JSON.stringify(claims(sound))
        if ((!same && told.code === 0) || boasts(told, sound))
          wrong.push(`${basename(path)}, byte ${at}, bit ${bit}: ${JSON.stringify(told)}`)
      }
      writeFileSync(path, bytes)
    }
    expect(wrong).toEqual([])
  }, 300_000)

  it('would be seen here, if a report boasted (control)', async () => {
    const sound = await reportOf(site.site.config)
    const later = new Date(oldest(sound) + 3_600_000).toISOString()
    expect(boasts({ ...sound, compared: { ...sound.compared, oldest: later } }, sound)).toBe(true)
    rmSync(site.site.path('work', '.proven.json'))
    const lost = await reportOf(site.site.config)
    expect([lost.compared.compared, boasts(lost, sound), boasts(sound, lost)]).toEqual([0, false, true])
  })
})

describe('damage of the ledger', () => {
  it(`keeps no run from being archived, and no command of the ledger ends as a bug: ${LEDGER_FLIPS} damages`, async () => {
    const { config } = site.site
    const commands = functions(site.site)
    const random = randomFrom(SEED)
    const path = site.site.path('work', 'ledger.db')
    const wrong: string[] = []
    for (let n = 0; n < LEDGER_FLIPS; n++) {
      site.heal()
      const bytes = readFileSync(path)
      // Half of them hit the first page, which says how to read the others.
      const within = n % 2 === 0 ? 4096 : bytes.length
      let damaged: Buffer = bytes
      for (let flips = 0; flips < 8; flips++)
        damaged = flipped(damaged, Math.floor(random() * within), Math.floor(random() * 8))
      if (n % 5 === 4) damaged = damaged.subarray(0, Math.floor(random() * bytes.length))
      writeFileSync(path, damaged)
      const past = await toldBy((context) => history({ config }, context)).catch(String)
      if (typeof past === 'string') wrong.push(`damage ${n} (seed ${SEED}): history: ${past}`)
      site.come()
      const code = await commands.pass(n % 3 === 0).catch(String)
      if (code !== 0) wrong.push(`damage ${n} (seed ${SEED}): the pass ended with ${code}`)
      for (const reader of READERS)
        if ((await site.given(commands, COMING, reader)) === undefined)
          wrong.push(`damage ${n} (seed ${SEED}): ${COMING} cannot be read from ${reader}`)
    }
    expect(wrong).toEqual([])
  }, 600_000)
})
