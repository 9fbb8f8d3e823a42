import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openRecordWatch, type RecordWatch } from '../../src/stores/record-watch.ts'

let directory: string
let watch: RecordWatch
let heard: string[]
let warnings: string[]
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'watch-'))
  heard = []
  warnings = []
})
afterEach(async () => {
  await watch.close()
  rmSync(directory, { recursive: true })
})

const open = async (mode: 'auto' | 'native' | 'poll'): Promise<void> => {
  watch = await openRecordWatch({
    directory,
    mode,
    pollSeconds: 0.1,
    onDirectory: () => heard.push('directory'),
    onRecord: (name) => heard.push(name),
    warn: (message) => warnings.push(message),
  })
}
const record = (name: string): string => {
  const path = join(directory, name)
  mkdirSync(path)
  writeFileSync(join(path, 'metadata.txt'), 'Config name: test\n')
  writeFileSync(join(path, 'boot.txt'), '')
  return path
}
/** Waits until this is heard, a few seconds at most. */
const hears = async (what: string): Promise<void> => {
  for (let i = 0; i < 100 && !heard.includes(what); i++) await pause(50)
  expect(heard).toContain(what)
}

describe.each(['native', 'poll'] as const)('a record directory watched by %s', (mode) => {
  it('tells of a new record', async () => {
    await open(mode)
    await pause(50)
    record('000101')
    await hears('directory')
    expect(watch.polls).toBe(mode === 'poll')
  })
  it('tells of a stop line in a record that is followed, and of a file that comes into it', async () => {
    const path = record('101')
    await open(mode)
    watch.follow(new Set(['101']))
    await pause(500)
    heard = []
    appendFileSync(join(path, 'metadata.txt'), '\nDAQInterface stop time: now\n')
    await hears('101')
    await pause(300)
    heard = []
    writeFileSync(join(path, 'rc_info_stop.txt'), '')
    chmodSync(path, 0o555)
    await hears('101')
  })
  it('tells nothing of a record that is no longer followed', async () => {
    const paths = [record('101'), record('102')]
    await open(mode)
    watch.follow(new Set(['101', '102']))
    await pause(500)
    watch.follow(new Set(['102']))
    await pause(300)
    heard = []
    for (const path of paths) appendFileSync(join(path, 'metadata.txt'), 'more\n')
    await hears('102')
    expect(heard).not.toContain('101')
  })
})

describe('a record directory that is not there', () => {
  it('is polled until it comes, with a warning', async () => {
    rmSync(directory, { recursive: true })
    await open('native')
    expect(warnings.join()).toContain('cannot be watched')
    await pause(200)
    expect(watch.polls).toBe(true)
    heard = []
    mkdirSync(directory)
    await hears('directory')
  })
})

describe('automatic choice', () => {
  it('takes events on a local disk', async () => {
    await open('auto')
    expect(watch.polls).toBe(false)
  })
})
