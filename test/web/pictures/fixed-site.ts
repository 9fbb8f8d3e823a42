import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import { fillHistory } from '../../../scripts/demo/history.ts'
import { type PageLedger, pageLedger } from '../../../src/app/page-ledger.ts'
import { RunSet } from '../../../src/common/run-set.ts'
import { timeText } from '../../../src/sql/timestamps.ts'
import { Tracker } from '../../../src/tracking/client/tracker.ts'
import { registerTask } from '../../../src/tracking/ledger/registered-tasks.ts'
import { readAssets } from '../../../src/web/assets.ts'
import type { RunsSnapshot } from '../../../src/web/model.ts'
import { runMap } from '../../../src/web/runs/run-map.ts'
import { type PageServer, pageServer } from '../../../src/web/server.ts'

/** The moment at which every picture is taken: no clock of this machine is on them. */
export const NOW = Date.UTC(2026, 10, 27, 14, 22, 10)
const RUNNER = { pid: 4711, host: 'daq-01', user: 'daq', bootId: 'fixed', startTicks: 1 }
const QUIET = { debug: () => undefined, info: () => undefined, warn: console.warn, error: console.error }
const HOUR = 3_600_000

/** The page over 30 days of executions that are the same each time, on a free port. */
export class FixedSite {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pictures-'))
  #ledger: PageLedger | undefined
  #page: PageServer | undefined
  #server: ReturnType<typeof createAdaptorServer> | undefined
  url = ''
  /** The number of the execution that runs. */
  running = 0

  async start(): Promise<void> {
    await fillHistory(this.#folder, { today: NOW, runner: RUNNER })
    await this.#beginOne()
    const ledger = this.#openLedger()
    for (const [task, needs] of DEPENDENCIES)
      await ledger.use((database) => registerTask(database, task, { depends_on: needs }))
    await ledger.use(({ kysely }) =>
      kysely
        .updateTable('executions')
        .set({ heartbeat_at: timeText(NOW - 2000) })
        .where('execution_end', 'is', null)
        .execute(),
    )
    this.running = (await ledger.current())[0]?.id ?? 0
    const hosts = new Set<string>()
    const snapshot = snapshotOf()
    this.#page = pageServer({
      sources: {
        site: 'demo-detector',
        version: 'run-archiver 1.0.0',
        now: () => NOW,
        ledger,
        runs: {
          config: 'config.yaml',
          snapshot: () => Promise.resolve(snapshot),
          copies: () => Promise.reject(new Error('no picture shows a run')),
        },
        logRoots: [],
        host: RUNNER.host,
        redact: (text) => text,
      },
      assets: readAssets('dist/web'),
      place: () => '127.0.0.1:8090',
      keys: true,
      actions: undefined,
      hosts,
      token: undefined,
      writeToken: undefined,
      base: '',
      secure: false,
      now: () => NOW,
    })
    const server = createAdaptorServer({ fetch: this.#page.fetch })
    this.#server = server
    const port = await new Promise<number>((done) =>
      server.listen(0, '127.0.0.1', () => done((server.address() as { port: number }).port)),
    )
    hosts.add(`127.0.0.1:${port}`)
    this.url = `http://127.0.0.1:${port}`
  }

  async stop(): Promise<void> {
    this.#page?.close()
    const server = this.#server
    if (server) {
      await new Promise((done) => {
        server.close(done)
        if ('closeAllConnections' in server) server.closeAllConnections()
      })
    }
    await this.#ledger?.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #openLedger(): PageLedger {
    const ledger = pageLedger({
      url: 'sqlite:ledger.db',
      workDir: this.#folder,
      schema: 'tasker',
      password: undefined,
      foreignSilence: HOUR,
      version: 'pictures',
      log: QUIET,
      now: () => NOW,
    })
    if (!ledger) throw new Error('no ledger')
    this.#ledger = ledger
    return ledger
  }

  /** An execution that runs for three minutes, in its second subtask. */
  async #beginOne(): Promise<void> {
    let at = NOW - 190_000
    const tracker = new Tracker({
      place: { url: 'sqlite:ledger.db', schema: 'tasker', password: undefined, folder: this.#folder },
      env: {},
      runner: RUNNER,
      version: 'pictures',
      now: () => at,
      log: QUIET,
      heartbeatEvery: 0,
      flushEvery: 60_000,
    })
    const one = tracker.init({ taskName: 'DAILY_02_merge_hits', totalSubtasks: 4, type: 'python' })
    one.enter('load sector files', 100)
    at = NOW - 60_000
    one.progress(100, 100)
    one.exit()
    one.enter('join hits and channels', 300)
    at = NOW - 4000
    one.progress(120, 300, 'sector_120.csv')
    await tracker.flush()
    await tracker.close(10_000)
  }
}

const DEPENDENCIES: readonly (readonly [task: string, needs: readonly string[]])[] = [
  ['DAILY_01_pedestals', ['PREREQ_01_conditions']],
  ['DAILY_02_merge_hits', ['DAILY_01_pedestals', 'PREREQ_02_geometry']],
  ['DAILY_03_dqm_plots', ['DAILY_01_pedestals']],
  ['DAILY_04_publish', ['DAILY_02_merge_hits', 'DAILY_03_dqm_plots']],
]

/** 8,000 runs with gaps, failed ones, some on their way, and some that were only imported. */
const snapshotOf = (): RunsSnapshot => {
  const numbers = Array.from({ length: 8000 }, (_, i) => 120_001 + i)
  const records = RunSet.of(numbers.filter((run) => run % 97 !== 5 && (run < 124_040 || run > 124_075)))
  const failed = RunSet.of([121_310, 121_311, 125_777, 127_431])
  const artdaq = records.upTo(127_960).minus(failed)
  const archive = records.upTo(127_940).minus(failed)
  const waiting = RunSet.of([127_999, 128_000])
  const known = (value: RunSet) => ({ known: true as const, value })
  const marks = (set: RunSet, of: RunSet) => ({
    known: true as const,
    value: { contiguous: set.lastContiguous, attempted: set.last ?? 0, failed: of },
  })
  return {
    at: NOW - 40_000,
    isListing: false,
    map: runMap({ records, artdaq, archive, failed, waiting }),
    records: known(records),
    artdaq: known(artdaq),
    archive: known(archive),
    import: marks(artdaq, failed),
    migrate: marks(archive, RunSet.EMPTY),
    waiting: new Map([...waiting].map((run) => [run, 'running: no stop time yet'])),
    lastSuccess: NOW - 2 * HOUR,
    proof: { held: archive, compared: archive.upTo(127_900), oldest: NOW - 30 * HOUR, damaged: new Map() },
    advice: [],
    unreadable: [],
    missing: [],
  }
}
