// What the ledger costs: npx tsx scripts/bench/ledger.ts [runs]
// The engine's events of a pass are given to it as fast as 200 runs a second would come, four times the rate that the import must reach,
// and the processor time of the whole process is compared with that of the same pass without a ledger.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootTime, identity, monotonic, now, startTicks } from '../../src/platform/host.ts'
import { plainLog } from '../../src/platform/log/logger.ts'
import { openLedger } from '../../src/tracking/ledger/ledger.ts'
import type { EngineEvent, Listener } from '../../src/engine/stage.ts'

const RUNS = Number(process.argv[2] ?? 4000)
const A_SECOND = 200
const BATCH = 25
/** Milliseconds that a run may take in the slowest chain that is allowed (50 runs a second). */
const SLOWEST = 20

function* pass(): Generator<EngineEvent[]> {
  yield [{ type: 'pass-started', stage: 'import', mode: 'full', total: RUNS, waiting: 0 }]
  for (let run = 1; run <= RUNS; run++) {
    const processed = { result: 'stored' as const, bytes: 150_000, counts: { documents: 40 }, notes: [] }
    const events: EngineEvent[] = [
      { type: 'item-started', stage: 'import', key: String(run), attempt: 1, attempts: 3 },
      { type: 'item-done', stage: 'import', key: String(run), processed, milliseconds: 5 },
    ]
    if (run % BATCH === 0) {
      const done = Array.from({ length: BATCH }, (_, i) => String(run - BATCH + 1 + i))
      const batch = run / BATCH
      events.push({
        type: 'batch-committed',
        stage: 'import',
        batch,
        done,
        failed: [],
        milliseconds: 100,
      })
    }
    yield events
  }
}

const measure = async (listener: Listener, end: () => Promise<void>) => {
  const cpu = process.cpuUsage()
  const began = monotonic()
  let inListener = 0
  let longest = 0
  let done = 0
  let last = monotonic()
  const beat = setInterval(() => {
    const at = monotonic()
    longest = Math.max(longest, at - last - 5)
    last = at
  }, 5)
  for (const events of pass()) {
    const from = monotonic()
    for (const event of events) listener(event)
    inListener += monotonic() - from
    done += 1
    const ahead = (done / A_SECOND) * 1000 - (monotonic() - began)
    if (ahead > 5) await new Promise((resolve) => setTimeout(resolve, ahead))
  }
  await end()
  clearInterval(beat)
  const { user, system } = process.cpuUsage(cpu)
  return { cpuMs: (user + system) / 1000, inListener, longest }
}

const folder = mkdtempSync(join(tmpdir(), 'bench-ledger-'))
const log = plainLog({ level: 'error', format: 'human', out: console.error, journald: false, now })
const warm = {
  url: 'sqlite:warm.db',
  workDir: folder,
  identity: identity(),
  bootTime: bootTime(),
  startTicksOf: startTicks,
  now,
  log,
  version: 'bench',
}
const facts = { task: 'full', subject: 'run_records', steps: 1, argv: [], version: 'bench' }

// Loading the driver and the query builder is paid once a process, and is measured apart.
const loadFrom = monotonic()
const first = openLedger(warm)
first.begin(facts)
await first.ready(10_000)
const load = monotonic() - loadFrom
await first.end({ exitCode: 0 })

const without = await measure(
  () => undefined,
  () => Promise.resolve(),
)
const ledger = openLedger({ ...warm, url: process.env['LEDGER_URL'] ?? 'sqlite:ledger.db' })
ledger.begin(facts)
const withLedger = await measure(ledger.listener, () => ledger.end({ exitCode: 0 }, 10_000))
rmSync(folder, { recursive: true, force: true })

const perRun = (withLedger.cpuMs - without.cpuMs) / RUNS
console.log(`runs                               ${RUNS} at ${A_SECOND}/s`)
console.log(`opening, once a process            ${load.toFixed(0)} ms`)
console.log(`processor time, without a ledger   ${(without.cpuMs / RUNS).toFixed(3)} ms a run`)
console.log(`processor time, with it            ${(withLedger.cpuMs / RUNS).toFixed(3)} ms a run`)
console.log(`the ledger                         ${perRun.toFixed(3)} ms a run`)
console.log(`  of that in the listener          ${(withLedger.inListener / RUNS).toFixed(4)} ms a run`)
console.log(
  `longest stop of the event loop     ${withLedger.longest.toFixed(1)} ms (without: ${without.longest.toFixed(1)} ms)`,
)
console.log(
  `of a chain of ${1000 / SLOWEST} runs a second         ${((perRun / SLOWEST) * 100).toFixed(2)} % (must be at most 3 %)`,
)
process.exitCode = perRun / SLOWEST > 0.03 || ledger.failures > 0 ? 1 : 0
