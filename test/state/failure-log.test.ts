import { createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RunSet } from '../../src/common/run-set.ts'
import { FailureLineReader, formatFailures } from '../../src/state/failure-log-format.ts'
import { FailureLog } from '../../src/state/failure-log.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { sized } from '../sized.ts'

const folder = temporaryFolder()
const path = (): string => folder.in('import_failures.log')
const warnings: string[] = []
const open = (): FailureLog =>
  new FailureLog(path(), { now: () => Date.UTC(2026, 10, 21, 22, 56), warn: (text) => warnings.push(text) })
const text = (): Promise<string> => readFile(path(), 'utf8')
const runs = (...list: number[]): RunSet => RunSet.of(list)
const parse = (bytes: string | Buffer) => {
  const reader = new FailureLineReader()
  reader.push(Buffer.from(bytes))
  return reader.end()
}

describe('a failure log', () => {
  it('that the disk does not give is said to be unreadable, and not to be a bug of ours', async () => {
    // A regular file of ours that fails with EIO at the first byte, on every Linux.
    const log = new FailureLog('/proc/self/mem', { now: () => 0, warn: () => undefined })
    await expect(log.read()).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
  })
  it('holds one run a line, ascending, no run twice', async () => {
    const log = open()
    await log.add(runs(12349, 12345))
    await log.add(runs(12352))
    await log.add(runs(12347, 12345))
    expect(await text()).toBe('12345\n12347\n12349\n12352\n')
    await log.remove(runs(12345, 12349, 1))
    expect(await text()).toBe('12347\n12352\n')
  })

  it('that is absent or empty has no failures', async () => {
    expect((await open().read()).runs.isEmpty).toBe(true)
    await writeFile(path(), '')
    expect(await open().read()).toMatchObject({ junk: 0, tidy: true })
  })

  it('may end up empty, and then it is there', async () => {
    await open().replace(RunSet.EMPTY)
    expect(await text()).toBe('')
  })

  it('does not touch the file when nothing changes', async () => {
    const log = open()
    await log.add(runs(1, 2))
    const before = await stat(path(), { bigint: true })
    await log.add(runs(2))
    await log.remove(runs(3))
    await log.replace(runs(1, 2))
    const after = await stat(path(), { bigint: true })
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs])
  })

  it('takes over what a person wrote meanwhile', async () => {
    const log = open()
    await log.add(runs(10))
    await writeFile(path(), '10\n5\n')
    await log.add(runs(7))
    expect(await text()).toBe('5\n7\n10\n')
  })

  it('with junk lines is read without them, and what it was is kept at the next change', async () => {
    const junk = '12345\nrun 7\n\n -5 \n 12347 \r\n1e3\n0\n0012349\n１２\n1234567890123456\n12345\n'
    await writeFile(path(), junk)
    expect(await open().read()).toMatchObject({ junk: 6, junkLines: [2, 4, 6, 7, 9], tidy: false })
    await open().add(runs(12350))
    expect(await text()).toBe('12345\n12347\n12349\n12350\n')
    expect(await readFile(`${path()}.corrupt-20261121T225600Z`, 'utf8')).toBe(junk)
    expect(warnings.at(-1)).toContain('6 lines without a run number (line 2, 4, 6, 7, 9, ...)')
  })

  it('of 10,000 times the same run and of very many runs is read', async () => {
    await writeFile(path(), '12345\n'.repeat(10_000))
    expect((await open().read()).runs.toString()).toBe('12345')
    const length = sized(200_000, 1_000_000)
    const many = Array.from({ length }, (_, i) => 2 * (length - i) + 1)
    await writeFile(path(), `${many.join('\n')}\n`)
    expect((await open().read()).runs.size).toBe(length)
  })

  it('of far more junk in one line than it may take memory is read in bounded memory', async () => {
    const file = createWriteStream(path())
    const block = 'x'.repeat(1_000_000)
    for (let i = 0; i < sized(120, 200); i++) if (!file.write(block)) await once(file, 'drain')
    file.end('\n77\n')
    await once(file, 'close')
    const before = process.memoryUsage().rss
    expect(await open().read()).toMatchObject({ junk: 1, runs: runs(77) })
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000)
  })

  it('that was deleted makes its runs pending again', async () => {
    expect((await open().read()).runs.isEmpty).toBe(true)
  })

  it('that is a link or a directory is refused', async () => {
    await writeFile(folder.in('elsewhere'), '1\n')
    await symlink(folder.in('elsewhere'), path())
    await expect(open().read()).rejects.toMatchObject({ code: 'STATE_UNSAFE' })
    await expect(open().add(runs(2))).rejects.toMatchObject({ code: 'STATE_UNSAFE' })
    expect(await readFile(folder.in('elsewhere'), 'utf8')).toBe('1\n')
  })

  it('that cannot be written says so', async () => {
    await mkdir(folder.in('gone'))
    const log = new FailureLog(folder.in('gone/x/log'), { now: () => 0, warn: () => undefined })
    await expect(log.add(runs(1))).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' })
    expect(await readdir(folder.path)).toEqual(['gone'])
  })
})

describe('a failure log whose last append was torn by a power cut', () => {
  it('loses no earlier line and believes no part of a number, wherever it was cut', async () => {
    const sets = fc.uniqueArray(fc.integer({ min: 1, max: 99_999 }), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(sets, sets, fc.nat(), async (first, second, where) => {
        await writeFile(path(), formatFailures(RunSet.of(first)))
        const before = await readFile(path())
        const { ino: inode } = await stat(path())
        await open().add(RunSet.of(second))
        const after = await readFile(path())
        if ((await stat(path())).ino !== inode) return // it was replaced whole, so it cannot tear
        const cut = parse(after.subarray(0, before.length + (where % (after.length - before.length + 1))))
        const all = RunSet.of([...first, ...second])
        expect(RunSet.of(first).minus(cut.runs).isEmpty).toBe(true)
        expect(cut.runs.minus(all).toString()).toBe('')
      }),
      { numRuns: sized(60, 300) },
    )
  })

  it('goes on with whole lines', async () => {
    await writeFile(path(), '12345\n123')
    await open().add(runs(12346))
    expect(await text()).toBe('12345\n12346\n')
  })

  it('keeps a last line that a person wrote without a newline', async () => {
    await writeFile(path(), '12345\n12347')
    expect((await open().read()).runs.toString()).toBe('12345,12347')
    await writeFile(path(), '7')
    expect((await open().read()).runs.toString()).toBe('7')
  })
})

describe('any bytes', () => {
  it('are read the same in one piece and in many, without an error', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('1', '0', '9', '\n', ' ', '\r', 'x', '-') }),
        fc.nat(5),
        (bytes, size) => {
          const reader = new FailureLineReader()
          for (let at = 0; at < bytes.length; at += size + 1)
            reader.push(Buffer.from(bytes.slice(at, at + size + 1)))
          const whole = parse(bytes)
          const pieces = reader.end()
          expect(pieces.runs.toString()).toBe(whole.runs.toString())
          expect(pieces.junk).toBe(whole.junk)
          if (whole.tidy) expect(formatFailures(whole.runs)).toBe(bytes)
        },
      ),
    )
  })
})
