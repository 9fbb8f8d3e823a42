import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { auditCommand } from '../../src/commands/records/audit.ts'
import { deadLetterCommand } from '../../src/commands/records/dead-letter.ts'
import { retryCommand } from '../../src/commands/records/retry.ts'
import { runCommand } from '../../src/commands/records/run.ts'
import { openSite, payload, printing, type Site } from './databases.ts'

describe('records audit', () => {
  let site: Site
  beforeEach(async () => {
    site = await openSite('sqlite')
    await site.fill({ 1: payload(1), 2: payload(2), 3: payload(3) })
    await runCommand({ task: 'orders', config: site.config }, printing().context)
  })
  afterEach(() => site.close())

  const audit = async (sample = '100') => {
    const { context, printed } = printing()
    const code = await auditCommand({ task: 'orders', config: site.config, json: true, sample }, context)
    return { code, ...(JSON.parse(printed()) as { counts: Record<string, number>; findings: unknown[] }) }
  }

  it('finds every item archived', async () => {
    expect(await audit()).toMatchObject({ code: 0, counts: { archived: 3 }, findings: [] })
  })
  it('takes as many workers as the configuration may say, and no more', async () => {
    const run = (workers: string) =>
      runCommand({ task: 'orders', config: site.config, workers }, printing().context)
    expect(await run('64')).toBe(0)
    await expect(run('65')).rejects.toMatchObject({ code: 'USAGE' })
  })
  it('maps a sample again, one item at least, and still tells what is not stored', async () => {
    await site.fill({ 4: '<order', 5: payload(5) })
    expect(await audit('0.0001%')).toMatchObject({
      code: 1,
      counts: { archived: 1, unchecked: 2, pending: 2 },
    })
    await site.database.session.change('DELETE FROM lines')
    const [one, again] = [await audit('0.0001%'), await audit('0.0001%')]
    expect(one).toMatchObject({ counts: { LOST: 1, unchecked: 2 }, findings: [{ verdict: 'LOST' }] })
    expect(again).toEqual(one)
    await expect(audit('0')).rejects.toMatchObject({ code: 'USAGE' })
    await expect(audit('some')).rejects.toMatchObject({ code: 'USAGE' })
  })
  it.each([
    {
      verdict: 'LOST',
      sql: 'DELETE FROM lines WHERE record_id = 2',
      finding: { key: '2', verdict: 'LOST', table: 'lines' },
    },
    {
      verdict: 'LOST',
      sql: "UPDATE orders SET total = '1.00' WHERE record_id = 2",
      finding: { key: '2', verdict: 'LOST', table: 'orders' },
    },
    {
      verdict: 'ORPHAN',
      sql: 'DELETE FROM processing_log WHERE app_id = 2',
      finding: { key: '2', verdict: 'ORPHAN' },
    },
    {
      verdict: 'CHANGED',
      sql: "UPDATE source_records SET payload = payload || ' ' WHERE record_id = 2",
      finding: { key: '2', verdict: 'CHANGED' },
    },
  ])('finds $verdict after: $sql', async ({ sql, verdict, finding }) => {
    await site.database.session.change(sql)
    expect(await audit()).toMatchObject({
      code: 1,
      counts: { archived: 2, [verdict]: 1 },
      findings: [finding],
    })
  })
  it('is good again after failed payloads were mended in a folder', async () => {
    await site.fill({ 4: payload(4).replace('10.50', 'ten') })
    expect(await runCommand({ task: 'orders', config: site.config }, printing().context)).toBe(1)
    expect(await audit()).toMatchObject({ code: 1, counts: { failed: 1 } })
    const to = join(site.folder, 'dead')
    await deadLetterCommand({ task: 'orders', config: site.config, to }, printing().context)
    expect(readdirSync(to).sort()).toEqual(['4.xml', 'manifest.jsonl'])
    writeFileSync(join(to, '4.xml'), readFileSync(join(to, '4.xml'), 'utf8').replace('ten', '10.50'))
    expect(
      await retryCommand({ task: 'orders', config: site.config, source: `files:${to}` }, printing().context),
    ).toBe(0)
    await site.database.session.change('UPDATE source_records SET payload = ? WHERE record_id = 4', [
      payload(4),
    ])
    expect(await audit()).toMatchObject({ code: 0, counts: { archived: 4 } })
  })
})
