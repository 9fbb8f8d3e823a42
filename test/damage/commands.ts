import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { artdaqCheck, artdaqExport } from '../../src/commands/artdaq.ts'
import { audit } from '../../src/commands/audit.ts'
import { extract } from '../../src/commands/extract.ts'
import { mainCommand } from '../../src/commands/main-command.ts'
import { verify } from '../../src/commands/verify.ts'
import { ArchiverError } from '../../src/errors.ts'
import { fhiclFromJson } from '../../src/fhicl/from-json.ts'
import { readJson } from '../../src/fhicl/json/parser.ts'
import { contextOf } from '../context.ts'
import type { Site } from '../site.ts'
import { filesBelow } from './damages.ts'

export type Reader = 'artdaq' | 'archive' | 'export'
export const READERS: readonly Reader[] = ['artdaq', 'archive', 'export']

/** A way to call the commands; each gives the exit code, and throws where the command ends as a bug (exit 2, or killed). */
export interface Commands {
  /** How many of the damaged runs are read at most. */
  readonly mostRuns?: number
  read(run: number, reader: Reader, to: string): Promise<number>
  /** Those that look for damage. */
  checks(): Promise<number[]>
  pass(incremental: boolean): Promise<number>
}

/** The exit code of a command, called as the command line calls it. Whatever it throws that is not an error of ours is a bug. */
const exitOf = async (work: Promise<number>): Promise<number> => {
  const code = await work.catch((error: unknown) => {
    if (error instanceof ArchiverError) return error.exitCode
    throw error
  })
  if (code === BUG) throw new Error('a pass met a bug')
  return code
}
const BUG = 2

export const functions = ({ config }: Site): Commands => ({
  read: (run, reader, to) => {
    const about = { config, run: String(run), to }
    return exitOf(
      reader === 'export'
        ? artdaqExport(about, contextOf())
        : extract({ ...about, from: reader }, contextOf()),
    )
  },
  checks: async () => [
    await exitOf(verify({ config }, contextOf())),
    await exitOf(audit({ config, deep: true }, contextOf())),
    await exitOf(artdaqCheck({ config }, contextOf())),
  ],
  pass: (incremental) => exitOf(mainCommand({ config, incremental }, contextOf())),
})

const PROGRAM = resolve('dist/main.js')

const exitOfProgram = (...words: string[]): Promise<number> =>
  new Promise((ended, failed) => {
    const child = spawn(process.execPath, [PROGRAM, ...words], { stdio: ['ignore', 'ignore', 'pipe'] })
    let errors = ''
    child.stderr.on('data', (text: Buffer) => (errors += text.toString()))
    child.once('error', failed)
    child.once('close', (code) => {
      if (code === null || code === BUG) failed(new Error(`${words.join(' ')} ended with ${code}: ${errors}`))
      else ended(code)
    })
  })

/** A process for each command: one of the damaged runs is read after each damage. */
export const commandLine = ({ config }: Site): Commands => ({
  mostRuns: 1,
  read: (run, reader, to) =>
    reader === 'export'
      ? exitOfProgram('artdaq', 'export', String(run), '--to', to, '--config', config)
      : exitOfProgram('extract', String(run), '--to', to, '--from', reader, '--config', config),
  checks: async () => [
    await exitOfProgram('verify', '--config', config),
    await exitOfProgram('audit', '--deep', '--config', config),
    await exitOfProgram('artdaq', 'check', '--config', config),
  ],
  pass: (incremental) => exitOfProgram(config, ...(incremental ? ['--incremental'] : [])),
})

/** A control: an export that prints the FHiCL of every document that can be read, and looks at no proof. */
export const readsUnchecked = (site: Site): Commands => {
  const checked = functions(site)
  return {
    ...checked,
    read: (run, reader, to) => {
      if (reader !== 'export') return checked.read(run, reader, to)
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
    },
  }
}

/** A control: checks that find nothing. */
export const findsNothing = (site: Site): Commands => ({
  ...functions(site),
  checks: () => Promise.resolve([0, 0, 0]),
})
