import { appendFileSync, chmodSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'

let site: Site
beforeEach(() => {
  site = new Site()
  for (const run of [8, 9]) site.record(run)
  site.archiver()
})
afterEach(() => site.remove())

const audited = (...flags: string[]) => {
  const { status, stdout } = site.command('audit', '--json', ...flags)
  const { stages } = JSON.parse(stdout) as {
    stages: { archived: string; pending: string; violations: { run: number }[] }[]
  }
  return {
    status,
    stages: stages.map(({ archived, pending, violations }) => [archived, pending, violations.length]),
  }
}

describe('an audit of a record that changed after it was archived', () => {
  it('calls it pending, until it is stored again and its blob as well', () => {
    appendFileSync(site.path('records', '9', 'boot.txt'), 'more: 1\n')
    expect(audited()).toEqual({ status: 0, stages: [['8', '9', 0], ['8-9', '', 0]] }) // prettier-ignore
    site.archiver('--import-only')
    expect(audited()).toEqual({ status: 0, stages: [['8-9', '', 0], ['8', '9', 0]] }) // prettier-ignore
    site.archiver('--migrate-only')
    expect(audited()).toEqual({ status: 0, stages: [['8-9', '', 0], ['8-9', '', 0]] }) // prettier-ignore
  })
  it('calls it pending where only a mode is another', () => {
    chmodSync(site.path('records', '9', 'boot.txt'), 0o600)
    expect(audited().stages[0]).toEqual(['8', '9', 0])
  })
  it('calls it archived where only a time is another', () => {
    utimesSync(site.path('records', '9', 'boot.txt'), 1_700_000_000, 1_700_000_000)
    expect(audited().stages[0]).toEqual(['8-9', '', 0])
  })
  it('calls it damaged where a content is another and nothing says that it changed', () => {
    const file = site.path('records', '10', 'boot.txt')
    site.record(10)
    utimesSync(file, 1_700_000_000, 1_700_000_000)
    site.archiver()
    writeFileSync(file, readFileSync(file, 'utf8').replace('1', '2'))
    utimesSync(file, 1_700_000_000, 1_700_000_000)
    expect(audited()).toEqual({ status: 1, stages: [['8-9', '', 1], ['8-10', '', 0]] }) // prettier-ignore
  })
})
