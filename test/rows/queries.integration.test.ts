import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DIALECTS, range, serverAnswers, Site } from './servers.ts'

/** The queries of the documentation, by their headings. */
const QUERIES = [
  ...readFileSync('docs/ROWS_QUERIES.md', 'utf8').matchAll(/## ([^\n]+)\n[^#]*?(```[^#]*)/g),
].flatMap(([, title = '', blocks = '']) =>
  [...blocks.matchAll(/```sql ([a-z ]+)\n([\s\S]*?)```/g)].map(([, dialects = '', sql = '']) => ({
    title,
    dialects: dialects.split(' '),
    sql,
  })),
)

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: the queries are not run there`)
  const queries = QUERIES.filter(({ dialects }) => dialects.includes(name))

  describe.skipIf(!isThere)(`the queries on ${name}`, () => {
    let site: Site
    beforeAll(async () => {
      site = await Site.make(name)
      await site.fill(250)
      site.file('your_file.csv', range(1, 250))
      await site.move({ limitBatches: 2 })
      await site.move()
      // What a kill leaves, and a run that is on.
      await site.sql(
        "UPDATE process_logs SET status = 'KILLED' WHERE id = 1",
        "INSERT INTO process_logs (table_name, process_type, start_time, status) VALUES ('r', 'ARCHIVE', CURRENT_TIMESTAMP, 'RUNNING')",
        `UPDATE file_processing_logs SET end_time = start_time + INTERVAL ${name === 'mysql' ? '5 MINUTE' : "'5 minutes'"} WHERE process_log_id = 2`,
      )
    })
    afterAll(async () => site.drop())
    const answers: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>> = {
      'Running processes': [{ table_name: 'r', status: 'RUNNING' }],
      'Processes that died in the last 24 hours': [{ status: 'KILLED' }],
      'Files with their counts': [
        { file_name: 'your_file.csv', total_batches: '3', processed_batches: '3', records_processed: '250' },
      ],
      'Share that is done': [{ batch_percentage: '100.00', current_status: 'Finished' }],
      'Kills and reboots of the last seven days': [
        { total_runs: '3', killed_count: '1', reboot_count: '0', terminated_count: '0' },
      ],
      'Records a minute': [{ file_name: 'your_file.csv', records_per_minute: '50' }],
      'One process': [{ id: '2', status: 'COMPLETED' }],
      'Its files': [{ process_log_id: '2', status: 'COMPLETED' }],
      'The last batch of a file': [{ last_batch: '3' }],
      'Its batches, the last one first': [{ batch_number: '3', status: 'COMPLETED', rows_deleted: '50' }],
      'While it runs': [{ status: 'RUNNING', processed_batches: null }],
    }

    it('are all there', () => {
      expect(queries.map(({ title }) => title)).toEqual(Object.keys(answers))
    })

    it.each(queries)('answer: $title', async ({ title, sql }) => {
      const rows = await site.rows(sql.replaceAll('<process_id>', '2').replace(/;\s*$/, ''))
      expect(rows).toMatchObject(answers[title]!)
    })
  })
}
