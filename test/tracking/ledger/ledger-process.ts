// A process with a ledger, for tests that kill it: WORK_DIR URL MODE. It says READY when the ledger has its row.
import { bootId, bootTime, identity, now, startTicks } from '../../../src/platform/host.ts'
import { plainLog } from '../../../src/platform/log/logger.ts'
import { openLedger } from '../../../src/tracking/ledger/ledger.ts'
import { passEvents, series } from '../events.ts'

const [workDir = '', url = '', mode = ''] = process.argv.slice(2)
const log = plainLog({
  level: 'info',
  format: 'human',
  out: (line) => process.stdout.write(`${line}\n`),
  journald: false,
  now,
})
const ledger = openLedger({
  url,
  workDir,
  identity: { ...identity(), bootId: process.env['BOOT_ID'] ?? bootId() },
  bootTime: bootTime(),
  startTicksOf: startTicks,
  now,
  log,
  version: 'test',
})
ledger.begin({
  task: 'incremental',
  subject: 'run_records',
  steps: 2,
  argv: ['--incremental'],
  version: 'test',
})
for (const event of passEvents('import', series(1, 23), { finish: false })) ledger.listener(event)
ledger.listener({ type: 'item-started', stage: 'import', key: '99', attempt: 1, attempts: 3 })
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  process.on(signal, () => {
    ledger.killed(signal)
    process.kill(process.pid, 'SIGKILL')
  })
setInterval(() => undefined, 1000)
if (mode === 'no-ledger-yet') process.stdout.write('READY\n')
else
  await ledger.flush(30_000).then(() => {
    process.stdout.write('READY\n')
  })
