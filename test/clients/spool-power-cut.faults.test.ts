import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileShim } from '../crash/shim.ts'
import { compile } from '../state/compile.ts'
import { canRun } from './harness.ts'

const shim = compileShim('what a power cut leaves of a full spool')
const folder = mkdtempSync(join(tmpdir(), 'spool-power-cut-'))
let typescript = ''
beforeAll(async () => {
  typescript = await compile('test/clients/strip-part.ts', folder)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SPOOL = 'tracking-spool.jsonl'
const LIMIT = 20_000
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

/** How each program is made to strip a part that it finds: its spool may hold less. `source`: the client's file. */
const PROGRAMS = [
  {
    program: 'TypeScript',
    isHere: true,
    source: '',
    words: (spool: string) => [process.execPath, typescript, spool],
  },
  {
    program: 'Python',
    isHere: canRun('/usr/bin/python3', '-c', '1'),
    source: 'clients/python/pipeline_tracker.py',
    words: (_spool: string, source: string) => [
      '/usr/bin/python3',
      file(
        'strip.py',
        `import importlib.util
spec = importlib.util.spec_from_file_location("pipeline_tracker", ${JSON.stringify(source)})
tracking = importlib.util.module_from_spec(spec); spec.loader.exec_module(tracking)
tracking.SPOOL_BYTES = ${LIMIT}
tracking.track_init("strips"); tracking.track_flush(); tracking.track_finish("well")
`,
      ),
    ],
  },
  {
    program: 'R',
    isHere: canRun('/usr/bin/Rscript', '-e', '1'),
    source: 'clients/R/track_status.R',
    words: (_spool: string, source: string) => [
      '/usr/bin/Rscript',
      file(
        'strip.R',
        `Sys.setenv(PATH = "/usr/bin:/bin"); source(${JSON.stringify(source)})
.track$spool_bytes <- ${LIMIT}
track_init("strips"); track_finish("well")
`,
      ),
    ],
  },
].filter(({ isHere }) => isHere)

const cells = { run_id: 'b0000000-0000-4000-8000-000000000001', task_name: 'other', revision: 1 }
const line = (revision: number, x: object): string =>
  `${JSON.stringify({ t: 'executions', ...x, c: { ...cells, revision } })}\n`
const PART = line(1, {}) + Array.from({ length: 400 }, (_, i) => line(i + 2, { x: 1 })).join('')

const END = `${JSON.stringify({ t: 'executions', c: { ...cells, run_id: 'b0000000-0000-4000-8000-000000000002', execution_end: 'then' } })}\n`

interface Killed {
  readonly call: string
  /** 0: before the n-th call, -2: right after it. */
  readonly code: number
  readonly n: number
}

/** Runs a program over a part in a folder of its own, killed where that is said; whether the moment came, and what is left. */
const strip = (name: string, words: (spool: string) => readonly string[], killed?: Killed) => {
  const here = join(folder, name)
  const hit = join(folder, `${name}.hit`)
  if (!existsSync(here)) {
    mkdirSync(here)
    writeFileSync(join(here, `${SPOOL}.replay-0123`), PART + END)
  }
  const [program = '', ...rest] = words(join(here, SPOOL))
  const fault = killed && `${killed.call}:${killed.code}:${killed.n}:replay-0123`
  const { stderr } = spawnSync(program, rest, {
    encoding: 'utf8',
    env: {
      ...{
        ...process.env,
        MONITOR_SPOOL_DIR: here,
        RUN_ARCHIVER_TRACK: '',
        MONITOR_DB_CONN: 'http://127.0.0.1:1',
      },
      ...(fault === undefined ? {} : { LD_PRELOAD: shim, FAULT: fault, FAULT_HIT: hit }),
    },
  })
  const names = readdirSync(here).filter((one) => !one.endsWith('.tmp'))
  const left = names.map((one) => readFileSync(join(here, one), 'utf8')).join('')
  return { isHit: existsSync(hit), names, left, stderr }
}

describe.skipIf(shim === undefined).each(PROGRAMS)(
  '$program that is killed while it strips a part',
  { timeout: 300_000 },
  ({ program, source, words }) => {
    const wordsOf = (spool: string) => words(spool, resolve(source))
    it.each(
      ['open', 'write', 'fsync', 'rename', 'unlink'].flatMap((call) =>
        [0, -2].map((code) => ({ call, code })),
      ),
    )(
      'at each $call (kill $code) loses no beginning and no end, and the next one strips it',
      ({ call, code }) => {
        for (let n = 1; n < 12; n++) {
          const name = `${program}-${call}${code}-${n}`
          const killed = strip(name, wordsOf, { call, code, n })
          expect([name, killed.left.includes(line(1, {}).trim()), killed.left.includes(END.trim())]).toEqual([
            name,
            true,
            true,
          ])
          const after = strip(name, wordsOf)
          expect(after.left, after.stderr).toContain(line(1, {}).trim())
          expect(after.left).toContain(END.trim())
          expect(after.names.filter((one) => one.includes('replay-0123'))).toEqual([
            `${SPOOL}.replay-0123.ends`,
          ])
          if (!killed.isHit) break
        }
      },
    )
  },
)

describe.skipIf(shim === undefined).each(PROGRAMS.filter(({ source }) => source !== ''))(
  'a spool of $program whose last line a full disk cut short',
  { timeout: 60_000 },
  ({ program, source, words }) => {
    it('loses no other line by it', () => {
      const here = join(folder, `${program}-cut`)
      mkdirSync(here)
      writeFileSync(join(here, `${SPOOL}.replay-0123`), line(1, {}))
      writeFileSync(join(here, SPOOL), '{"t":"executions","c":{"run_id":"b000')
      const { left } = strip(`${program}-cut`, (spool) => words(spool, resolve(source)))
      const own = left.split('\n').filter((text) => text.includes('"strips"'))
      expect(own.length).toBeGreaterThan(0)
      expect(own.filter(isJson)).toEqual(own)
    })
  },
)

const isJson = (text: string): boolean => {
  try {
    return typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}

/** The calls that concern a part which is stripped, in their order: what stands on the disk is what was synced before. */
const callsOf = (name: string, words: (spool: string) => readonly string[]): string[] => {
  const here = join(folder, name)
  mkdirSync(here)
  const part = join(here, `${SPOOL}.replay-0123`)
  writeFileSync(part, PART)
  const trace = join(folder, `${name}.trace`)
  const [program = '', ...rest] = words(join(here, SPOOL))
  const env = {
    ...{ ...process.env, LD_PRELOAD: shim, TRACE: trace, MONITOR_SPOOL_DIR: here, RUN_ARCHIVER_TRACK: '' },
    ...{ MONITOR_DB_CONN: 'http://127.0.0.1:1', MONITOR_TOKEN: 'none' },
  }
  const { stderr } = spawnSync(program, rest, { encoding: 'utf8', env })
  const stripped = readdirSync(here).find((one) => one.endsWith('.ends'))
  expect(stripped, stderr).toBeDefined()
  expect(readFileSync(join(here, stripped ?? ''), 'utf8')).toContain('"revision":1')
  expect(existsSync(part)).toBe(false)
  const nameOf = (path: string): string =>
    path === here ? 'folder' : path.endsWith('.tmp') ? 'new' : path === part ? 'old' : ''
  return readFileSync(trace, 'utf8')
    .split('\n')
    .map((text) => [text.slice(0, text.indexOf(' ')), text.slice(text.indexOf(' ') + 1).split('\t')[0]])
    .map(([call, path = '']) => [call, nameOf(path)])
    .filter(([call = '', of]) => of !== '' && ['fsync', 'rename', 'unlink'].includes(call))
    .map(([call, of]) => `${call} ${of}`)
}

/** Whether a power cut at any moment leaves one of the two parts whole. */
const isSafe = (calls: readonly string[]): boolean => {
  const named = calls.indexOf('rename new')
  const gone = calls.indexOf('unlink old')
  const synced = calls.indexOf('fsync new')
  return synced >= 0 && synced < named && calls.slice(named, gone).includes('fsync folder')
}

describe.skipIf(shim === undefined).each(PROGRAMS)(
  'a part of a spool that $program strips',
  { timeout: 60_000 },
  ({ program, source, words }) => {
    it('goes when the new one is on the disk, so that no power cut takes its beginnings and ends', () => {
      expect(callsOf(program, (spool) => words(spool, resolve(source)))).toSatisfy(isSafe)
    })
  },
)

describe.skipIf(shim === undefined).each(PROGRAMS.filter(({ source }) => source !== ''))(
  'control: a part that $program strips, and syncs nothing,',
  { timeout: 60_000 },
  ({ program, source, words }) => {
    it('is seen to go too soon', () => {
      const text = readFileSync(source, 'utf8')
      const careless = file(
        `careless-${program}`,
        program === 'R'
          ? text.replace(/^ +\.track_sync\(.*$/gm, '')
          : text.replace(/^( +)(os\.fsync|_sync_folder)\(.*$/gm, '$1pass'),
      )
      expect(readFileSync(careless, 'utf8')).not.toBe(text)
      const named = `${careless}${program === 'R' ? '.R' : '.py'}`
      writeFileSync(named, readFileSync(careless))
      expect(callsOf(`${program}-careless`, (spool) => words(spool, named))).not.toSatisfy(isSafe)
    })
  },
)
