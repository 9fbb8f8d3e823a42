import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { readOn, tailLog, type LogTail, wholeLog } from '../../src/web/log-file.ts'
import { visibleLine } from '../../src/web/log-text.ts'

const folder = mkdtempSync(join(tmpdir(), 'log-file-'))
const root = join(folder, 'logs')
const log = join(root, 'task.log')
const secret = join(folder, 'secret.txt')
const rules = { logRoots: [root], host: 'here', redact: (text: string) => text.replace('hunter2', '****') }
const tail = (path: string | undefined, lines = 50, host = 'here'): Promise<LogTail> =>
  tailLog({ host, logPath: path }, rules, lines)
const why = async (path: string | undefined, host?: string): Promise<string> => {
  const found = await tail(path, 50, host)
  return found.shown ? `shown: ${found.lines.join('|')}` : found.why
}
const linesOf = async (path = log): Promise<readonly string[]> => {
  const found = await tail(path)
  return found.shown ? found.lines : [found.why]
}

beforeEach(() => {
  rmSync(root, { recursive: true, force: true })
  mkdirSync(root)
  writeFileSync(secret, 'outside\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a log path that a database names', () => {
  it('is shown below an allowed folder (control)', async () => {
    writeFileSync(log, 'one\ntwo\n')
    expect(await linesOf()).toEqual(['one', 'two'])
  })

  it.each([
    ['a way out by ..', () => join(root, '..', 'secret.txt')],
    [
      'another folder that begins alike',
      () => (
        mkdirSync(`${root}-else`, { recursive: true }),
        writeFileSync(`${root}-else/x`, 'x'),
        `${root}-else/x`
      ),
    ],
    ['a link to a file outside', () => (symlinkSync(secret, log), log)],
    [
      'a link to a folder outside',
      () => (symlinkSync(folder, join(root, 'away')), join(root, 'away', 'secret.txt')),
    ],
  ])('is refused by %s', async (_, path) => {
    expect(await why(path())).toMatch(/lies outside the log folders/)
  })

  it('is not waited for where it is a FIFO, and a device or folder is no log', async () => {
    execFileSync('mkfifo', [join(root, 'pipe')])
    expect(await why(join(root, 'pipe'))).toBe('it is not a regular file')
    expect(await why(root)).toBe('it is not a regular file')
  })

  it('says that the file is gone, that none was named, and whose host it is on', async () => {
    expect(await why(log)).toBe('the file is not there')
    expect(await why(undefined)).toBe('this execution named no log file')
    writeFileSync(log, 'x\n')
    expect(await why(log, 'there')).toBe('the log is on there; this page runs on here')
    expect(await tailLog({ host: 'here', logPath: log }, { ...rules, logRoots: [] }, 5)).toMatchObject({
      shown: false,
      why: 'no folder is allowed: set serve.log_roots',
    })
  })

  it('never shows a file that was put in its place by a link, however often both change', async () => {
    let isOn = true
    const swap = async (): Promise<void> => {
      for (let i = 0; isOn; i++) {
        rmSync(log, { force: true })
        if (i % 2 === 0) symlinkSync(secret, log)
        else writeFileSync(log, 'inside\n')
        // Not in step with the reads: each of the two files stays for one turn or for some.
        for (let turns = Math.random() * 4; turns >= 0; turns--)
          await new Promise((done) => setImmediate(done))
      }
    }
    const swapping = swap()
    const seen = new Set<string>()
    const naive = new Set<string>()
    for (let i = 0; i < 200 || (i < 20_000 && !naive.has('outside\n')); i++) {
      seen.add(await why(log))
      naive.add(await readFile(log, 'utf8').catch(() => ''))
    }
    isOn = false
    await swapping
    expect([...seen].filter((text) => text.includes('shown: outside'))).toEqual([])
    // The same file, simply read, is shown (control).
    expect(naive).toContain('outside\n')
  })
})

describe('what a log holds', () => {
  it('is told to be binary, and never shown as if it were text', async () => {
    writeFileSync(log, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 1]))
    expect(await why(log)).toBe('the file holds binary data')
  })

  it('is read from its end: a sparse file of 1 GB takes no longer than a small one', async () => {
    writeFileSync(log, '')
    truncateSync(log, 1_000_000_000)
    appendFileSync(log, `${'x'.repeat(70_000)}\nlast line\n`)
    const began = performance.now()
    expect((await linesOf()).at(-1)).toBe('last line')
    expect(performance.now() - began).toBeLessThan(1000)
  })

  it('is cut where one line is huge, and says how long it is', async () => {
    writeFileSync(log, `${'a'.repeat(50_000)}\nnext\n`)
    const [first = '', second] = await linesOf()
    expect(first.length).toBeLessThan(4100)
    expect(first).toMatch(/… 50000 characters$/)
    expect(second).toBe('next')
    expect(await linesOf().then((lines) => lines.length)).toBe(2)
    writeFileSync(log, 'b'.repeat(300_000))
    expect(await linesOf()).toHaveLength(1)
  })

  it('has its secrets masked', async () => {
    writeFileSync(log, 'password hunter2\n')
    expect(await linesOf()).toEqual(['password ****'])
  })

  it.each([
    ['colours of a terminal', '\u001b[31;1mred\u001b[0m plain', 'red plain'],
    [
      'a title and a link of a terminal',
      '\u001b]0;title\u0007a\u001b]8;;http://x\u001b\\b\u001b]8;;\u001b\\',
      'ab',
    ],
    ['a cursor that goes back over what it said', 'bad\u001b[2K\u001b[1Ggood', 'badgood'],
    ['a return that would overwrite', 'bad\rgood', 'bad⟨U+000D⟩good'],
    ['characters that turn the direction', 'a\u202egnp.exe\u2066', 'a⟨U+202E⟩gnp.exe⟨U+2066⟩'],
    ['characters without width', 'a\u200bb\ufeff', 'a⟨U+200B⟩b⟨U+FEFF⟩'],
    ['control characters', 'a\u0007\u0008b\u009b', 'a⟨U+0007⟩⟨U+0008⟩b⟨U+009B⟩'],
    [
      'tags and quotes, which the page escapes',
      '<img src=x onerror=alert(1)>"\'&',
      '<img src=x onerror=alert(1)>"\'&',
    ],
    ['letters of other scripts, and tabs', 'größe\t日本 עברית', 'größe\t日本 עברית'],
    ['a file of Windows', 'line\r', 'line'],
  ])('has %s as text that looks as it is', (_, line, shown) => {
    expect(visibleLine(line)).toBe(shown)
  })
})

