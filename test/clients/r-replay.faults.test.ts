import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFile } from '../../src/sql/libsql-database.ts'
import { Served, TOKEN } from '../web/served.ts'
import { canRun } from './harness.ts'

const EXECUTIONS = 100
const STEPS = 198
/** An execution's row, its steps and an event. */
const ROWS = EXECUTIONS * (STEPS + 2)
const SOURCE = resolve('clients/R/track_status.R')

const served = new Served()
let line: SlowLine
beforeAll(async () => {
  await served.start()
  await served.send('POST', '/api/v1/executions', { task_name: 'first' })
  line = await SlowLine.to(served.port, 150)
})
afterAll(async () => {
  line.close()
  await served.remove()
})

/** A connection to the service on which each request takes longer. */
class SlowLine {
  requests = 0
  readonly #server: Server

  private constructor(port: number, ms: number) {
    this.#server = createServer((near) => {
      this.requests += 1
      near.on('error', () => undefined)
      setTimeout(() => {
        const far = connect(port, '127.0.0.1')
        far.on('error', () => near.destroy())
        // The service answers to its own name alone.
        near.once('data', (begin) => {
          far.write(begin.toString('latin1').replace(/(host: 127\.0\.0\.1):\d+/i, `$1:${port}`), 'latin1')
          near.pipe(far).pipe(near)
        })
      }, ms)
    })
  }

  static async to(port: number, ms: number): Promise<SlowLine> {
    const line = new SlowLine(port, ms)
    await new Promise<void>((done) => line.#server.listen(0, '127.0.0.1', done))
    return line
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
  }
}

const count = (statement: string): number => {
  const database = openFile(served.ledger, 5000)
  try {
    return Number((database.prepare(statement).all([]) as { n: number }[])[0]?.n)
  } finally {
    database.close()
  }
}
/** Rows of a spool that are in the ledger. */
const written = (name: string): number =>
  count(`SELECT count(*) n FROM executions WHERE task_name = '${name}'`) +
  count(`SELECT count(*) n FROM subtasks JOIN executions USING (run_id) WHERE task_name = '${name}'`) +
  count(
    `SELECT count(*) n FROM events e JOIN executions USING (run_id) WHERE task_name = '${name}' AND e.kind = 'note'`,
  )

