import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'

let site: Site
beforeEach(() => (site = new Site()))
afterEach(() => site.remove())

describe('a record that looks damaged', () => {
  it('is warned of by the first pass and by the idle one after it that looks at all, and has a line in the report', () => {
    site.record(1)
    site.record(2)
    site.record(3)
    writeFileSync(site.path('records', '2', 'metadata.txt'), '')
    for (const name of ['metadata.txt', 'boot.txt'])
      writeFileSync(site.path('records', '3', name), randomBytes(600))
    site.age(2, 3600)
    site.age(3, 3600)
    for (let i = 0; i < 2; i++) {
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

  it('and was archived keeps its line in the report, also where the file of it is lost', () => {
    site.record(4, { files: { 'boot.txt': randomBytes(600) } })
    site.record(5, { ended: false })
    site.record(6)
    writeFileSync(site.path('records', '5', 'metadata.txt'), '')
    site.age(5, 30 * 86_400)
    expect(site.archiver('--import-only').status).toBe(0)
    const lines = [
      'WARNING: the record of run 4 looks damaged, and was archived as it is: boot.txt is not text: its bytes look random\n',
      'WARNING: the record of run 5 looks damaged, and was archived as it is: metadata.txt is empty\n',
    ]
    const expectLines = (): void => {
      const { stdout } = site.archiver('--report-status')
      for (const line of lines) expect(stdout).toContain(line)
      expect(stdout).not.toContain('run 6 looks')
    }
    expectLines()
    expect(site.archiver().status).toBe(0)
    rmSync(site.path('work', '.proven.json'))
    expect(site.command('scrub').status).toBe(0)
    expectLines()
    expect(JSON.parse(site.archiver('--report-status', '--json').stdout)).toMatchObject({
      damaged_records: [{ run: 4 }, { run: 5, reason: 'metadata.txt is empty' }],
    })
  })
})
