import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'

const site = new Site({ more: 'serve: { base_path: /archiver, host: 0.0.0.0 }' })
const folder = site.path('www')

beforeAll(() => {
  for (const run of [1, 2, 3]) site.record(run)
  site.record('03')
  site.archiver()
}, 60_000)
afterAll(() => site.remove())

const htmlFiles = (): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'))
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')

describe('page --to', () => {
  it('writes the pages, of which each link leads to a file and none asks a server', () => {
    const { status, stdout } = site.program(['page', '--to', folder, '--config', site.config])
    expect(status).toBe(0)
    const files = htmlFiles()
    expect(stdout).toBe(`${files.length} pages written to ${folder}\n`)
    expect(files).toEqual(
      expect.arrayContaining([
        'index.html',
        'runs.html',
        'history.html',
        'alerts.html',
        'runs/3.html',
        'executions/1.html',
      ]),
    )
    // The map has a link for every number: only runs that were taken have a page.
    expect(files.filter((name) => name.startsWith('runs/')).sort()).toEqual([
      'runs/1.html',
      'runs/2.html',
      'runs/3.html',
    ])
    for (const name of files) {
      const html = read(name)
      expect(html).toMatch(/Written on \d{4}-\d\d-\d\d at \d\d:\d\d UTC/)
      expect(html).not.toMatch(
        /<(?:script|form|button|input|dialog)\b|(?:href|src)="(?:\/|https?:)|xmlns|127\.0\.0\.1/,
      )
      for (const [, target = ''] of html.matchAll(/ (?:href|src)="([^"#]+)/g))
        expect(existsSync(join(folder, dirname(name), target)), `${name} to ${target}`).toBe(true)
    }
    expect(read('index.html').replace(/<[^>]*>/g, '')).toContain(
      'Everything up to 2 is archived. 1 run failed',
    )
  }, 60_000)

  it('leaves nothing stale behind, and writes no more pages than it may', () => {
    const { stdout } = site.program(['page', '--to', folder, '--config', site.config, '--pages', '10'])
    expect(stdout).toMatch(
      /^10 pages written to .*, \d+ old files removed\nThere are more: --pages 10 is as many as are written\./,
    )
    expect(htmlFiles()).toHaveLength(10)
  }, 60_000)

  it('writes nothing into a folder of somebody else', () => {
    const other = site.path('records')
    writeFileSync(join(other, 'index.html'), 'mine')
    const { status, stderr } = site.program(['page', '--to', other, '--config', site.config])
    expect(status).toBe(64)
    expect(stderr).toContain('holds files that this command did not write')
    expect(readFileSync(join(other, 'index.html'), 'utf8')).toBe('mine')
  }, 60_000)
})