describe('a whole log', () => {
  const whole = async (path: string | undefined, host = 'here'): Promise<string> => {
    const pieces = await wholeLog({ host, logPath: path }, rules)
    if (typeof pieces === 'string') return `not given: ${pieces}`
    let text = ''
    for await (const piece of pieces) text += piece
    return text
  }
  it('is given from its beginning to its end, longer than one look, with secrets masked in each line', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i} hunter2 é${'x'.repeat(i % 40)}`)
    writeFileSync(log, `${lines.join('\n')}\nwithout an end`)
    expect(await whole(log)).toBe(`${lines.join('\n').replaceAll('hunter2', '****')}\nwithout an end`)
  })
  it('is cut nowhere, obeys nothing, and says where it is binary', async () => {
    writeFileSync(log, `${'y'.repeat(200_000)}\n\u001b[31mred\u202e\n`)
    expect(await whole(log)).toBe(`${'y'.repeat(200_000)}\nred⟨U+202E⟩\n`)
    writeFileSync(log, Buffer.from([65, 0, 66, 10]))
    expect(await whole(log)).toBe('(4 bytes of binary data are not shown)\n')
    writeFileSync(log, '')
    expect(await whole(log)).toBe('')
  })
  it('is refused where its end is', async () => {
    symlinkSync(secret, log)
    expect(await whole(log)).toMatch(/^not given: .* lies outside the log folders/)
    expect(await whole(log, 'there')).toBe('not given: the log is on there; this page runs on here')
    expect(await whole(join(root, '..', 'secret.txt'))).toMatch(/^not given/)
  })
})

describe('a secret in a line that is longer than one look', () => {
  const whole = async (): Promise<string> => {
    const pieces = await wholeLog({ host: 'here', logPath: log }, rules)
    let text = ''
    for await (const piece of pieces) text += piece
    return text
  }
  const since = async (): Promise<string> => {
    const logged = { host: 'here', logPath: log }
    const first = await readOn(logged, rules, { file: 'another', at: 0 })
    const next = first && (await readOn(logged, rules, first.place))
    return [...(first?.lines ?? []), ...(next?.lines ?? [])].join('')
  }
  // Wherever the cut of 64 KiB falls in it.
  it.each([1, 3, 6])('is masked whole: %i of its letters before the cut', async (before) => {
    const words = 'ab '.repeat(50_000)
    writeFileSync(log, `${words.slice(0, 65_536 - before - 1)} hunter2 ${words}\n`)
    for (const text of [await whole(), await since()]) {
      expect(text).toContain('****')
      expect(text).not.toMatch(/hun|er2/)
    }
    const behind = words.slice(0, 65_536 - (7 - before) - 2)
    writeFileSync(log, `${words} hunter2 ${behind}\n`)
    expect((await linesOf()).join('')).not.toMatch(/hun|er2/)
  })
})

describe('a log that goes on', () => {
  const placeOf = async () => {
    const found = await tail(log)
    if (!found.shown) throw new Error(found.why)
    return found
  }
  const on = (place: { file: string; at: number }) => readOn({ host: 'here', logPath: log }, rules, place)

  it('is read on from behind its last whole line, each line once', async () => {
    writeFileSync(log, 'one\ntw')
    const { place, lines, isOpen } = await placeOf()
    expect([lines, isOpen]).toEqual([['one', 'tw'], true])
    expect(await on(place)).toBeUndefined()
    appendFileSync(log, 'o\nthree\nfou')
    const piece = await on(place)
    expect(piece).toMatchObject({ lines: ['two', 'three'], again: false })
    appendFileSync(log, 'r\n')
    expect(await on(piece?.place ?? place)).toMatchObject({ lines: ['four'] })
  })

  it('begins anew where it was rotated, or cut', async () => {
    writeFileSync(log, 'one\ntwo\n')
    const { place } = await placeOf()
    renameSync(log, `${log}.1`)
    writeFileSync(log, 'new\n')
    expect(await on(place)).toMatchObject({ lines: ['new'], again: true })
    const { place: second } = await placeOf()
    truncateSync(log, 0)
    expect(await on(second)).toMatchObject({ lines: [], again: true, place: { at: 0 } })
  })

  it('is read in parts where much was written, none left out, and binary parts are told', async () => {
    writeFileSync(log, '')
    let { place } = await placeOf()
    const all = Array.from({ length: 5000 }, (_, i) => `line ${i} ${'x'.repeat(30)}`)
    appendFileSync(log, `${all.join('\n')}\n`)
    const seen: string[] = []
    for (let piece = await on(place); piece; piece = await on(place)) {
      seen.push(...piece.lines)
      place = piece.place
    }
    expect(seen).toEqual(all)
    appendFileSync(log, Buffer.from([1, 0, 2, 10]))
    expect(await on(place)).toMatchObject({ lines: ['(4 bytes of binary data are not shown)'] })
  })

  it('is not read on where it became a link to a file outside', async () => {
    writeFileSync(log, 'one\n')
    const { place } = await placeOf()
    rmSync(log)
    symlinkSync(secret, log)
    expect(await on(place)).toBeUndefined()
  })
})
