import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'

let site: Site
const DAYS_AGO = '2025-10-03T12:00:00.000Z'
const lastSuccess = (): string => readFileSync(site.path('work', 'last-success.txt'), 'utf8').trim()

beforeEach(() => {
  site = new Site({ more: 'reporting: {stale_after_hours: 24}' })
  site.record(1)
  site.archiver('--incremental')
  writeFileSync(site.path('work', 'last-success.txt'), `${DAYS_AGO}\n`)
  writeFileSync(site.path('work', 'ledger-idle.txt'), '2025-10-03 12:00:00.000\n')
})
afterEach(() => site.remove())

describe('the time of the last success', () => {
  it('is that of a pass that found nothing to do, too', () => {
    expect(site.archiver('--incremental').status).toBe(0)
    expect(Date.parse(lastSuccess())).toBeGreaterThan(Date.now() - 60_000)
  })
  it('is not that of a pass that failed, whatever that pass writes down of idle ones', () => {
    renameSync(site.path('records'), site.path('away'))
    expect(site.archiver('--incremental').status).toBe(1)
    expect(lastSuccess()).toBe(DAYS_AGO)
    const { stdout } = site.archiver('--report-status', '--json')
    expect(stdout).toContain(`"last_success": "${DAYS_AGO}"`)
  })
  it('is not when somebody looked at the history', () => {
    expect(site.program(['history', '--config', site.config]).status).toBe(0)
    const { stdout } = site.archiver('--report-status', '--json')
    expect(stdout).toContain(`"last_success": "${DAYS_AGO}"`)
  })
  it('is not that of a recovery', () => {
    expect(site.archiver('--recover-import-state').status).toBe(0)
    expect(lastSuccess()).toBe(DAYS_AGO)
    rmSync(site.path('work', 'last-success.txt'))
    expect(site.archiver('--recover-migrate-state').status).toBe(0)
    expect(existsSync(site.path('work', 'last-success.txt'))).toBe(false)
  })
})

describe('a pass that finds its source away', () => {
  it('tells people so, as one whose source goes away in the middle does', async () => {
    const heard: { key: string; lines: string[] }[] = []
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        heard.push(JSON.parse(body) as (typeof heard)[number])
        response.end()
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const told = readFileSync(site.config, 'utf8').replace(
      'reporting: {',
      `reporting: {webhook: {enabled: true, url: "http://127.0.0.1:${port}/"}, `,
    )
    writeFileSync(site.config, told, { mode: 0o600 })
    chmodSync(site.config, 0o600)
    renameSync(site.path('records'), site.path('away'))
    const [code] = (await once(site.start('--incremental'), 'exit')) as [number]
    server.close()
    expect(code).toBe(1)
    expect(heard.map(({ key }) => key)).toEqual(['stopped:import', 'stale'])
    expect(heard[0]?.lines[0]).toContain('the run record directory')
  })
})
