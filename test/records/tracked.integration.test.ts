import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { queueStatus } from '../../src/commands/queue.ts'
import { runCommand } from '../../src/commands/records/run.ts'
import { openFile } from '../../src/sql/libsql-database.ts'
import { openSite, payload, printing, type Site } from './databases.ts'

const CANARY = 'Weidenau-Canary'

/** Every file below a folder, as one text. */
const everything = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n')

describe('records run in the ledger, the metrics and the alerts', () => {
  let site: Site
  const heard: string[] = []
  const hook = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => heard.push(text))
    request.on('end', () => response.end('ok'))
  })
  beforeEach(async () => {
    site = await openSite('sqlite')
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
    const { port } = hook.address() as AddressInfo
    appendFileSync(
      site.config,
      `metrics: { textfile: "${site.folder}/work/archiver.prom" }
reporting: { webhook: { enabled: true, url: "http://127.0.0.1:${port}/" } }
`,
    )
    await site.fill({
      1: payload(1, { town: CANARY }),
      2: payload(2, { customer: 'c2' }),
      3: payload(3, { total: CANARY }),
      4: `<order id="${CANARY}" placed="`,
      5: payload(5, { customer: CANARY }),
      // The same customer with another town, and a number that the table's CHECK refuses.
      6: payload(6, { town: `${CANARY}2` }),
      7: payload(7, { customer: 'c7' }).replace('qty="7"', 'qty="1000001"'),
    })
  })
  afterEach(async () => {
    await new Promise((resolve) => hook.close(resolve))
    await site.close()
  })

  it('says which instance of a shared backlog it was, and what it claimed', async () => {
    appendFileSync(site.config, 'queue: { url: "sqlite:queue.db" }\n')
    await runCommand({ task: 'orders', config: site.config, workers: '1' }, printing().context)
    const ledger = openFile(join(site.folder, 'work', 'ledger.db'), 1000)
    const [row] = ledger
      .prepare('SELECT instance_id, claims, claims_fenced, claims_recovered FROM executions')
      .all([])
    ledger.close()
    const status = printing()
    await queueStatus({ config: site.config }, status.context)
    const [stage = '', instance = ''] = status.printed().split('\n')
    expect(row).toMatchObject({ claims: 7, claims_fenced: 0, claims_recovered: 0 })
    expect(instance).toContain((row as { instance_id: string }).instance_id)
    expect(instance).toContain('7 claimed')
    expect(stage).toMatch(/^records:orders 0 pending, 0 claimed/)
  })

  it('ends as it would have where its metrics cannot be written, and says so', async () => {
    mkdirSync(join(site.folder, 'work'), { recursive: true })
    writeFileSync(join(site.folder, 'work', 'metrics'), 'a file in the place of the folder')
    let said = ''
    const { context, printed } = printing({ err: (text) => void (said += text) })
    expect(await runCommand({ task: 'orders', config: site.config }, context)).toBe(1)
    expect(printed()).toContain('records orders: ')
    expect(said).toMatch(/warning: the metrics could not be written: .*metrics/)
    const ledger = openFile(join(site.folder, 'work', 'ledger.db'), 1000)
    const rows = ledger.prepare('SELECT exit_code FROM executions').all([])
    ledger.close()
    expect(rows).toEqual([{ exit_code: 1 }])
  })

  it('says so where its folder of logs cannot be made', async () => {
    mkdirSync(join(site.folder, 'work'), { recursive: true })
    writeFileSync(join(site.folder, 'work', 'logs'), 'a file in the place of the folder')
    await expect(
      runCommand({ task: 'orders', config: site.config }, printing().context),
    ).rejects.toMatchObject({
      code: 'STATE_UNWRITABLE',
      message: expect.stringContaining(join(site.folder, 'work', 'logs')) as string,
    })
  })

  it('is an execution with its items and rows, and no value of a payload stands anywhere', async () => {
    let told = ''
    const { context, printed } = printing({ err: (text) => void (told += text) })
    const argv = ['records', 'run', 'orders']
    const code = await runCommand(
      { task: 'orders', config: site.config, workers: '1', logLevel: 'debug' },
      { ...context, argv },
    )
    expect(code).toBe(1)
    const work = join(site.folder, 'work')
    const ledger = openFile(join(work, 'ledger.db'), 1000)
    const rows = (sql: string): unknown[] => ledger.prepare(sql).all([])
    expect(
      rows('SELECT task_name, subject, items_attempted, items_failed, exit_code FROM executions'),
    ).toEqual([
      {
        task_name: 'records:orders',
        subject: 'source_records',
        items_attempted: 7,
        items_failed: 5,
        exit_code: 1,
      },
    ])
    expect(rows('SELECT file_name, state, error_code, documents FROM files ORDER BY file_name')).toEqual([
      { file_name: '1', state: 'done', error_code: null, documents: 4 },
      { file_name: '2', state: 'done', error_code: null, documents: 4 },
      ...['3', '4', '5', '6', '7'].map((file_name) => ({
        file_name,
        state: 'failed',
        error_code: 'RECORD_FAILED',
        documents: 0,
      })),
    ])
    ledger.close()
    expect(readFileSync(join(work, 'archiver_records_orders.prom'), 'utf8')).toContain('records:orders')
    expect(heard.join('')).toContain('records:orders')
    const written = [everything(work), heard.join(''), printed(), told].join('\n')
    for (const code of ['VALUE_NOT_VALID', 'XML_NOT_WELL_FORMED', 'VALUE_TOO_LONG', 'CONFLICT', 'CONSTRAINT'])
      expect(written).toContain(code)
    expect(written).not.toContain(CANARY)
    expect(written).not.toContain('1000001')
    // The log of the items keeps none either, and the tables keep it where it belongs.
    const logged = await site.database.session.rows('SELECT * FROM processing_log')
    expect(JSON.stringify(logged)).not.toContain(CANARY)
    expect(JSON.stringify(await site.database.session.rows('SELECT * FROM customers'))).toContain(CANARY)
  })
})
