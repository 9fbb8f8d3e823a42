import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { redactor } from '../../src/common/redact.ts'
import { Secret } from '../../src/common/secret.ts'
import { ArchiverError } from '../../src/errors.ts'
import { bootTime, identity, now, startTicks } from '../../src/platform/host.ts'
import { createLog } from '../../src/platform/log/logger.ts'
import { openLedger } from '../../src/tracking/ledger/ledger.ts'
import { Reporting } from '../../src/tracking/reporter.ts'
import { webhookChannel } from '../../src/tracking/alerts/webhook.ts'
import type { EngineEvent } from '../../src/engine/stage.ts'
import { freshPlace } from './ledger/engines.ts'

const CANARY = 'c4n4ry+pass/word@0815'

/** Every file below a folder, as one text. */
const everything = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n')

/** A pass in which everything that can carry a text carries the secret. */
const pass = (): EngineEvent[] => {
  const cause = new Error(`server said: no ${CANARY} here`)
  const error = new ArchiverError('STORE_REFUSED', `PUT https://writer:${CANARY}@ucon/x refused`, {
    cause,
    run: 2,
  })
  const processed = {
    result: 'stored' as const,
    bytes: 1,
    counts: { documents: 1 },
    notes: [`left out ${CANARY}`],
  }
  return [
    { type: 'pass-started', stage: 'import', mode: 'full', total: 3, waiting: 0 },
    { type: 'item-started', stage: 'import', key: '1', attempt: 1, attempts: 2 },
    { type: 'item-retry', stage: 'import', key: '1', attempt: 1, attempts: 2, error },
    { type: 'item-done', stage: 'import', key: '1', processed, milliseconds: 1 },
    { type: 'item-started', stage: 'import', key: '2', attempt: 1, attempts: 2 },
    { type: 'item-failed', stage: 'import', key: '2', error, milliseconds: 1 },
    { type: 'pass-stopped', stage: 'import', reason: 'unavailable', error },
  ]
}

const LEDGERS: readonly (readonly [what: string, url: string | undefined])[] = [
  ['a ledger that can be written', undefined],
  ['a ledger that is down', `postgres://archiver:${encodeURIComponent(CANARY)}@127.0.0.1:1/db`],
]

describe('a secret that errors, arguments and servers carry', () => {
  it.each(LEDGERS)('is in nothing that is written or sent, with %s', async (_name, url) => {
    const place = await freshPlace('sqlite')
    const { workDir } = place
    const redact = redactor([new Secret(CANARY)])
    const heard: string[] = []
    const lines: string[] = []
    const server = createServer((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => heard.push(text))
      request.on('end', () => response.end('ok'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const hook = new Secret(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/${encodeURIComponent(CANARY)}`,
    )
    const log = await createLog({
      level: 'debug',
      format: 'json',
      file: join(workDir, 'archiver.log'),
      out: (line) => lines.push(line),
      journald: false,
      now,
      redact,
    })
    const reporting = new Reporting({
      isPass: true,
      task: 'full',
      version: '1',
      workDir,
      host: 'h',
      pid: 1,
      now,
      log,
      redact,
      channels: [
        webhookChannel({ url: hook, signingKey: new Secret(CANARY) }),
        webhookChannel({
          url: new Secret(`http://u:${CANARY}@127.0.0.1:1/`),
          signingKey: undefined,
          retryDelay: 1,
        }),
      ],
      staleAfterHours: 1,
      carbon: undefined,
      textfile: join(workDir, 'metrics.prom'),
      channelTimeout: 2000,
    })
    const ledger = openLedger({
      url: url ?? place.url,
      workDir,
      identity: identity(),
      bootTime: bootTime(),
      startTicksOf: startTicks,
      now,
      log,
      redact,
      version: '1',
    })
    ledger.begin({
      task: 'full',
      subject: 'run_records',
      steps: 1,
      argv: ['--token', CANARY, `--url=https://u:${CANARY}@h/`],
      version: '1',
      environment: { TOKEN: CANARY },
    })
    for (const event of pass()) {
      ledger.listener(event)
      reporting.listener(event)
      if ('error' in event) log.error(`pass: ${event.type}`, { error: event.error })
    }
    ledger.say(`talking to ${CANARY}`)
    ledger.event('told', { password: CANARY, nested: [CANARY] })
    const failure = new TypeError(`bug with ${CANARY}`, { cause: new Error(CANARY) })
    await ledger.end({ exitCode: 2, error: failure }, 3000)
    await reporting.end(
      {
        exitCode: 2,
        isPass: true,
        signal: undefined,
        standings: [],
        ledgerFailures: ledger.failures,
        spoolBytes: ledger.spoolBytes,
      },
      5000,
    )
    await log.close()
    server.close()
    const seen = [everything(workDir), ...heard, ...lines].join('\n')
    expect(seen.length).toBeGreaterThan(2000)
    expect(heard.length).toBeGreaterThan(0)
    for (const form of [CANARY, encodeURIComponent(CANARY), Buffer.from(CANARY).toString('base64')])
      expect(seen.includes(form), form).toBe(false)
    if (url === undefined) expect(seen).toContain('left out [secret]')
    else expect(readFileSync(join(workDir, 'ledger-spool.jsonl'), 'utf8')).toContain('left out [secret]')
    await place.drop()
  })
})
