import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RunLog } from '../../../src/commands/track/run-log.ts'

describe('the log of a command', () => {
  let folder: string
  const errors: Error[] = []
  const open = (name: string): RunLog | undefined =>
    RunLog.open(join(folder, name), (error) => errors.push(error))
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'run-log-'))
    errors.length = 0
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('has all of it when it has ended', async () => {
    const log = open('sub/log')
    const piece = Buffer.alloc(100_000, 'x')
    for (let i = 0; i < 100; i++) log?.write(piece)
    await log?.end()
    expect(statSync(join(folder, 'sub/log')).size).toBe(10_000_000)
  })

  it('says what it had no room for, where the output is faster than the disk', async () => {
    const log = open('log')
    const piece = Buffer.alloc(10_000_000, 'x')
    for (let i = 0; i < 10; i++) log?.write(piece)
    await log?.end()
    const text = readFileSync(join(folder, 'log'), 'utf8')
    const [, dropped = '0'] = /\[run-archiver: (\d+) bytes of output are not in this log/.exec(text) ?? []
    expect(Number(dropped)).toBeGreaterThan(0)
    expect(text.replace(/\n\[.*\]\n/, '').length + Number(dropped)).toBe(100_000_000)
  })

  it('costs the copy only where it cannot be made, or its disk is full', async () => {
    expect(RunLog.open(folder, (error) => errors.push(error))).toBeUndefined()
    const full = RunLog.open('/dev/full', (error) => errors.push(error))
    full?.write(Buffer.from('x'))
    await full?.end()
    expect(errors.map(({ message }) => message.slice(0, 6))).toEqual(['EISDIR', 'ENOSPC'])
  })
})
