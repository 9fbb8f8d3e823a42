import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packBlob } from '../../src/stores/ucondb/blob/blob.ts'
import { adler32 } from '../../src/common/adler32.ts'
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

describe('a blob of a record with a folder called as a document is', () => {
  it('has what is in the folder under a plain name', () => {
    site.record(8, { files: { 'setup.txt': 'echo\n' } })
    mkdirSync(site.path('records', '8', 'setup.fcl'))
    writeFileSync(site.path('records', '8', 'setup.fcl', 'notes.txt'), 'n')
    site.age(8, 3600)
    site.archiver()
    expect(extract(8)).toMatchObject({ status: 0, stderr: '' })
    expect(readFileSync(site.path('out', 'setup.fcl'), 'utf8')).toBe('setup_script: "echo\\n"')
    expect(readFileSync(site.path('out', 'setup.fcl%2Fnotes.txt'), 'utf8')).toBe('n')
    expect(extract(8, site.path('record'), '--from', 'artdaq').status).toBe(0)
    expect(readFileSync(site.path('record', 'setup.fcl', 'notes.txt'), 'utf8')).toBe('n')
  })
})

describe('extracting to what can be no directory', () => {
  it.each([
    { to: () => site.config, says: /config.yaml is no directory/ },
    { to: () => join(site.config, 'x'), says: /config.yaml\/x is no directory, or lies below a file/ },
    { to: () => '/proc/x/y', says: /\/proc\/x\/y cannot be made: E/ },
    { to: () => site.path('x'.repeat(300)), says: /x cannot be made: E/ },
    { to: () => site.path('records'), says: /is not empty/ },
  ])('is refused with what is wrong: $says', ({ to, says }) => {
    expect(extract(7, to())).toMatchObject({ status: 64, stderr: expect.stringMatching(says) as string })
  })
  it('leaves names that no file can have in files that can', () => {
    const name = `${'x'.repeat(190)}.fcl`
    forge(32, { [`a/${name}${name}`]: '1', ok: '2' })
    expect(extract(32)).toMatchObject({ status: 0, stderr: '' })
    expect(readdirSync(site.path('out')).map((one) => one.length)).toEqual([255, 2])
  })
  it('says where it could not go on', () => {
    forge(33, { [`${'d/'.repeat(2500)}x`]: '1' })
    const { status, stderr } = extract(33)
    expect([status, stderr]).toEqual([1, expect.stringMatching(/cannot be written: ENAMETOOLONG.*\[STORE_UNAVAILABLE\]\n {2}What is there is not all/)]) // prettier-ignore
  })
})

describe('a record with a setuid program and a setgid folder', () => {
  it('is extracted with its other modes, and without the bits that were meant for its owner', () => {
    site.record(8)
    const record = site.path('records', '8')
    writeFileSync(join(record, 'tool.sh'), 'id\n')
    mkdirSync(join(record, 'sub'))
    writeFileSync(join(record, 'sub', 'note.txt'), 'x')
    chmodSync(join(record, 'tool.sh'), 0o6755)
    chmodSync(join(record, 'sub'), 0o3777)
    site.archiver()
    expect(extract(8, site.path('out'), '--from', 'artdaq')).toMatchObject({ status: 0 })
    const modeOf = (name: string) => (statSync(site.path('out', name)).mode & 0o7777).toString(8)
    expect([modeOf('tool.sh'), modeOf('sub')]).toEqual(['755', '1777'])
  })
})
