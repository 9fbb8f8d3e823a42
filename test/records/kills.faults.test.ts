import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { answers, DIALECTS, openSite, payload, type Site } from './databases.ts'

const ROUNDS = Number(process.env['RECORDS_KILLS'] ?? 1)
const STEPS = [
  'read',
  'mapped',
  'sent',
  'log written',
  'table orders written',
  'table lines written',
  'commit answered',
  'failure logged',
]
const ITEMS = 24

/** Runs the built program, killed with SIGKILL at the second time that it reaches a step. */
const runKilledAt = (site: Site, step: string | undefined): string | null => {
  const hook = join(site.folder, 'hook.mjs')
  writeFileSync(
    hook,
    `let left = 2
globalThis[Symbol.for('run-archiver.step')] = (name) => {
  if (name === ${JSON.stringify(`records: ${step}`)} && --left === 0) process.kill(process.pid, 'SIGKILL')
}`,
  )
  const program = ['dist/main.js', 'records', 'run', 'orders', '--config', site.config]
  const { signal, stderr } = spawnSync(
    process.execPath,
    [...(step === undefined ? [] : ['--import', hook]), ...program],
    { encoding: 'utf8' },
  )
  return signal ?? (stderr.includes('Error') ? stderr : null)
}

const lines = (dialect: string): string => (dialect === 'mysql' ? '`lines`' : 'lines')

describe.each(DIALECTS)('records run into %s, killed at each step', (dialect) => {
  it(
    'leaves no rows without a log row and no log row without rows, and ends as if it had not been killed',
    async ({ skip }) => {
      if (!(await answers(dialect))) skip(`no ${dialect} answers`)
      for (let round = 0; round < ROUNDS; round++) {
        const site = await openSite(dialect)
        const payloads = Object.fromEntries(
          Array.from({ length: ITEMS }, (_, index) => [
            index + 1,
            payload(index + 1, { customer: `c${index % 4}` }),
          ]),
        )
        // Failures come last, so that the steps of success are reached before.
        await site.fill({ ...payloads, 101: '<order', 102: '<order', 103: '<order' })
        for (const step of STEPS.filter((one) => one !== 'sent' || dialect !== 'sqlite')) {
          expect(runKilledAt(site, step), step).toBe('SIGKILL')
          // Killed before its transaction: nothing tried. In it: no part of its rows. Between COMMIT and its answer: both or neither.
          const done = await site.count("SELECT COUNT(*) FROM processing_log WHERE status = 'success'")
          expect(await site.count('SELECT COUNT(*) FROM orders'), step).toBe(done)
          expect(await site.count(`SELECT COUNT(*) FROM ${lines(dialect)}`), step).toBe(done * 2)
        }
        expect(runKilledAt(site, undefined)).toBe(null)
        // What was logged is not taken again, whether it was stored or failed.
        expect(await site.count('SELECT COUNT(*) FROM orders')).toBe(ITEMS)
        expect(
          await site.count(
            "SELECT COUNT(*) FROM processing_log WHERE status = 'success' AND retry_count = 0",
          ),
        ).toBe(ITEMS)
        expect(
          await site.count("SELECT COUNT(*) FROM processing_log WHERE status = 'failed' AND retry_count = 0"),
        ).toBe(3)
        await site.close()
      }
    },
    60_000 * ROUNDS,
  )
})

describe('the check of the kills', () => {
  it('fails for rows that are committed before their log row, as the original did it', async () => {
    const site = await openSite('sqlite')
    await site.fill({ 1: payload(1) })
    expect(runKilledAt(site, 'read')).toBe(null)
    await site.database.session.change(
      "INSERT INTO orders (record_id, placed) VALUES (2, '2026-02-03 04:05:06')",
    )
    const done = await site.count("SELECT COUNT(*) FROM processing_log WHERE status = 'success'")
    expect(await site.count('SELECT COUNT(*) FROM orders')).not.toBe(done)
    await site.close()
  })
})
