import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DIALECTS, range, serverAnswers, Site, runArchiver } from './servers.ts'

/** The keys of a document at every depth, arrays by their first entry. */
const keysOf = (value: unknown, at = ''): string[] => {
  if (Array.isArray(value)) return value.length === 0 ? [`${at}[]`] : keysOf(value[0], `${at}[]`)
  if (value === null || typeof value !== 'object') return [at]
  return Object.entries(value).flatMap(([name, below]) => keysOf(below, at === '' ? name : `${at}.${name}`))
}

const COUNTS = [
  'requested',
  'moved',
  'alreadyArchivedLive',
  'conflicts',
  'alreadyArchived',
  'notFound',
  'appeared',
  'repeated',
  'heldBack',
  'inserted',
  'deleted',
  'childrenInserted',
  'childrenDeleted',
  'childConflicts',
].map((name) => `counts.${name}`)
const RUN = [
  'mode',
  'status',
  ...COUNTS,
  'failedBatches',
  'failedFiles',
  'openConflicts',
  'emptiedPartitions[]',
  'milliseconds',
  'reason',
  'error',
]

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)

  describe.skipIf(!isThere)(`the JSON of rows on ${name}`, () => {
    let site: Site
    let config: string
    beforeEach(async () => {
      site = await Site.make(name)
      await site.fill(10)
      config = site.config()
    })
    afterEach(async () => site.drop())

    /** Runs a command; standard output must be one document. */
    const document = async (...words: readonly string[]): Promise<{ code: number | null; json: unknown }> => {
      const place = words[0] === 'run' ? [config] : ['--config', config]
      const { code, out } = await runArchiver(['rows', ...words, ...place, '--json'])
      return { code, json: JSON.parse(out) }
    }

    it('is one document with the same keys whatever happened', async () => {
      await site.sql("INSERT INTO ra (id, t) VALUES (3, 'another')")
      site.file('ids.csv', range(1, 10))
      const plan = await document('plan')
      expect(plan).toMatchObject({
        code: 0,
        json: { key: ['id'], columns: ['id', 't', 'n', 'd'], oneServer: true },
      })
      const verified = await document('verify')
      expect(keysOf(verified.json)).toEqual(RUN)
      const first = await document('run')
      expect(first).toMatchObject({
        code: 1,
        json: { mode: 'move', status: 'PARTIAL', counts: { moved: 9, conflicts: 1 }, openConflicts: 1 },
      })
      expect(keysOf(first.json)).toEqual(RUN)
      expect(first.json).toMatchObject({ reason: null, error: null })

      expect(await document('conflicts')).toMatchObject({
        code: 1,
        json: {
          conflicts: [
            { row_key: '3', batch_number: 1, src_row: { t: 'row 3' }, dst_row: { t: 'another', n: null } },
          ],
        },
      })
      const status = await document('status')
      expect(status).toMatchObject({
        code: 0,
        json: { executions: [{ id: 1, status: 'PARTIAL', files: [{ file_name: 'ids.csv', conflicts: 1 }] }] },
      })
      const badly = async (...words: string[]) =>
        ((await document('status', '--ended-badly', ...words)).json as { executions: unknown[] }).executions
      expect(await badly('24h')).toEqual([])
      await site.sql("UPDATE process_logs SET status = 'TERMINATED' WHERE id = 1")
      expect(await badly('24h')).toMatchObject([{ id: 1, status: 'TERMINATED' }])
      expect(await badly('30m', '--limit', '1')).toHaveLength(1)
      await site.sql("UPDATE process_logs SET start_time = '2025-01-01 00:00:00' WHERE id = 1")
      expect(await badly('24h')).toEqual([])
      for (const words of [[], ['--since', '7d'], ['--since', '7']])
        expect(await document('stats', ...words)).toMatchObject({
          code: 0,
          json: {
            days: [
              {
                executions: 1,
                batches: 1,
                ids: 10,
                deleted: 9,
                ids_per_second: expect.any(Number) as number,
              },
            ],
          },
        })
      await site.sql("UPDATE ra SET t = 'changed since' WHERE id = 3")
      expect(await document('conflicts', '--keep', 'archive')).toMatchObject({
        code: 1,
        json: { settled: 0, left: 1, unsettled: [{ row_key: '3', error: { code: 'CONFLICT' } }] },
      })
      await site.sql("UPDATE ra SET t = 'another' WHERE id = 3")
      expect(await document('conflicts', '--keep', 'archive')).toEqual({
        code: 0,
        json: { settled: 1, left: 0, unsettled: [] },
      })
      for (const days of ['1', '1d'])
        expect(await document('cleanup', '--older-than', days)).toEqual({
          code: 0,
          json: { executions: 0, batches: 0 },
        })
    }, 180_000)

    it('comes with the reason on standard error where a file or a batch fails', async () => {
      site.file('ids.csv', [1, 'x y'])
      for (const words of [['verify'], ['run', '--dry-run'], ['run']] as const) {
        const place = words[0] === 'run' ? [config] : ['--config', config]
        const { code, out, err } = await runArchiver(['rows', ...words, ...place, '--json'])
        expect([code, JSON.parse(out)]).toMatchObject([1, { failedFiles: 1 }])
        expect(err).toMatch(/^File ids\.csv failed: .*ids\.csv: line 2: /m)
      }
      expect((await document('status')).json).toMatchObject({
        executions: [
          {
            ...{ status: 'PARTIAL', replica_lag: -1, hll_value: -1 },
            error_message: expect.stringMatching(/ids\.csv: line 2: .*\[IDS_INVALID\]/) as string,
          },
        ],
      })
      site.file('ids.csv', [1])
      await site.sql(
        ...(name === 'mysql'
          ? [
              "CREATE TRIGGER no BEFORE DELETE ON r FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'",
            ]
          : [
              "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'",
              'CREATE TRIGGER no BEFORE DELETE ON r FOR EACH ROW EXECUTE FUNCTION no()',
            ]),
      )
      const { code, out, err } = await runArchiver(['rows', 'run', config, '--json', '--force-triggers'])
      expect([code, JSON.parse(out)]).toMatchObject([1, { failedBatches: 1 }])
      expect(err).toMatch(/^Error processing batch 1 in file ids\.csv: /m)
    })

    it('is one document with the error where a command fails', async () => {
      site.file('ids.csv', range(1, 10))
      for (const words of [['status'], ['stats'], ['conflicts'], ['cleanup'], ['pause', '1']])
        expect(await document(...words)).toMatchObject({
          code: 1,
          json: { error: { code: 'NOT_FOUND', hint: expect.any(String) as string } },
        })
      await site.sql('ALTER TABLE ra DROP COLUMN d')
      for (const words of [['run'], ['plan'], ['verify']])
        expect(await document(...words)).toMatchObject({
          code: 78,
          json: { error: { code: 'ROWS_REFUSED', hint: null } },
        })
      await site.sql('ALTER TABLE ra ADD COLUMN d DOUBLE PRECISION, ADD COLUMN x INT DEFAULT 1 CHECK (x > 1)')
      const failed = await document('run')
      expect(failed).toMatchObject({
        code: 1,
        json: { status: 'FAILED', failedBatches: 1, error: { code: 'ROWS_FAILED' } },
      })
      for (const word of ['pause', 'resume', 'cancel'])
        expect(await document(word, '1')).toMatchObject({ code: 1, json: { error: { code: 'NOT_FOUND' } } })
      expect(await document('conflicts', '--keep', 'none')).toMatchObject({
        code: 64,
        json: { error: { code: 'USAGE' } },
      })
      await site.sql("UPDATE process_logs SET status = 'RUNNING'")
      expect(await document('pause', '1')).toEqual({ code: 0, json: { id: 1, control: 'pause' } })
      expect(await document('resume', '1')).toEqual({ code: 0, json: { id: 1, control: null } })
      expect(await document('cancel', '1')).toEqual({ code: 0, json: { id: 1, control: 'cancel' } })
      for (const word of ['pause', 'resume'])
        expect(await document(word, '1')).toMatchObject({
          code: 1,
          json: { error: { message: expect.stringContaining('was cancelled') as string } },
        })
      expect(await site.rows('SELECT control FROM process_logs')).toMatchObject([{ control: 'cancel' }])
    }, 180_000)
  })
}
