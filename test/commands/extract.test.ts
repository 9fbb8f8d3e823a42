import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packBlob } from '../../src/core/blob.ts'
import { adler32 } from '../../src/core/checksum.ts'
import { Site } from '../site.ts'

let site: Site
beforeEach(() => {
  site = new Site()
  site.record(7)
  site.archiver()
})
afterEach(() => site.remove())

/** Puts a blob of these sections into the archive, as anybody could who may write there. */
const forge = (run: number, sections: Record<string, string>): void => {
  const blobs = readdirSync(site.path('archive'), { recursive: true, encoding: 'utf8' })
  const folder = dirname(
    site.path(
      'archive',
      blobs.find((name) => name.endsWith('/7.txt'))!,
    ),
  )
  const parts = Object.entries(sections).map(([name, content]) => ({ name, content: Buffer.from(content) }))
  const blob = packBlob(run, parts, 0)
  const sum = createHash('sha256').update(blob).digest('hex')
  writeFileSync(join(folder, `${run}.txt`), blob)
  writeFileSync(
    join(folder, `${run}.sha256`),
    `# size ${blob.length}\n# adler32 ${adler32(blob)}\n# stored 2025-10-03T15:50:00.000Z\n${sum}  ${run}.txt\n`,
  )
}

const extract = (run: number, to = site.path('out'), ...more: string[]) =>
  site.command('extract', String(run), '--to', to, ...more)

describe('a blob whose names would lead out of the directory', () => {
  it('by their escapes is extracted into it all the same', () => {
    forge(30, { '..%2F..%2Fevil.fcl': 'a', '..%2F..%2Fevil.txt': 'b', '../../worse.txt': 'c' })
    expect(extract(30, site.path('deep', 'out'))).toMatchObject({ status: 0, stderr: '' })
    expect(readdirSync(site.path('deep', 'out'))).toEqual(['..%2F..%2Fevil.fcl', '..%2F..%2Fevil.txt', '..%2F..%2Fworse.txt']) // prettier-ignore
    expect(existsSync(site.path('evil.fcl')) || existsSync(site.path('evil.txt'))).toBe(false)
  })
})

describe('a blob whose names look escaped', () => {
  it('has each section in a file of its own', () => {
    forge(31, { 'a%00b.fcl': '1', 'a%00b.txt': '2', 'x%41.fcl': '3', 'xA.fcl': '4', 'x%0A.fcl': '5' })
    expect(extract(31)).toMatchObject({ status: 0, stderr: '' })
    const files = readdirSync(site.path('out'))
    expect(files).toEqual(['a%00b.fcl', 'a%00b.txt', 'x%0A.fcl', 'x%41.fcl', 'xA.fcl'])
    expect(files.map((name) => readFileSync(site.path('out', name), 'utf8'))).toEqual([
      '1',
      '2',
      '5',
      '3',
      '4',
    ])
  })
  it('has the odd bytes of a record’s file back', () => {
    site.record(8, { files: { 'a\nb%.dat': 'x' } })
    site.archiver()
    expect(extract(8).status).toBe(0)
    expect(readdirSync(site.path('out'))).toContain('a\nb%.dat')
  })
})
