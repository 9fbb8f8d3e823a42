import { execFileSync } from 'node:child_process'
import {
  closeSync,
  lchownSync,
  linkSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BatchLog } from '../../src/tracking/batch-log.ts'
import { RunningFiles } from '../../src/tracking/ledger/running-files.ts'
import { Spool } from '../../src/tracking/ledger/spool.ts'
import { openSqlite } from '../../src/sql/sqlite.ts'
import { RotatingFile } from '../../src/platform/log/rotating-file.ts'
import { appendAtName, appendOwn, openForAppend, overwriteOwn } from '../../src/platform/own-file.ts'

describe('a line that is appended', () => {
  it('begins anew where a full disk cut the last one short', () => {
    const path = join(folder, 'lines')
    for (const [before, after] of [
      ['', 'new\n'],
      ['whole\n', 'whole\nnew\n'],
      ['cut', 'cut\nnew\n'],
    ] as const) {
      writeFileSync(path, before)
      appendAtName(path, 'new\n')
      expect(readFileSync(path, 'utf8')).toBe(after)
    }
  })
})

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'own-'))
  writeFileSync(victim(), 'root only')
})
afterEach(() => rmSync(folder, { recursive: true }))
const victim = (): string => join(folder, 'victim')
const planted = (name = 'file'): string => {
  const path = join(folder, name)
  symlinkSync(victim(), path)
  return path
}

describe('a file of ours', () => {
  it('is made, appended to and overwritten', () => {
    const path = join(folder, 'own')
    appendOwn(path, 'a')
    appendOwn(path, 'b')
    expect(readFileSync(path, 'utf8')).toBe('ab')
    overwriteOwn(path, 'c')
    expect(readFileSync(path, 'utf8')).toBe('c')
  })

  it('is never a link: what the link names stays as it is', () => {
    const path = planted()
    expect(() => appendOwn(path, 'x')).toThrow(expect.objectContaining({ code: 'STATE_UNSAFE' }))
    expect(() => overwriteOwn(path, 'x')).toThrow(expect.objectContaining({ code: 'STATE_UNSAFE' }))
    expect(readFileSync(victim(), 'utf8')).toBe('root only')
  })

  it('is never a FIFO, for which nobody waits', () => {
    execFileSync('mkfifo', [join(folder, 'fifo')])
    expect(() => openForAppend(join(folder, 'fifo'))).toThrow(
      expect.objectContaining({ code: 'STATE_UNSAFE' }),
    )
  })

  it('may be a link of this user where people arrange that, such as the log', () => {
    closeSync(openForAppend(planted(), { operatorChosen: true }))
  })

  it.runIf(process.getuid?.() === 0)('may not be the link of another user even there', () => {
    const path = planted()
    lchownSync(path, 65_534, 65_534)
    expect(() => openForAppend(path, { operatorChosen: true })).toThrow(
      expect.objectContaining({ code: 'STATE_UNSAFE' }),
    )
  })
})

describe('a link that another user put under a name that the archiver writes', () => {
  const strange = (name: string): string => {
    const path = planted(name)
    if (process.getuid?.() === 0) lchownSync(path, 65_534, 65_534)
    return path
  }
  const row = { table: 'events', cells: { event_id: 'e', kind: 'x' }, transient: false } as const
  const now = () => Date.UTC(2026, 0, 2, 12)

  it.each<[string, () => void]>([
    [
      'batch log',
      () => {
        strange('DataProcessingAllDetails_02_01_2026.txt')
        const log = new BatchLog({ folder, pid: 1, now, redact: (text) => text })
        log.killed('SIGTERM')
      },
    ],
    ['spool', () => new Spool(strange('ledger-spool.jsonl')).append([row])],
    [
      'refused rows',
      () => {
        strange('s.refused')
        new Spool(join(folder, 's')).refuse(row)
      },
    ],
    [
      'idle passes',
      () => {
        strange('ledger-idle.txt')
        new RunningFiles(folder).countIdle(now())
      },
    ],
    [
      'log',
      () => {
        if (process.getuid?.() !== 0) return // a link of this user is followed
        const file = new RotatingFile(
          strange('log'),
          { maxBytes: 1, maxFiles: 1, maxDays: 1 },
          now,
          () => undefined,
        )
        file.write('x')
        file.close()
      },
    ],
    [
      'ledger',
      () => {
        if (process.getuid?.() !== 0) return
        expect(() => openSqlite(strange('ledger.db'), 100)).toThrow()
      },
    ],
  ])('(%s) is not written through', (_name, write) => {
    write()
    expect(readFileSync(victim(), 'utf8')).toBe('root only')
    linkSync(victim(), join(folder, 'still there'))
  })
})
