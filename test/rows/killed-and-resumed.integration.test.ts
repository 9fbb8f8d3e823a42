import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RowsEvent } from '../../src/rows/events.ts'
import { screen, textLines } from '../../src/rows/screen.ts'
import { TextLog } from '../../src/rows/text-log.ts'
import { DIALECTS, range, serverAnswers, Site } from './servers.ts'

const FILE = 'data_2025-08-17.csv'
const PIDS = [12_345, 12_456]
/** Where the first run is killed: after so many batches of 2,200 ids each. */
const KILLED_AFTER = 15

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: rows are not tested there`)

  describe.skipIf(!isThere)(
    `rows of a ${name} table, with a run that was killed`,
    { timeout: 60_000 },
    () => {
      let site: Site
      beforeEach(async () => {
        site = await Site.make(name)
      })
      afterEach(async () => site.drop())

      /** A run as the command does it, stopped by SIGTERM when `stopsAt` comes; its lines on the screen and in the text log. */
      const run = async (pid: number, stopsAt: (event: RowsEvent) => boolean = () => false) => {
        const stop = new AbortController()
        const lines: string[] = []
        const log = new TextLog(join(site.folder, String(pid)), pid, () => Date.now())
        const listeners = [screen((line) => lines.push(line)), textLines(log)]
        const outcome = await site.move({
          batchSize: 2200,
          self: { pid, host: 'test', bootId: 'boot', startTicks: 1 },
          signal: stop.signal,
          listener: (event) => {
            for (const listener of listeners) listener(event)
            if (stopsAt(event)) stop.abort('SIGTERM')
          },
        })
        const [file = ''] = readdirSync(join(site.folder, String(pid)))
        const text = readFileSync(join(site.folder, String(pid), file), 'utf8')
          .replace(/\d\d_\d\d_\d{4}_\d\d_\d\d_\d\d/, 'START')
          .replace(/\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]/g, '[TIME]')
        return { outcome, lines, log: text.trimEnd().split('\n') }
      }
      const files = () =>
        site.rows(
          'SELECT status, total_batches, processed_batches, last_processed_batch, records_processed, error_message FROM file_processing_logs ORDER BY id',
        )
      const [pid = 0, next = 0] = PIDS

      it('are 33,000 after 15 of 50 batches, and all 110,000 after the next run, with the lines of the guide', async () => {
        await site.fill(110_000)
        site.file(FILE, range(1, 110_000))
        const killed = await run(pid, (event) => event.type === 'batch-done' && event.batch === KILLED_AFTER)
        const why = `Process terminated by SIGTERM signal (PID: ${pid})`
        expect(killed.outcome.status).toBe('KILLED')
        expect(killed.lines.slice(-3)).toEqual([
          'Processing batch 15/50 - IDs: 30801 to 33000 (2200 records)',
          why,
          'Graceful shutdown initiated...',
        ])
        expect(killed.log.slice(-4)).toEqual([
          `[TIME] FILE: ${FILE} | BATCH: 15 | STATUS: COMPLETED | PID: ${pid}`,
          '',
          why,
          `[TIME] ${why}`,
        ])
        expect(await site.rows('SELECT status, error_message FROM process_logs')).toEqual([
          { status: 'KILLED', error_message: why },
        ])
        const stopped = {
          ...{ status: 'KILLED', total_batches: '50', processed_batches: '15', last_processed_batch: '15' },
          ...{ records_processed: '33000', error_message: why },
        }
        expect(await files()).toEqual([stopped])

        const resumed = await run(next)
        expect(resumed.lines.slice(0, 3)).toEqual([
          `Resuming file ${FILE} from batch 16`,
          'Records already processed: 33000',
          'Skipping already processed batch 1',
        ])
        expect(resumed.lines.slice(16, 19)).toEqual([
          'Skipping already processed batch 15',
          'Processing batch 16/50 - IDs: 33001 to 35200 (2200 records)',
          'Processing batch 17/50 - IDs: 35201 to 37400 (2200 records)',
        ])
        expect(resumed.lines.at(-1)).toBe(
          `File ${FILE} completed successfully. Total records processed: 110000`,
        )
        expect(resumed.log.slice(0, 4)).toEqual([
          `=== Script Starts at: START (PID: ${next}) ===`,
          `RESUMING: ${FILE} from batch 16 (Records processed: 33000)`,
          `[TIME] FILE: ${FILE} | BATCH: 16 | STATUS: PROCESSING | PID: ${next}`,
          'Processing batch 16/50 - IDs: 33001 to 35200 (2200 records)',
        ])
        const done = {
          ...{
            status: 'COMPLETED',
            total_batches: '50',
            processed_batches: '50',
            last_processed_batch: '50',
          },
          ...{ records_processed: '110000', error_message: null },
        }
        expect(await files()).toEqual([stopped, done])
        expect(await site.count('ra')).toBe(110_000)
      })

      it('that died without a word is named in the log after the first line of the run that found it', async () => {
        await site.fill(100)
        site.file(FILE, range(1, 100))
        await run(pid)
        await site.sql("UPDATE process_logs SET status = 'RUNNING', end_time = NULL")
        const { lines, log } = await run(next)
        expect(lines[0]).toBe(`Marked incomplete process ${pid} as TERMINATED`)
        expect(log).toEqual([
          `=== Script Starts at: START (PID: ${next}) ===`,
          `Marked incomplete process ${pid} as TERMINATED`,
        ])
      })

      it('says why it is rolled back where a signal comes in a batch that outlives its grace', async () => {
        await site.fill(100)
        site.file(FILE, range(1, 100))
        await site.sql('BEGIN', "UPDATE r SET t = 'held' WHERE id = 50")
        const stop = new AbortController()
        const moving = site.move({
          signal: stop.signal,
          graceMs: 100,
          self: { pid, host: 'h', bootId: 'b', startTicks: 1 },
        })
        const waiting = setInterval(() => stop.abort('SIGINT'), 1500)
        const { status } = await moving
        clearInterval(waiting)
        await site.sql('ROLLBACK')
        expect(status).toBe('KILLED')
        expect((await files())[0]?.['error_message']).toBe(
          `Process terminated by SIGINT signal (PID: ${pid})`,
        )
        expect(await site.count('r')).toBe(100)
      })

      it('go on with the first batch that is not finished, also where later ones are', async () => {
        await site.fill(11_000)
        site.file(FILE, range(1, 11_000))
        await run(pid)
        // As a run leaves it that went on behind batches that failed.
        await site.sql(
          'INSERT INTO r SELECT * FROM ra WHERE id BETWEEN 2201 AND 4400 OR id BETWEEN 6601 AND 8800',
          'DELETE FROM ra WHERE id BETWEEN 2201 AND 4400 OR id BETWEEN 6601 AND 8800',
          'DELETE FROM batch_processing_logs WHERE batch_number IN (2, 4)',
        )
        const { lines } = await run(next)
        expect(lines).toEqual([
          `Resuming file ${FILE} from batch 2`,
          'Records already processed: 6600',
          'Skipping already processed batch 1',
          'Processing batch 2/5 - IDs: 2201 to 4400 (2200 records)',
          'Skipping already processed batch 3',
          'Processing batch 4/5 - IDs: 6601 to 8800 (2200 records)',
          'Skipping already processed batch 5',
          `File ${FILE} completed successfully. Total records processed: 11000`,
        ])
        expect((await files())[1]).toMatchObject({ processed_batches: '5', last_processed_batch: '5' })
      })

      it('never show more batches done than there are, and count files that were finished before', async () => {
        await site.fill(1000)
        site.file(FILE, range(1, 1000))
        site.file('a.csv', [1, 2, 3])
        await site.move({ batchSize: 100 })
        await site.sql('DELETE FROM batch_processing_logs WHERE batch_number IN (2, 4, 6, 8, 10)')
        const seen: number[] = []
        await site.move({
          batchSize: 500,
          listener: ({ type }) => {
            if (type === 'batch-done') seen.push(1)
          },
        })
        expect(seen).toHaveLength(5)
        expect((await files()).at(-1)).toMatchObject({ total_batches: '10', processed_batches: '10' })
        expect(await site.rows('SELECT total_files, processed_files FROM process_logs ORDER BY id')).toEqual([
          { total_files: '2', processed_files: '2' },
          { total_files: '2', processed_files: '2' },
        ])
      })
    },
  )
}
