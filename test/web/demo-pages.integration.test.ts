import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closeChromium } from './chromium.ts'
import { ServedDemo } from './demo.ts'
import { everyPage } from './every-page.ts'
import { readerFlows } from './reader-flows.ts'

const demo = new ServedDemo()
beforeAll(() => demo.start(), 600_000)
afterAll(() => demo.remove())
afterAll(closeChromium)

const page = async (path: string): Promise<string> => (await demo.served.send('GET', path)).text
const say = async (path: string): Promise<string> =>
  (/<p class="say">(.*?)<\/p>/.exec(await page(path))?.[1] ?? '')
    .replace(/<[^>]*>/g, '')
    .replaceAll('\u00a0', ' ')
const list = async (path: string): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  (await demo.served.send('GET', `/api/v1${path}`)).json['items'] as never

/** The texts of a page as they stand below its head, with `|` between two of them. */
const textsOf = async (path: string): Promise<string> =>
  (await page(path))
    .replace(/^[^]*?<main/, '<main')
    .replace(/<(script|svg)[^]*?<\/\1>/g, ' ')
    .replace(/<[^>]+>/g, '|')
    .replace(/&nbsp;|\u00a0/g, ' ')
    .replace(/[|\s]*\|[|\s]*/g, '|')

describe('the pages of the demo open with their sentence', () => {
  it('records: what is stored and what failed, as processing_log has it', async () => {
    expect(await say('/records')).toBe('4 items are stored by 1 task. 1 failed.')
    expect(await list('/records')).toMatchObject([{ task: 'batches', tables: { batches: 4, sensors: 8 } }])
    expect(await list('/records/batches/failed')).toMatchObject([{ key: '3', code: 'VALUE_NOT_VALID' }])
  })
  it('instances: one works on what comes, two have ended', async () => {
    expect(await say('/instances')).toMatch(/^1 instance works/)
    const stages = await page('/instances')
    expect(stages).toContain('records:batches')
    const instances = await list('/instances')
    expect(instances.map(({ status }) => status)).toEqual(['running', 'stopped', 'stopped'])
  })
  it('graph: the bottleneck by medians, and when the whole is done', async () => {
    expect(await say('/graph')).toMatch(
      /^The whole is done about .*, by the medians\. DAILY_01_pedestals is the bottleneck: \d/,
    )
    const tasks = await list('/graph')
    const of = (task: string) => tasks.find((one) => one['task'] === task)
    expect(of('DAILY_01_pedestals')).toMatchObject({ isDone: true, standing: 'ok' })
    expect(of('DAILY_02_merge_hits')).toMatchObject({ isDone: false, standing: 'running' })
    expect(of('DAILY_04_publish')).toMatchObject({ isDone: false, standing: 'none' })
    const text = await page('/graph?pipeline=PREREQ')
    expect(text).toContain('PREREQ_01_conditions')
    expect(text).not.toContain('DAILY_04_publish')
  })
  it('alerts: what fires, that nobody was sent it, and what is silenced', async () => {
    expect(await say('/alerts')).toMatch(/^\d alerts fire\. No channel is turned on: nobody is notified\.$/)
    expect(await list('/alerts')).toContainEqual(
      expect.objectContaining({ rule: 'failed', subject: 'PERIODIC_01_backup_check' }),
    )
    expect(await page('/alerts')).toContain('new join is slow')
    expect(await textsOf('/alerts')).toContain('Finished|an execution of a task ended well (off)|Off|')
  })
  it('rows: every id, and the conflict with both values', async ({ skip }) => {
    if (!demo.hasRows) skip()
    expect(await say('/rows')).toMatch(
      /was worked through: 600 ids of 3 files, and not all could be moved.* 1 conflict is open\.$/,
    )
    expect(await list('/rows/files')).toHaveLength(3)
    expect(await list('/rows/files')).toMatchObject([{}, { batches: 5, batchesDone: 5, duplicates: [2] }, {}])
    expect(await list('/rows/conflicts')).toMatchObject([
      { key: '250', differs: [{ column: 'volts', archive: '-1499.80' }] },
    ])
    const [newest] = await list('/rows/processes')
    expect(Math.abs(Number(newest?.['startedAt']) - Date.now())).toBeLessThan(1_800_000)
  })
})

