import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'

let site: Site
beforeEach(() => (site = new Site()))
afterEach(() => site.remove())

describe('a record that looks damaged', () => {
  it('is warned of by the first pass and by each after it, and has a line in the report', () => {
    site.record(1)
    site.record(2)
    site.record(3)
    writeFileSync(site.path('records', '2', 'metadata.txt'), '')
    for (const name of ['metadata.txt', 'boot.txt'])
      writeFileSync(site.path('records', '3', name), randomBytes(600))
    site.age(2, 3600)
    site.age(3, 3600)
    for (let i = 0; i < 3; i++) {
      const { status, stdout, stderr } = site.archiver('--incremental')
      expect(status).toBe(0)
      expect(stdout + stderr).toContain('the record of run 2 looks damaged: metadata.txt is empty')
      expect(stdout + stderr).toContain('the record of run 3 looks damaged: metadata.txt is not text')
      expect(stdout + stderr).toContain('boot.txt is not text')
    }
    const report = site.archiver('--report-status').stdout
    expect(report).toContain('WARNING: the record of run 2 looks damaged: metadata.txt is empty')
    expect(report).toContain('WARNING: the record of run 3 looks damaged')
    expect(report).not.toContain('run 1 looks')
  })

  it('and has ended is archived with every byte, and warned of', () => {
    site.record(4, { files: { 'boot.txt': randomBytes(600) } })
    const { status, stderr } = site.archiver('--incremental')
    expect(status).toBe(0)
    expect(stderr).toContain('boot.txt is not text: its bytes look random')
    expect(site.command('verify')).toMatchObject({ status: 0 })
  })
})
