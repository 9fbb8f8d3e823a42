import { chmodSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'

/** Files below a folder whose names match. */
const filesOf = (folder: string, name: RegExp): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((one) => name.test(one))
    .map((one) => join(folder, one))

describe('what a pass sets aside, or writes again, because it is damaged', () => {
  let site: Site
  beforeEach(() => {
    site = new Site()
    for (const run of [1, 2]) site.record(run)
    expect(site.process([site.config]).status).toBe(0)
  })
  afterEach(() => site.remove())
  const pass = (...flags: string[]): string => {
    const { status, stderr, stdout } = site.process([site.config, ...flags])
    expect({ status, stderr, stdout }).toMatchObject({ status: 0 })
    return stdout + stderr
  }

  it('a blob whose put may have been cut short: the log names it, what is wrong, and where it is kept', () => {
    const [blob = ''] = filesOf(site.path('archive'), /\/2\.txt$/)
    chmodSync(blob, 0o644)
    writeFileSync(blob, 'flipped')
    writeFileSync(site.path('work', '.migrator_in_hand'), '2\n')
    expect(pass('--incremental')).toMatch(
      /2\.txt holds 7 bytes.*: it is kept as 2\.damaged-[0-9a-f]{16}\.txt, and the blob is stored again/,
    )
    expect(filesOf(site.path('archive'), /2\.damaged-[0-9a-f]{16}\.txt$/)).toHaveLength(1)
    expect(pass('--migrate-only')).not.toContain('damaged')
  })

  it('a blob that was damaged later: the command that its error names stores it again', () => {
    const [blob = ''] = filesOf(site.path('archive'), /\/2\.txt$/)
    chmodSync(blob, 0o644)
    writeFileSync(blob, 'flipped')
    const { status, stderr } = site.command('extract', '2', '--to', site.path('out'))
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /Move 2\.txt and 2\.sha256 out of the archive; then .*--migrate-only --runs 2/,
      ) as string,
    })
    for (const file of [blob, blob.replace(/txt$/, 'sha256')]) renameSync(file, site.path(basename(file)))
    expect(pass('--migrate-only', '--runs', '2')).toContain('1 archived')
    expect(site.command('extract', '2', '--to', site.path('out')).status).toBe(0)
  })

  it('an index of artdaqDB', () => {
    const [index = ''] = filesOf(site.path('db'), /RunHistory[^/]*index\.json$|RunHistory\/index\.json$/)
    writeFileSync(index, '{"cut":')
    site.record(3)
    const log = pass('--import-only')
    expect(log).toMatch(
      /the index of .* was damaged \(.*\): it is kept as .*damaged-.*, and written again from the documents/,
    )
    expect(filesOf(site.path('db'), /index\.json\.damaged-/)).toHaveLength(1)
  })

  it('the ledger', () => {
    writeFileSync(site.path('work', 'ledger.db'), 'This is not a database. '.repeat(100))
    for (const tail of ['-wal', '-shm']) rmSync(site.path('work', `ledger.db${tail}`), { force: true })
    site.record(3)
    expect(pass('--import-only')).toMatch(
      /The ledger was damaged and is kept as .*ledger\.db\.corrupt-1; a new one is begun/,
    )
  })
})
