import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { provenOf } from '../../../src/runs/scrub/proven.ts'
import { openArchiver } from '../../../src/app/open-archiver.ts'
import { contextOf } from '../../context.ts'
import { Site } from '../../site.ts'

let site: Site
afterEach(() => site.remove())

const openSite = (share: string): void => {
  site = new Site({
    more: `queue: {url: sqlite:queue.db}\nscrub: {share: ${share}}\ndaemon: {scan_seconds: 1}`,
  })
  for (const run of [1, 2, 3]) site.record(run)
}
const worker = () => site.command('worker', '--until-empty')
const proven = async () =>
  (await provenOf(await openArchiver(site.config, contextOf())).load()).runs.toString()
/** One bit of the blob of a run. */
const rot = (run: number): void => {
  const names = readdirSync(site.path('archive'), { recursive: true, encoding: 'utf8' })
  const blob = site.path(
    'archive',
    names.find((name) => name.endsWith(`/${run}.txt`))!,
  )
  const bytes = readFileSync(blob)
  bytes[bytes.length >> 1]! ^= 1
  writeFileSync(blob, bytes)
}

describe('workers on a shared backlog', () => {
  it('note what they migrated as compared, and find rot in it with nothing else to do', async () => {
    openSite('100%')
    expect(worker().status).toBe(0)
    expect(await proven()).toBe('1-3')
    expect(site.archiver('--report-status', '--compare-state').stdout).toContain(
      'every archived run within 1 day',
    )
    rot(2)
    // Each of these has time for one run at least.
    const ends = [worker(), worker(), worker()].map(({ status }) => status)
    expect(ends.toSorted()).toEqual([0, 0, 1])
    expect(await proven()).toBe('1,3')
    expect(site.command('scrub', '--runs', '1').status).toBe(0)
    expect(site.archiver('--report-status', '--compare-state', '--check').stdout).toContain(
      'run 2 is DAMAGED',
    )
  })

  it('compare nothing where the scrub is off, and note what they migrated all the same', async () => {
    openSite('off')
    expect(worker().status).toBe(0)
    expect(await proven()).toBe('1-3')
    rot(2)
    for (let turns = 0; turns < 3; turns++) expect(worker().status).toBe(0)
    expect(await proven()).toBe('1-3')
  })

  it('compare runs while they wait for more', async () => {
    openSite('100%')
    expect(worker().status).toBe(0)
    rot(3)
    const waiting = spawn(process.execPath, ['dist/main.js', 'worker', '--config', site.config])
    try {
      const until = Date.now() + 40_000
      while ((await proven()) !== '1-2' && Date.now() < until) await pause(200)
      expect(await proven()).toBe('1-2')
    } finally {
      waiting.kill('SIGTERM')
      await new Promise((ended) => waiting.once('exit', ended))
    }
  })
})