/** In the place of a path: the page of the execution that runs now. */
const RUNNING = 'running'
/** What each feature of the documents (docs/FEATURES.md) looks like on its page. */
const FEATURES: readonly (readonly [features: string, path: string, shows: readonly (RegExp | string)[]])[] =
  [
    [
      '004-v1, t3',
      '/',
      ['Running now|2 executions on 1 host', /DAILY_02_merge_hits\|Running\|#\d+ · .* · \d+ (?:s|min)/],
    ],
    ['004-v2', RUNNING, [/Subtask \d of 4: [a-z ]+/, '2. join hits and channels', /::progress \d+\/300/]],
    [
      '004-v3',
      '/history',
      [/\d+ executions\|shown, the newest first/, 'DAILY_04_publish|Finished', /\|\d+ did not end well\./],
    ],
    [
      '004-v4, b1',
      '/performance?task=DAILY_02_merge_hits',
      [/[\d.]+\|%\|\d+ of (?:29|30); \d failed, \d killed/, 'Usual time (p50)'],
    ],
    [
      '004-v5',
      '/failures',
      ['2 items failed for 2 causes', 'last|', 'VALUE_NOT_VALID: batches.taken is no date'],
    ],
    ['004-g1', '/graph?pipeline=PREREQ', ['PREREQ_01_conditions', 'PREREQ_02_geometry']],
    ['004-g2', '/graph', ['Critical path in numbers', /PREREQ_01_conditions\|.*DAILY_04_publish\|.* sooner/]],
    ['004-g3', '/graph', [/DAILY_01_pedestals is the bottleneck\|: [\d.]+ % of the critical path/]],
    ['004-e1', '/graph', ['Predicted completion', /DAILY_04_publish\|Not started\|[\d:]+\|[\d:]+\|/]],
    ['004-e2', RUNNING, [/ends\|about\|[\d:]+\|,\|[\d:]+\|to\|[\d:]+\|from its past executions/]],
    ['004-b2', '/performance?task=DAILY_02_merge_hits', [/Mean time to completion\|\d+ (?:h|min)/]],
    [
      '004-b3',
      '/executions/4',
      [/CPU [\d.]+ % at last, [\d.]+ % at most/, /Memory \d+ MB at last, \d+ MB at most/],
    ],
    [
      '004-m1..m7',
      RUNNING,
      ['|DAILY_02_merge_hits #', '|Running|for|', /Started\|20\d\d-/, /, \d+ of 300/, 'Succeeded|'],
    ],
    ['004-m8, m9', '/executions/4', [/Resources\|of its process\|CPU/]],
    ['004-m13', '/executions/4', ['Items|15|', 'Succeeded|15|Failed|0|']],
    ['000-q1', '/rows', [/public\.\|demo_\|readings_\|\d+\|Partial\|\d+\|3 \/ 3/]],
    [
      '000-q2',
      '/failures',
      ['1 execution of the last 24 hours ended badly.', 'Command ended with exit code 3'],
    ],
    [
      '000-q3, q4',
      '/rows',
      ['readings_1.csv|Finished|5 / 5|200|', 'readings_2.csv|With duplicates|5 / 5|200|'],
    ],
    [
      '000-q5',
      '/performance',
      [
        /Terminations\|by UTC day, .*Day\|Executions\|Killed\|Reboot\|Died unseen\|20\d\d-\d\d-\d\d\|\d+\|\d+\|/,
      ],
    ],
    [
      '000-q6',
      '/rows',
      [/\|Rate\|[1-9][\d ]+\|ids a minute, pauses left out/, /\|Ids\|A minute\|(?:.*\|)?600\|[1-9][\d ]+\|/],
    ],
    [
      '002-v1',
      '/instances',
      [
        // Running, its heartbeat, claims, workers, done, and what it does a minute.
        /\|Done\|A minute\|.*\|Running\|[\d.]+ m?s\|\d+\|\d+\|[1-9]\d*\|(?!0\.0)[\d.]+\|/,
        /Stage\|Done or failed\|Done\|Failed\|Claimed\|Pending\|import\|\d+\|1\|/,
      ],
    ],
  ]

/** Milliseconds for what comes by and by. */
const PATIENCE = 60_000

describe('a feature of the documents stands on its page', () => {
  it.each(FEATURES)(
    '%s: %s',
    async (_features, path, shows) => {
      const running = `/executions/${String((await list('/current'))[0]?.['id'])}`
      // A new run comes each twelve seconds: until the worker has done the first one, it has no rate.
      const texts = expect.poll(() => textsOf(path === RUNNING ? running : path), {
        timeout: PATIENCE,
        interval: 500,
      })
      for (const words of shows)
        if (typeof words === 'string') await texts.toContain(words)
        else await texts.toMatch(words)
    },
    PATIENCE * 2,
  )
})

describe('every link of the pages', () => {
  it('leads somewhere', async () => {
    const pages = demo.said.flatMap((line) => /^\d{3} (http\S+)/.exec(line)?.[1] ?? [])
    const texts = new Map<string, string>()
    const bad: string[] = []
    const visit = async (address: string, from: string): Promise<string> => {
      const known = texts.get(address)
      if (known !== undefined) return known
      const reply = await fetch(address)
      const text = await reply.text()
      texts.set(address, text)
      if (reply.status !== 200) bad.push(`${reply.status} ${address} on ${from}`)
      return text
    }
    for (const page of pages)
      for (const [, href = ''] of (await visit(page, '')).matchAll(/ href="([^"]+)"/g)) {
        const url = new URL(href.replaceAll('&amp;', '&'), page)
        const place = url.hash.slice(1)
        url.hash = ''
        if (url.origin !== new URL(page).origin) bad.push(`${href} on ${page} is of another host`)
        const text = await visit(url.href, page)
        if (place !== '' && !text.includes(` id="${place}"`)) bad.push(`no place ${href} on ${page}`)
      }
    expect(texts.size).toBeGreaterThan(60)
    expect(bad.join('\n')).toBe('')
  }, 120_000)
})

// In the same demo: to make one takes 40 s of processor time.
readerFlows(demo)
everyPage(demo)

// The last one: it ends the demo.
describe('the demo', () => {
  it('looks at each page once, and leaves nothing when it ends', async () => {
    const looked = demo.said.filter((line) => /^\d{3} http/.test(line))
    expect(looked).toHaveLength(12)
    expect(looked.filter((line) => !line.startsWith('200 '))).toEqual([])
    expect(await demo.end()).toEqual({ code: 0, left: [] })
  }, 60_000)
})
