import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, renameSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync, appendFileSync, rmSync } from 'node:fs' // prettier-ignore
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RunRecords, type RunRecordsOptions } from '../../../src/stores/run-records/source.ts'
import { unprivileged } from '../../unprivileged.ts'

const DAY = 86_400_000
const signal = new AbortController().signal
const ENDED = 'Config name: beam\n\nDAQInterface start time: a\n\nDAQInterface stop time: b\n'
let directory: string
let clock: number

const store = (options: Partial<RunRecordsOptions> = {}): RunRecords =>
  new RunRecords({
    directory,
    settleSeconds: 30,
    incompleteAfterSeconds: 7 * 86_400,
    maxRecordBytes: 1_000_000,
    maxRecordFiles: 1000,
    now: () => clock,
    ...options,
  })

/** A record on disk; by the clock of these tests it was made a minute ago. */
const make = (name: string, files: Record<string, string | Buffer> = { 'metadata.txt': ENDED }): string => {
  const path = join(directory, name)
  mkdirSync(path, { recursive: true })
  for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content)
  return path
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'run-records-'))
  clock = Date.now() + 60_000
})
afterEach(() => {
  execFileSync('chmod', ['-R', 'u+rwX', directory])
  rmSync(directory, { recursive: true })
})

describe('the listing of the run record directory', () => {
  it('has runs by their numbers, and names all else with the reason', async () => {
    const runs = ['7', '12', '000123', '999999999999999']
    const others = ['0', '00', '1e3', '-5', '+7', '0x10', ' 12 ', '1_000', '９', '9007199254740993', '4'.repeat(200), '.tmp', 'lost+found', '.nfs0001', '²'] // prettier-ignore
    for (const name of [...runs, ...others]) mkdirSync(join(directory, name))
    writeFileSync(join(directory, '44'), 'a file')
    symlinkSync('7', join(directory, '55'))
    const listing = await store().list()
    expect([...listing.runs]).toEqual([7, 12, 123, 999_999_999_999_999])
    expect(listing.ignored.map(({ name }) => name).sort()).toEqual([...others, '44', '55'].sort())
    expect(listing.ignored.find(({ name }) => name === '55')?.reason).toBe('a link, which is not followed')
    expect(listing.ignored.find(({ name }) => name === '44')?.reason).toBe('no directory')
  })
  it('finds records whose names have zeros before the number', async () => {
    make('000123')
    make('0000000456')
    const records = store()
    expect((await records.read(123, signal)).directory).toBe('000123')
    expect((await records.read(456, signal)).directory).toBe('0000000456')
  })
  it('is not stopped by a name that only looks like a number', async () => {
    make('²')
    make('7')
    expect([...(await store().list()).runs]).toEqual([7])
  })
  it('has two directories for one run as ambiguous, and reads neither', async () => {
    make('123')
    make('000123')
    make('0123')
    make('8')
    const records = store()
    const listing = await records.list()
    expect([...listing.ambiguous]).toEqual([123])
    expect([...listing.runs]).toEqual([8])
    await expect(store().read(123, signal)).rejects.toMatchObject({ code: 'RECORD_INVALID', run: 123 })
    await expect(records.read(123, signal)).rejects.toThrow(/123 and 0123 and 000123/)
  })
  it('tells names that are not UTF-8', async () => {
    mkdirSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0x31])]))
    expect((await store().list()).ignored).toEqual([{ name: '%FF1', reason: 'its name is no run number' }])
  })
  it('of a directory that is missing, a file, or unreadable is an error, never empty', async () => {
    await expect(store({ directory: join(directory, 'none') }).list()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' }) // prettier-ignore
    writeFileSync(join(directory, 'file'), '')
    await expect(store({ directory: join(directory, 'file') }).list()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' }) // prettier-ignore
    await expect(store({ directory: join(directory, 'none') }).fingerprint()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' }) // prettier-ignore
  })
  it('of a directory that lost all its runs is an error', async () => {
    const path = make('7')
    const records = store()
    await records.list()
    rmSync(path, { recursive: true })
    await expect(records.list()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
    expect((await store().list()).runs.isEmpty).toBe(true)
  })
  it('has a fingerprint that changes with each entry, and only then', async () => {
    make('7')
    const records = store()
    const before = await records.fingerprint()
    appendFileSync(join(directory, '7', 'metadata.txt'), 'x')
    expect(await records.fingerprint()).toBe(before)
    make('8')
    expect(await records.fingerprint()).not.toBe(before)
  })
})

describe('a listing that was taken by an earlier process', () => {
  /** As it is after the cache of listings. */
  const listed = async () => {
    const records = store()
    return [await records.list(), (await records.fingerprint())!] as const
  }

  it('says which directory is whose, without reading the names', async () => {
    make('000123')
    const [listing, fingerprint] = await listed()
    make('123') // who read the names would find two
    const records = store()
    records.adopt(listing, fingerprint)
    expect((await records.read(123, signal)).directory).toBe('000123')
  })
  it('gives two directories for one run as two', async () => {
    make('000123')
    make('123')
    const records = store()
    records.adopt(...(await listed()))
    await expect(records.read(123, signal)).rejects.toThrow(/123 and 000123/)
  })
  it('counts no longer where a directory is not found and the names are others', async () => {
    const path = make('123')
    const [listing, fingerprint] = await listed()
    renameSync(path, join(directory, '000123'))
    const records = store()
    records.adopt(listing, fingerprint)
    expect((await records.read(123, signal)).directory).toBe('000123')
  })
  it('with runs makes an empty directory an error', async () => {
    const path = make('7')
    const [listing, fingerprint] = await listed()
    rmSync(path, { recursive: true })
    const records = store()
    records.adopt(listing, fingerprint)
    await expect(records.list()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
  })
  it('by a release that kept no names is read again', async () => {
    make('000123')
    const [{ runs, ambiguous, ignored }, fingerprint] = await listed()
    const records = store()
    records.adopt({ runs, ambiguous, ignored }, fingerprint)
    expect((await records.read(123, signal)).directory).toBe('000123')
  })
})

describe('the readiness of a record', () => {
  it('a run that goes on is not ready, and is when its stop line has settled', async () => {
    const path = make('7', { 'metadata.txt': 'Config name: a\n\nDAQInterface start time: b\n' })
    expect(await store().readiness(7)).toMatchObject({ ready: false, reason: 'running' })
    appendFileSync(join(path, 'metadata.txt'), '\nDAQInterface stop time: c\n')
    expect(await store().readiness(7)).toMatchObject({ ready: true, ended: true })
    clock -= 50_000
    expect(await store().readiness(7)).toMatchObject({ ready: false, reason: 'settling' })
  })
  it('a record that is being copied is not ready, empty or half there', async () => {
    mkdirSync(join(directory, '7'))
    expect(await store().readiness(7)).toMatchObject({ ready: false, reason: 'copying' })
    make('8', { 'tpc01.fcl': 'a: 1', 'metadata.txt': 'Config name: a\nCompo' })
    expect(await store().readiness(8)).toMatchObject({ ready: false, reason: 'copying' })
  })
  it('a record that never ended is ready when it is old, marked incomplete', async () => {
    const path = make('7', { 'metadata.txt': 'Config name: a\n' })
    const old = new Date(Date.now() - 8 * DAY)
    utimesSync(join(path, 'metadata.txt'), old, old)
    utimesSync(path, old, old)
    expect(await store().readiness(7)).toMatchObject({ ready: true, ended: false })
    expect((await store().read(7, signal)).ended).toBe(false)
  })
  it('is the signature that reading gives, and signatureOf', async () => {
    make('7')
    const readiness = await store().readiness(7)
    const { signature } = await store().read(7, signal)
    expect(readiness).toMatchObject({ ready: true, signature })
    expect(await store().signatureOf(7)).toBe(signature)
  })
  it('has another signature when anything changed, and the same after a copy with its times', async () => {
    const path = make('7', { 'metadata.txt': ENDED, 'a.fcl': 'a: 1' })
    const before = await store().signatureOf(7)
    execFileSync('cp', ['-a', path, join(directory, 'copy')])
    renameSync(path, join(directory, 'aside'))
    renameSync(join(directory, 'copy'), path)
    expect(await store().signatureOf(7)).toBe(before)
    writeFileSync(join(path, 'rc_info_stop.txt'), '')
    const second = await store().signatureOf(7)
    chmodSync(join(path, 'a.fcl'), 0o400)
    const third = await store().signatureOf(7)
    chmodSync(path, 0o500)
    expect(new Set([before, second, third, await store().signatureOf(7)]).size).toBe(4)
    chmodSync(path, 0o700)
  })
  it('of a run whose directory has gone is "gone", and of an ambiguous one such that reading fails by name', async () => {
    make('7')
    const records = store()
    await records.list()
    expect(await records.readiness(9)).toMatchObject({ ready: false, reason: 'gone' })
    make('07')
    expect(await store().readiness(7)).toMatchObject({ ready: true })
  })
  it('of a metadata.txt of many megabytes needs only its end', async () => {
    const path = make('7', { 'metadata.txt': '' })
    truncateSync(join(path, 'metadata.txt'), 5_000_000_000)
    appendFileSync(join(path, 'metadata.txt'), `\n${ENDED}`)
    expect(await store({ maxRecordBytes: 6e9 }).readiness(7)).toMatchObject({ ready: true, ended: true })
  })
})

describe('a record that is read', () => {
  it('has every file: names, modes and bytes, in byte order, and folders', async () => {
    const path = make('000007', {
      'b.fcl': Buffer.from([0, 255, 13, 10]),
      'B.fcl': '',
      'metadata.txt': ENDED,
    })
    mkdirSync(join(path, 'sub', 'deep'), { recursive: true })
    writeFileSync(join(path, 'sub', 'deep', 'x'), 'y')
    writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0xfe])]), 'odd')
    chmodSync(join(path, 'b.fcl'), 0o444)
    chmodSync(join(path, 'sub'), 0o750)
    chmodSync(path, 0o555)
    const record = await store().read(7, signal)
    expect(record).toMatchObject({
      run: 7,
      directory: '000007',
      directoryMode: 0o555,
      ended: true,
      skipped: [],
    })
    expect(record.files.map(({ name }) => name)).toEqual([
      'B.fcl',
      'b.fcl',
      'metadata.txt',
      'sub/deep/x',
      '%FF%FE',
    ])
    expect(record.files[1]).toMatchObject({ mode: 0o444, content: Buffer.from([0, 255, 13, 10]) })
    expect(record.folders.map(({ name, mode }) => [name, mode])).toEqual([['sub', 0o750], ['sub/deep', statSync(join(path, 'sub', 'deep')).mode & 0o7777]]) // prettier-ignore
  })
  it('names links, FIFOs and sockets, follows none and reads none', async () => {
    const path = make('7')
    symlinkSync('/etc/passwd', join(path, 'link'))
    symlinkSync('.', join(path, 'loop'))
    execFileSync('mkfifo', [join(path, 'fifo')])
    const record = await store().read(7, signal)
    expect(record.skipped).toEqual([{ name: 'fifo', kind: 'fifo' }, { name: 'link', kind: 'link' }, { name: 'loop', kind: 'link' }]) // prettier-ignore
    expect(record.files.map(({ name }) => name)).toEqual(['metadata.txt'])
  })
  it('takes a metadata.txt that is a FIFO for none', async () => {
    execFileSync('mkfifo', [join(make('7', {}), 'metadata.txt')])
    expect(await store().readiness(7)).toMatchObject({ ready: false, reason: 'copying' })
  })
  it('is left as it was: nothing is written, no time changes', async () => {
    const path = make('7', { 'metadata.txt': ENDED, 'a.fcl': 'x' })
    const look = () => readdirSync(path).map((name) => [name, statSync(join(path, name)).mtimeMs, statSync(join(path, name)).ctimeMs, statSync(path).ctimeMs]) // prettier-ignore
    const before = look()
    await store().read(7, signal)
    expect(look()).toEqual(before)
  })
  it('may have folders that cannot be written', async () => {
    const path = make('7')
    mkdirSync(join(path, 'sub'))
    writeFileSync(join(path, 'sub', 'x'), 'y')
    chmodSync(join(path, 'sub'), 0o555)
    expect((await store().read(7, signal)).files.map(({ name }) => name)).toContain('sub/x')
  })
  it('that keeps growing is RECORD_CHANGING, and stays pending', async () => {
    const path = make('7')
    for (let i = 0; i < 400; i++) writeFileSync(join(path, `f${i}`), 'x'.repeat(500))
    const grow = setInterval(() => appendFileSync(join(path, 'metadata.txt'), 'x'), 1)
    try {
      await expect(store().read(7, signal)).rejects.toMatchObject({
        code: 'RECORD_CHANGING',
        retry: true,
        run: 7,
      })
    } finally {
      clearInterval(grow)
    }
    expect((await store().read(7, signal)).files).toHaveLength(401)
  })
  it('that moves while it is read is given all the same where it is what was expected', async () => {
    const path = make('7', { 'metadata.txt': ENDED, 'a.fcl': 'x' })
    let looks = 0
    const moving = (isKnown: boolean) => ({
      isExpected: () => {
        writeFileSync(join(path, `came${looks++}`), '')
        return isKnown
      },
    })
    expect((await store().read(7, signal, moving(true))).files.map(({ name }) => name)).toEqual(['a.fcl', 'metadata.txt']) // prettier-ignore
    await expect(store().read(7, signal, moving(false))).rejects.toMatchObject({ code: 'RECORD_CHANGING' })
  })
  it('the broken control: a reader that looks only once takes what is no longer so', async () => {
    const path = make('7')
    for (let i = 0; i < 200; i++) writeFileSync(join(path, `z${i}`), 'x'.repeat(500))
    const grow = setInterval(() => appendFileSync(join(path, 'metadata.txt'), 'x'), 1)
    try {
      let metadata = ''
      for (const name of readdirSync(path).sort()) {
        const text = await readFile(join(path, name), 'utf8')
        if (name === 'metadata.txt') metadata = text
      }
      expect(statSync(join(path, 'metadata.txt')).size).toBeGreaterThan(metadata.length)
    } finally {
      clearInterval(grow)
    }
  })
  it('has one file or the other, never a mixture, when a file is replaced while it is read', async () => {
    const path = make('7')
    let n = 0
    const replace = setInterval(() => {
      writeFileSync(join(path, '.new'), String(n++ % 2).repeat(200_000))
      renameSync(join(path, '.new'), join(path, 'a.fcl'))
    }, 20)
    try {
      for (let i = 0; i < 30; i++) {
        const record = await store()
          .read(7, signal)
          .catch(() => undefined)
        const text = record?.files.find(({ name }) => name === 'a.fcl')?.content.toString() ?? ''
        expect(new Set(text).size).toBeLessThan(2)
      }
    } finally {
      clearInterval(replace)
    }
  })
  it('fails by the path of a file that may not be read', async () => {
    chmodSync(join(make('7', { 'metadata.txt': ENDED, 'a.fcl': 'x' }), 'a.fcl'), 0)
    await unprivileged(directory, async () => {
      await expect(store().read(7, signal)).rejects.toMatchObject({ code: 'RECORD_INVALID', run: 7 })
      expect(await store().readiness(7)).toMatchObject({ ready: true })
    })
  })
  it('fails by name, and never stops the others, when metadata.txt or a folder may not be read', async () => {
    chmodSync(join(make('7'), 'metadata.txt'), 0)
    mkdirSync(join(make('8'), 'sub'), { mode: 0 })
    chmodSync(make('9'), 0)
    await unprivileged(directory, async () => {
      for (const run of [7, 8, 9]) {
        expect(await store().readiness(run)).toMatchObject({ ready: true })
        await expect(store().read(run, signal)).rejects.toMatchObject({ code: 'RECORD_INVALID', run })
      }
    })
  })
  it('that is not there is NOT_FOUND', async () => {
    make('7')
    await expect(store().read(8, signal)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
  it('stops when it is asked to', async () => {
    make('7')
    await expect(store().read(7, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
  })
})

describe('a record that is too large', () => {
  it.each([1_000_000_001, 2 ** 40])(
    'of one sparse file of %d bytes is refused with the figures and the key',
    async (size) => {
      const path = make('7')
      writeFileSync(join(path, 'big'), '')
      truncateSync(join(path, 'big'), size)
      const before = process.memoryUsage().rss
      await expect(store().read(7, signal)).rejects.toMatchObject({ code: 'RECORD_INVALID', hint: expect.stringContaining('source_files.max_record_mb') as string }) // prettier-ignore
      await expect(store().read(7, signal)).rejects.toThrow(
        new RegExp(`of 1000000, of which big has ${size}`),
      )
      expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000)
    },
  )
  it('by its number of files is refused before any is looked at', async () => {
    const path = make('7')
    for (let i = 0; i < 1001; i++) writeFileSync(join(path, `f${i}`), '')
    await expect(store().read(7, signal)).rejects.toMatchObject({ code: 'RECORD_INVALID', hint: expect.stringContaining('source_files.max_record_files') as string }) // prettier-ignore
    expect(await store().readiness(7)).toMatchObject({ ready: true })
  })
  it('by the depth of its folders is refused', async () => {
    mkdirSync(join(make('7'), 'd/'.repeat(200)), { recursive: true })
    await expect(store().read(7, signal)).rejects.toThrow(/folders deep/)
  })
})
