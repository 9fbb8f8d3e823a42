import { execFileSync } from 'node:child_process'
import { chmod, chown, link, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { formatState } from '../../src/state/state-format.ts'
import { StateFile } from '../../src/state/state-file.ts'
import { temporaryFolder } from './temporary-folder.ts'

const folder = temporaryFolder()
const STATE = { lastContiguousRun: 12500, lastAttemptedRun: 12550 }
const TEXT = '{\n  "last_contiguous_run": 12500,\n  "last_attempted_run": 12550\n}\n'
const path = (): string => folder.in('importer_state.json')
const read = () => new StateFile(path()).read()

describe('a state file', () => {
  it('holds two numbers, as in the manual', async () => {
    await new StateFile(path()).write(STATE)
    expect(await readFile(path(), 'utf8')).toBe(TEXT)
    expect(await read()).toEqual(STATE)
  })

  it('that is absent is a first pass', async () => {
    expect(await read()).toEqual({ lastContiguousRun: 0, lastAttemptedRun: 0 })
    expect(await new StateFile(path()).exists()).toBe(false)
  })

  it('that the disk does not give is said to be unreadable, and not to be a bug of ours', async () => {
    // A regular file of ours that fails with EIO at the first byte, on every Linux.
    const file = new StateFile('/proc/self/mem')
    await expect(file.read()).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
  })

  it('of the Python original, without newline or without its first number, is read', async () => {
    await writeFile(path(), '{"last_attempted_run": 7}')
    expect(await read()).toEqual({ lastContiguousRun: 0, lastAttemptedRun: 7 })
    await writeFile(path(), '{"last_contiguous_run": 7}')
    expect(await read()).toEqual({ lastContiguousRun: 7, lastAttemptedRun: 7 })
  })

  it.each([
    ['empty', '', 'empty'],
    ['blanks', ' \n', 'blanks'],
    ['zero bytes', '\0'.repeat(60), 'zero bytes'],
    ['cut short', TEXT.slice(0, 30), 'not JSON'],
    ['garbled', '{corrupted data...', 'not JSON'],
    ['an array', '[1, 2]', 'not a JSON object'],
    ['null', 'null', 'not a JSON object'],
    ['a number', '12500', 'not a JSON object'],
    ['no numbers', '{}', 'neither'],
    ['text for a number', '{"last_contiguous_run": "1", "last_attempted_run": 2}', 'not a number'],
    ['null for a number', '{"last_contiguous_run": null, "last_attempted_run": 2}', 'not a number'],
    ['a negative', '{"last_contiguous_run": -1, "last_attempted_run": 2}', 'negative'],
    ['a fraction', '{"last_contiguous_run": 1.5, "last_attempted_run": 2}', 'whole number'],
    ['infinity', '{"last_contiguous_run": 1, "last_attempted_run": 1e999}', 'whole number'],
    ['2^53+1', '{"last_contiguous_run": 1, "last_attempted_run": 9007199254740993}', 'whole number'],
    ['NaN', '{"last_contiguous_run": NaN, "last_attempted_run": 2}', 'not JSON'],
    ['contiguous above attempted', '{"last_contiguous_run": 3, "last_attempted_run": 2}', 'above'],
    ['a key twice', '{"last_contiguous_run":1,"last_attempted_run":2,"last_attempted_run":9}', 'twice'],
    [
      'a key twice, disguised',
      '{"last_contiguous_run":1,"last_attempted_run":2,"last_attempted\\u005frun":9}',
      'twice',
    ],
    ['an unknown key', '{"last_contiguous_run": 1, "last_attempted_run": 2, "colour": 3}', 'unknown key'],
    ['__proto__', '{"last_contiguous_run": 1, "last_attempted_run": 2, "__proto__": {}}', 'unknown key'],
    ['version 0', '{"version": 0, "last_contiguous_run": 1, "last_attempted_run": 2}', 'version'],
    ['version as text', '{"version": "2", "last_contiguous_run": 1, "last_attempted_run": 2}', 'version'],
    ['megabytes', `${' '.repeat(1_000_000)}${TEXT}`, 'far more'],
  ])('that is damaged (%s) is told as such, and is left alone', async (_, text, what) => {
    await writeFile(path(), text)
    await expect(read()).rejects.toMatchObject({
      code: 'STATE_CORRUPT',
      message: expect.stringContaining(what) as string,
    })
    expect(await readFile(path(), 'utf8')).toBe(text)
    expect(await readdir(folder.path)).toEqual(['importer_state.json'])
  })

  it('that is not UTF-8 is damaged', async () => {
    await writeFile(path(), Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))
    await expect(read()).rejects.toMatchObject({ code: 'STATE_CORRUPT' })
  })

  it('cut at any byte, or with any one bit flipped, is damaged or another valid pair, and never brings the reader down', async () => {
    for (let length = 0; length < TEXT.length - 1; length++) {
      await writeFile(path(), TEXT.slice(0, length))
      await expect(read()).rejects.toMatchObject({ code: 'STATE_CORRUPT' })
    }
    const bytes = Buffer.from(TEXT)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      await writeFile(path(), flipped)
      const state = await read().catch((error: unknown) => {
        expect((error as { code: string }).code).toMatch(/^STATE_(CORRUPT|NEWER)$/)
        return undefined
      })
      // Such a pair is believed, as an edited one is: it costs time, never a run (test/crash/restored-state.test.ts).
      if (state) expect(state.lastContiguousRun).toBeLessThanOrEqual(state.lastAttemptedRun)
    }
  })

  it('of a later version stops the pass and stays as it is', async () => {
    await writeFile(path(), '{"version": 2, "last_contiguous_run": 1, "last_attempted_run": 2, "more": []}')
    await expect(read()).rejects.toMatchObject({ code: 'STATE_NEWER' })
  })

  it('that is a link, a directory or a FIFO is refused, at once', async () => {
    await writeFile(folder.in('elsewhere'), TEXT)
    await symlink(folder.in('elsewhere'), path())
    await expect(read()).rejects.toMatchObject({ code: 'STATE_UNSAFE' })
    await expect(new StateFile(path()).write(STATE)).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' })
    await mkdir(folder.in('directory'))
    await expect(new StateFile(folder.in('directory')).read()).rejects.toMatchObject({ code: 'STATE_UNSAFE' })
    execFileSync('mkfifo', [folder.in('fifo')])
    await expect(new StateFile(folder.in('fifo')).read()).rejects.toMatchObject({ code: 'STATE_UNSAFE' })
  })

  it('with a second name is read, and the second name keeps the old bytes', async () => {
    await writeFile(path(), TEXT)
    await link(path(), folder.in('second'))
    await new StateFile(path()).write({ lastContiguousRun: 1, lastAttemptedRun: 1 })
    expect(await readFile(folder.in('second'), 'utf8')).toBe(TEXT)
  })

  it('in a folder into which everybody may write is refused', async () => {
    await writeFile(path(), TEXT)
    await chmod(folder.path, 0o777)
    await expect(read()).rejects.toMatchObject({ code: 'STATE_UNSAFE', hint: `chmod o-w ${folder.path}` })
    await chmod(folder.path, 0o1777)
    expect(await read()).toEqual(STATE)
  })

  it.runIf(process.getuid?.() === 0)('of a stranger is refused', async () => {
    await writeFile(path(), TEXT)
    await chown(path(), 12345, 12345)
    await expect(read()).rejects.toMatchObject({ code: 'STATE_UNSAFE' })
  })

  it('that cannot be written says so and leaves the old state whole', async () => {
    await writeFile(path(), formatState(STATE))
    const elsewhere = new StateFile(folder.in('missing/importer_state.json'))
    await expect(elsewhere.write(STATE)).rejects.toMatchObject({
      code: 'STATE_UNWRITABLE',
      hint: expect.stringMatching(/^there is no folder .*: mount its disk, or make it/) as string,
    })
    expect(await read()).toEqual(STATE)
  })
})
