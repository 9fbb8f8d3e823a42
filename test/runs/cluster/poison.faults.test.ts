import { writeFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { dropSchema, serverUrl } from '../../queue/postgres-site.ts'
import { Fleet, until } from './fleet.ts'

const RUNS = 6
const KILLER = 3

let fleet: Fleet | undefined
afterEach(() => fleet?.close())

describe.each([
  { engine: 'SQLite', url: () => 'sqlite:queue.db' },
  { engine: 'PostgreSQL', url: serverUrl },
])('a run that ends every worker that has it in hand, on $engine', ({ engine, url }) => {
  const schema = `poison_${process.pid}`
  afterEach(async () => {
    if (engine === 'PostgreSQL') await dropSchema(schema)
  })

  it('is failed as poison after three, and costs no other run', { timeout: 240_000 }, async () => {
    fleet = await Fleet.open({ url: url(), schema, scanSeconds: 1 })
    const { site } = fleet
    fleet.records(RUNS)
    // The kernel ends a worker that reads the setup of this run, as it does where memory runs out.
    const hook = site.path('hook.mjs')
    writeFileSync(
      hook,
      `import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
const isKiller = (path) => /(?:^|\\/)0*${KILLER}\\/tpc01\\.fcl$/.test(String(path))
for (const name of ['openSync', 'readFileSync', 'open', 'readFile']) {
  const own = fs[name]
  fs[name] = (path, ...rest) => {
    if (isKiller(path)) process.kill(process.pid, 'SIGKILL')
    return own(path, ...rest)
  }
}
const { open, readFile } = fs.promises
fs.promises.open = (path, ...rest) => (isKiller(path) && process.kill(process.pid, 'SIGKILL'), open(path, ...rest))
fs.promises.readFile = (path, ...rest) => (isKiller(path) && process.kill(process.pid, 'SIGKILL'), readFile(path, ...rest))
syncBuiltinESMExports()`,
    )
    const worker = () => fleet!.start(['--until-empty'], { env: { NODE_OPTIONS: `--import=${hook}` } })
    const signals: (string | number | null)[] = []
    // As systemd starts them again.
    for (let starts = 0; starts < 8; starts++) {
      const { child, ended } = worker()
      const { status } = await ended
      signals.push(child.signalCode ?? status)
      if (child.signalCode === null) break
    }
    expect(signals).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL', expect.any(Number)])
    const { stdout } = await fleet.command(
      'queue',
      'list',
      '--stage',
      'import',
      '--status',
      'failed',
      '--json',
    )
    const failed = JSON.parse(stdout) as Readonly<Record<string, unknown>>[]
    expect(failed.map(({ key, code, lost }) => ({ key, code, lost }))).toEqual([
      { key: String(KILLER), code: 'QUEUE_POISON', lost: 3 },
    ])
    const { stages } = await fleet.status()
    expect(stages).toMatchObject([
      { stage: 'import', pending: 0, claimed: 0, done: RUNS - 1, failed: 1 },
      { stage: 'migrate', pending: 0, claimed: 0, done: RUNS - 1, failed: 0 },
    ])
    expect(site.failures('import')).toBe(`${KILLER}\n`)
    expect(site.state('importer')).toMatchObject({ last_attempted_run: RUNS })
    // Mended, and tried again.
    await fleet.command('queue', 'retry', String(KILLER))
    expect((await fleet.start(['--until-empty']).ended).status).toBe(0)
    await until(() => site.failures('import') === '')
    expect(site.archived()).toHaveLength(RUNS)
  })
})