let spools = 0
/** A folder with the spool that a service which was away for long has left. */
const spoolOf = (name: string): string => {
  const folder = join(served.folder, `spool-${name}`)
  mkdirSync(folder)
  spools += 1
  const at = '2026-01-02 03:04:05.678'
  const rows = Array.from({ length: EXECUTIONS }, (_, i) => {
    const run_id = `c000000${spools}-0000-4000-8000-${String(i).padStart(12, '0')}`
    const execution = {
      ...{ run_id, task_name: name, hostname: 'h', process_id: 1, execution_start: at, last_update: at },
      ...{ execution_status: 'FINISHED', end_reason: 'ok', revision: 500 },
    }
    const steps = Array.from({ length: STEPS }, (__, seq) => ({
      t: 'subtasks',
      c: { run_id, seq, name: `step ${seq}`, state: 'done', started_at: at, ended_at: at, revision: seq },
    }))
    const event = { t: 'events', c: { run_id, seq: -1, at, kind: 'note', detail: '{}' } }
    return [{ t: 'executions', c: execution }, ...steps, event]
  }).flat()
  // The half of it is a part that another process began to replay.
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`)
  writeFileSync(join(folder, 'tracking-spool.jsonl.replay-4711'), lines.slice(0, ROWS / 2).join(''))
  writeFileSync(join(folder, 'tracking-spool.jsonl'), lines.slice(ROWS / 2).join(''))
  return folder
}
const waiting = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => {
    const [, offset = '0'] = /\.replay-[^.]*\.(\d+)$/.exec(name) ?? []
    return sum + statSync(join(folder, name)).size - Number(offset)
  }, 0)

interface Started {
  readonly child: ChildProcess
  /** Seconds of the longest call, and of the whole after the last one. */
  readonly ended: Promise<{
    readonly code: number | null
    readonly longest: number
    readonly errors: string
    readonly exit: number
  }>
}
/** A pipeline that reports to the service and says how long its calls took. */
const start = (
  folder: string,
  { source = SOURCE, calls = 20, withCurl = true, url = line.url } = {},
): Started => {
  const script = join(folder, '..', 'pipeline.R')
  writeFileSync(
    script,
    `longest <- 0
timed <- function(expr) { t <- proc.time()[["elapsed"]]; force(expr); longest <<- max(longest, proc.time()[["elapsed"]] - t) }
source(${JSON.stringify(source)})
${withCurl ? '' : 'Sys.setenv(PATH = "/bin/none")'}
timed(track_init("pipeline"))
for (i in seq_len(${calls})) { timed(genter("step {i}")); timed(gexit()) }
timed(track_finish("well"))
cat(sprintf("longest %.3f\\n", longest))
`,
  )
  const child = spawn('/usr/bin/Rscript', [script], {
    cwd: served.folder,
    env: {
      ...process.env,
      ...{ RUN_ARCHIVER_TRACK: '', MONITOR_DB_CONN: url, MONITOR_TOKEN: TOKEN, MONITOR_SPOOL_DIR: folder },
    },
  })
  let [out, errors, at] = ['', '', 0]
  child.stdout.on('data', (piece: Buffer) => {
    out += piece.toString()
    if (out.includes('longest')) at = performance.now()
  })
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()))
  return {
    child,
    ended: new Promise((done) =>
      child.once('close', (code) =>
        done({
          code,
          errors,
          longest: Number(/longest (\S+)/.exec(out)?.[1]),
          exit: (performance.now() - at) / 1000,
        }),
      ),
    ),
  }
}
/** A copy of the client with one place changed. */
const broken = (name: string, from: string, to: string): string => {
  const text = readFileSync(SOURCE, 'utf8')
  expect(text).toContain(from)
  const path = join(served.folder, name)
  writeFileSync(path, text.replace(from, to))
  return path
}
const filesIn = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.startsWith('tracking-spool'))

describe.skipIf(!canRun('/usr/bin/Rscript', '-e', '1'))(
  `R over HTTP, before a spool of ${ROWS} rows`,
  { timeout: 240_000 },
  () => {
    it.each([true, false])(
      'holds no call for longer than its limit behind a slow line, and brings all of it (curl: %s)',
      async (withCurl) => {
        const name = `slow_${withCurl}`
        const folder = spoolOf(name)
        const before = line.requests
        const { code, longest, exit, errors } = await start(folder, { withCurl, calls: 15 }).ended
        console.log(`longest call ${longest} s, end ${exit.toFixed(1)} s, ${line.requests - before} requests`)
        expect([code, errors]).toEqual([0, expect.not.stringContaining('Warning')])
        expect(longest).toBeLessThan(5)
        expect(exit).toBeLessThan(6)
        expect(written(name)).toBe(ROWS)
        expect(filesIn(folder)).toEqual([])
        expect(
          count(
            "SELECT count(*) n FROM executions WHERE task_name = 'pipeline' AND execution_status != 'FINISHED'",
          ),
        ).toBe(0)
      },
    )

    it('killed in the middle has brought a part, and the next one the rest: nothing is lost or twice there', async () => {
      const folder = spoolOf('killed')
      const whole = waiting(folder)
      const { child, ended } = start(folder, { calls: 1000 })
      await expect.poll(() => written('killed'), { timeout: 60_000, interval: 20 }).toBeGreaterThan(ROWS / 20)
      child.kill('SIGKILL')
      await ended
      expect(written('killed')).toBeLessThan(ROWS)
      expect(waiting(folder)).toBeLessThan(whole)
      expect(waiting(folder)).toBeGreaterThan(0)
      expect((await start(folder, { calls: 40, url: served.url }).ended).code).toBe(0)
      expect(written('killed')).toBe(ROWS)
      expect(filesIn(folder)).toEqual([])
    })

    it('control: one that removes a part before it is delivered loses rows at such a kill', async () => {
      const post = '    tryCatch(.track_post_rows(.track_whole(lines)), error'
      const source = broken('removes.R', post, `    unlink(path)\n${post}`)
      const folder = spoolOf('removes')
      const { child, ended } = start(folder, { source, calls: 1000 })
      await expect
        .poll(() => written('removes'), { timeout: 60_000, interval: 20 })
        .toBeGreaterThan(ROWS / 50)
      child.kill('SIGKILL')
      await ended
      expect((await start(folder, { calls: 40, url: served.url }).ended).code).toBe(0)
      expect(written('removes')).toBeLessThan(ROWS)
    })

    it('control: one that replays all of it at once holds a call for longer', async () => {
      const source = broken(
        'whole.R',
        '    if (began >= until) return(FALSE)\n',
        '    .track$deadline <- began + 5; .track$portion <- 50\n',
      )
      const folder = spoolOf('whole')
      const { child, ended } = start(folder, { source, calls: 1 })
      const first = performance.now()
      await expect.poll(() => written('whole'), { timeout: 60_000, interval: 20 }).toBeGreaterThan(500)
      while (written('whole') < ROWS && performance.now() - first < 12_000)
        await new Promise((done) => setTimeout(done, 500))
      // It is still in its first call.
      expect(
        count(
          "SELECT max(revision) n FROM executions WHERE task_name = 'pipeline' AND execution_status = 'STARTED'",
        ),
      ).toBe(2)
      child.kill('SIGKILL')
      await ended
    })
  },
)
