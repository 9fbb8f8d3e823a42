import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Served } from './served.ts'

const PAGES = [
  ...['/', '/runs', '/history', '/executions/1', '/performance', '/failures', '/graph'],
  ...['/rows', '/records', '/instances', '/alerts', '/login'],
]
const XSS = '<img src=x onerror="document.title=1">'
const served = new Served()

beforeAll(async () => {
  await served.start()
  const { json } = await served.send('POST', '/api/v1/executions', { task_name: 'DAILY_check' })
  const ended = await served.send('POST', `/api/v1/executions/${String(json['run_id'])}/error`, {
    message: XSS,
  })
  if (ended.status !== 200) throw new Error(ended.text)
})
afterAll(() => served.remove())

describe('every page of a ledger without an archiver', () => {
  it.each(PAGES)('%s answers, names no other host and has no inline style', async (path) => {
    const { status, text } = await served.send('GET', path)
    expect(status).toBe(200)
    expect(text).not.toMatch(/\b(?:https?|wss?):\/\//)
    expect(text).not.toMatch(/ style=|<style|xmlns/)
    expect(text).not.toContain(XSS)
    expect(text).toContain('class="say"')
  })

  it('has the failed execution on failures, and its day in performance', async () => {
    const failures = await served.send('GET', '/failures')
    expect(failures.text).toContain('DAILY_check #1')
    expect(failures.text).toContain('&lt;img src=x')
    const performance = await served.send('GET', '/performance?task=DAILY_check')
    expect(performance.text).toContain('1 execution')
    expect(performance.text).toContain('0 % ended well')
    expect(performance.text).toContain('1 ended badly')
  })

  it('says of each part that is not configured that it is not', async () => {
    const say = async (path: string): Promise<string> =>
      /<p class="say">(.*?)<\/p>/.exec((await served.send('GET', path)).text)?.[1] ?? ''
    expect(await say('/rows')).toBe('No table is configured.')
    expect(await say('/records')).toBe('No task of records is configured.')
    expect(await say('/instances')).toBe('No queue is configured: one process does all of the work.')
    expect(await say('/graph')).toBe('No task depends on another one.')
    // What fires is kept for five seconds, and the page was drawn once when it started.
    await expect.poll(() => say('/alerts'), { timeout: 6000 }).toContain('1 alert fires')
  })

  it('names the port that it was given by the system', async () => {
    expect((await served.send('GET', '/')).text).toContain(`on 127.0.0.1:${served.port}`)
  })

  it.each([
    '/search?q=a%00b',
    '/history?q=%00',
    '/api/v1/stats/a%00b',
    '/api/v1/executions?task=%00',
    '/executions/%00',
  ])('refuses the NUL character of %s as the fault of whoever asks, not of the ledger', async (path) => {
    const { status, text } = await served.send('GET', path)
    expect(status).toBe(400)
    expect(text).toContain('an address cannot hold a NUL character')
    expect((await served.send('GET', '/readyz')).status).toBe(200)
  })

  it('links the same failures as CSV and JSON that it shows', async () => {
    const { text } = await served.send('GET', '/failures?stage=import&seen=90&q=disk')
    expect(text).toContain('href="/api/v1/executions?standing=bad&amp;from=')
    const bad = await served.send('GET', '/api/v1/executions?standing=bad')
    expect(bad.json['items']).toHaveLength(1)
  })

  it('has the history from one UTC day to another, both whole', async () => {
    const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
    const { json } = await served.send('GET', '/api/v1/executions/1')
    const at = Number(json['startedAt'])
    const count = async (from: string, to: string): Promise<number> => {
      const list = await served.send('GET', `/api/v1/executions?from=${from}&to=${to}`)
      return (list.json['items'] as readonly unknown[]).length
    }
    const [before, own, after] = [-1, 0, 1].map((days) => dayOf(at + days * 86_400_000)) as [
      string,
      string,
      string,
    ]
    expect(await count(own, own)).toBe(1)
    expect(await count(before, after)).toBe(1)
    expect(await count(before, before)).toBe(0)
    expect(await count(after, after)).toBe(0)
    const { text } = await served.send('GET', `/history?from=${before}&to=${own}`)
    expect(text).toContain(`name="from" value="${before}"`)
    expect(text).toContain(`name="to" value="${own}"`)
    expect(text).toContain('href="/history?day=')
    const ofDay = await served.send('GET', `/history?day=${own}`)
    expect(ofDay.text).toContain(`name="from" value="${own}"`)
    expect((await served.send('GET', '/history?to=soon')).status).toBe(404)
  })

  it('has no whole log where no folder is allowed', async () => {
    const { status, json } = await served.send('GET', '/api/v1/executions/1/log.txt')
    expect([status, json['title']]).toEqual([404, 'the log is not shown: this execution named no log file'])
  })

  it('has an icon that is a picture and names no host', async () => {
    const reply = await fetch(`${served.url}/assets/icon.png`)
    expect(reply.headers.get('content-type')).toBe('image/png')
    expect([...new Uint8Array(await reply.arrayBuffer()).slice(1, 4)]).toEqual([0x50, 0x4e, 0x47])
  })
})
