import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { redactor } from '../../../src/common/redact.ts'
import { Secret } from '../../../src/common/secret.ts'
import { ArchiverError } from '../../../src/errors.ts'
import { createLog, plainLog } from '../../../src/platform/log/logger.ts'
import type { LogOptions } from '../../../src/platform/log/sinks.ts'

const START = new Date(2025, 9, 3, 15, 50, 1, 123).getTime()
let folder = ''
let lines: string[] = []
let time = START
const options = (more: Partial<LogOptions> = {}): LogOptions => ({
  level: 'info',
  format: 'human',
  out: (line) => lines.push(line),
  journald: false,
  now: () => time,
  ...more,
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-'))
  lines = []
  time = START
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe.each([
  ['with winston', createLog],
  ['without winston', (given: LogOptions) => Promise.resolve(plainLog(given))],
])('a log %s', (_name, open) => {
  it('writes the lines of the original', async () => {
    const file = join(folder, 'archiver.log')
    const log = await open(options({ file }))
    log.info('✓ Run 20007 imported successfully', { stage: 'import', run: 20007 })
    log.warn('slow')
    log.debug('not asked for')
    await log.close()
    const expected = [
      '2025-10-03 15:50:01,123 - run_record_archiver.importer - INFO - ✓ Run 20007 imported successfully',
      '2025-10-03 15:50:01,123 - run_record_archiver - WARNING - slow',
    ]
    expect(lines).toEqual(expected)
    expect(readFileSync(file, 'utf8')).toBe(`${expected.join('\n')}\n`)
  })

  it('that is closed sends what still comes to the console, and neither throws nor opens its file again', async () => {
    const file = join(folder, 'archiver.log')
    const log = await open(options({ file }))
    log.info('before')
    await log.close()
    const written = readFileSync(file, 'utf8')
    rmSync(file)
    log.warn('the lock was lost, a timer says')
    await log.close()
    await new Promise(setImmediate) // a stream that has ended says so in a later turn
    expect(lines.at(-1)).toContain('the lock was lost, a timer says')
    expect(written).toContain('before')
    expect(existsSync(file)).toBe(false)
  })

  it('writes one JSON document a line when asked to', async () => {
    const log = await open(options({ format: 'json' }))
    log.error('run 12 failed', {
      stage: 'migrate',
      run: 12,
      error: new ArchiverError('CONFLICT', 'other content', { run: 12 }),
    })
    await log.close()
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'ERROR',
      logger: 'run_record_archiver.migrator',
      message: 'run 12 failed',
      STAGE: 'migrate',
      RUN: 12,
      error: { code: 'CONFLICT', message: 'other content' },
    })
  })

  it('gives journald its priorities and leaves the time to it', async () => {
    const log = await open(options({ journald: true, level: 'debug' }))
    log.error('e')
    log.warn('w')
    log.info('i')
    log.debug('d')
    await log.close()
    expect(lines).toEqual(['<3>e', '<4>w', '<6>i', '<7>d'])
  })

  it('lets no name forge a line or steer a terminal', async () => {
    const log = await open(options())
    log.info('file "a\nb\u001b[2J\u202Egnp.exe" was left out')
    await log.close()
    expect(lines.join('\n').split('\n')).toHaveLength(1)
    expect(lines[0]).toContain('a\\nb\\x1b[2J\\u{202e}gnp.exe')
  })

  it('shows the stack of a bug, indented, and none of an error that was foreseen', async () => {
    const log = await open(options())
    log.error('unexpected', { error: new TypeError('bug') })
    log.error('foreseen', { error: new ArchiverError('CONFLICT', 'other content') })
    await log.close()
    const [first = '', second = ''] = lines
    expect(first.split('\n').length).toBeGreaterThan(1)
    expect(first.split('\n')[1]).toMatch(/^ {4}at /)
    expect(second.split('\n')).toHaveLength(1)
  })

  it.each(['human', 'json'] as const)(
    'shows no secret in %s lines, however it gets there',
    async (format) => {
      const canary = 'cAnary+0815/=x'
      const secret = new Secret(canary)
      const file = join(folder, 'archiver.log')
      const log = await open(options({ format, file, level: 'debug', redact: redactor([secret]) }))
      const cause = new Error(`refused user:${canary}`)
      log.error(`POST https://writer:${canary}@host/ failed`, {
        error: new ArchiverError('STORE_UNAVAILABLE', `said ${canary}`, { cause }),
        password: canary,
        secret,
        nested: { url: `postgres://u:${encodeURIComponent(canary)}@h/db`, list: [{ token: canary }] },
        map: new Map([['x', secret]]),
        header: `Basic ${Buffer.from(`writer:${canary}`).toString('base64')}`,
      })
      await log.close()
      const all = lines.join('\n') + readFileSync(file, 'utf8')
      for (const form of [
        canary,
        encodeURIComponent(canary),
        Buffer.from(canary).toString('base64').slice(0, 8),
      ])
        expect(all).not.toContain(form)
      expect(all).toContain('[secret]')
    },
  )

  it('survives a console that throws', async () => {
    const file = join(folder, 'archiver.log')
    const broken = (): never => {
      throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
    }
    const log = await open(options({ file, out: broken }))
    log.info('still here')
    await log.close()
    expect(readFileSync(file, 'utf8')).toContain('still here')
  })
})

describe('a log file', () => {
  const line = 'x'.repeat(80)

  it('is rotated by size, and only the newest are kept', () => {
    const file = join(folder, 'logs', 'archiver.log')
    const log = plainLog(options({ file, maxBytes: 1000, maxFiles: 3 }))
    for (let i = 0; i < 100; i++) log.info(`${i} ${line}`)
    expect(existsSync(`${file}.3`)).toBe(true)
    expect(existsSync(`${file}.4`)).toBe(false)
    for (const name of [file, `${file}.1`, `${file}.2`, `${file}.3`])
      expect(statSync(name).size).toBeLessThan(1200)
    expect(readFileSync(file, 'utf8')).toContain('99 xxx')
  })

  it('is rotated when its first line is too old, by whichever process finds it so', () => {
    const file = join(folder, 'archiver.log')
    plainLog(options({ file })).info('first')
    utimesSync(file, START / 1000, START / 1000)
    time += 13.9 * 86_400_000
    plainLog(options({ file })).info('second')
    expect(existsSync(`${file}.1`)).toBe(false)
    time += 0.2 * 86_400_000
    plainLog(options({ file })).info('third')
    expect(readFileSync(`${file}.1`, 'utf8').trim().split('\n')).toHaveLength(2)
    expect(readFileSync(file, 'utf8')).toMatch(/third\n$/)
  })

  it('that was rotated is removed when its last line is too old', () => {
    const file = join(folder, 'archiver.log')
    const log = plainLog(options({ file, maxBytes: 200 }))
    for (let i = 0; i < 10; i++) log.info(`${i} ${line}`)
    utimesSync(`${file}.2`, (START - 15 * 86_400_000) / 1000, (START - 15 * 86_400_000) / 1000)
    utimesSync(`${file}.1`, START / 1000, START / 1000)
    for (let i = 0; i < 2; i++) log.info(`${i} ${line}`)
    expect(existsSync(`${file}.3`)).toBe(false)
    expect(existsSync(`${file}.2`)).toBe(true)
  })

  it.each([{ maxBytes: 100 }, { maxDays: 1 }])(
    'that cannot be rotated goes on being written, says so once, and is rotated when that can be done (%j)',
    async (limits) => {
      const file = join(folder, 'a.log')
      mkdirSync(join(folder, 'a.log.1', 'in the way'), { recursive: true })
      const log = plainLog(options({ file, consoleLevel: 'error', maxFiles: 1, ...limits }))
      for (let n = 1; n <= 20; n++) {
        log.info(`line ${n}`)
        time += 3_600_000 * 2
      }
      expect(readFileSync(file, 'utf8').match(/line \d+/g)).toHaveLength(20)
      expect(lines).toEqual([expect.stringMatching(/a\.log.*cannot be rotated: E/)])
      rmSync(join(folder, 'a.log.1'), { recursive: true })
      time += 86_400_000
      log.info('line 21')
      await log.close()
      expect(readFileSync(`${file}.1`, 'utf8').match(/line \d+/g)).toHaveLength(20)
      expect(readFileSync(file, 'utf8')).toContain('line 21')
    },
  )

  it('that is a device is never moved away', async ({ skip }) => {
    const device = join(folder, 'null')
    if (spawnSync('mknod', [device, 'c', '1', '3']).status !== 0) skip('devices are made by root')
    const log = plainLog(options({ file: device, maxBytes: 100, maxDays: 1 }))
    for (let n = 1; n <= 5; n++) {
      log.info(line)
      time += 86_400_000
    }
    await log.close()
    expect(readdirSync(folder)).toEqual(['null'])
    expect(lines.filter((text) => !text.endsWith(line))).toEqual([])
  })

  it('is followed when something else moves it away', () => {
    const file = join(folder, 'archiver.log')
    const log = plainLog(options({ file }))
    log.info('one')
    renameSync(file, `${file}.old`)
    time += 1500
    log.info('two')
    expect(readFileSync(file, 'utf8')).toContain('two')
    expect(readFileSync(`${file}.old`, 'utf8')).not.toContain('two')
  })

  it('loses no line between two writers that both rotate', () => {
    const file = join(folder, 'archiver.log')
    const writers = [0, 1].map(() => plainLog(options({ file, maxBytes: 3000, maxFiles: 200 })))
    for (let i = 0; i < 400; i++) {
      time += 300
      writers[i % 2]?.info(`line ${i} ${line}`)
    }
    const names = execFileSync('ls', [folder], { encoding: 'utf8' }).trim().split('\n')
    const all = names.map((name) => readFileSync(join(folder, name), 'utf8')).join('')
    const numbers = [...all.matchAll(/line (\d+) /g)].map((match) => Number(match[1]))
    expect(new Set(numbers).size).toBe(400)
    expect(names.length).toBeGreaterThan(5)
  })

  it('does without a disk that is full, says so once, and tells how many lines are missing', () => {
    const file = join(folder, 'archiver.log')
    appendFileSync(join(folder, 'blocker'), '')
    const log = plainLog(options({ file: join(folder, 'blocker', 'archiver.log') }))
    log.info('a')
    log.info('b')
    expect(lines.filter((text) => text.includes('cannot write the log file'))).toHaveLength(1)
    rmSync(join(folder, 'blocker'))
    log.info('c')
    const text = readFileSync(join(folder, 'blocker', 'archiver.log'), 'utf8')
    expect(text).toMatch(/2 lines were lost here[^]*c\n$/)
    expect(existsSync(file)).toBe(false)
  })

  it.skipIf(!existsSync('/dev/full'))('does not fail when every write fails', () => {
    const log = plainLog(options({ file: '/dev/full' }))
    log.info('a')
    expect(lines.at(-1)).toContain('ENOSPC')
  })
})

describe('a process that only needs a plain log', () => {
  it('does not load winston', () => {
    const script = `
      import { plainLog } from './src/platform/log/logger.ts'
      plainLog({ level: 'info', format: 'human', out: (line) => process.stdout.write(line + '\\n'), journald: false, now: () => 0 }).info('hello')
      process.stdout.write(JSON.stringify(Object.keys((await import('node:module')).default._cache).filter((path) => path.includes('winston'))))
    `
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script],
      {
        encoding: 'utf8',
      },
    )
    expect(stderr).toBe('')
    expect(stdout).toMatch(/hello\n.*\[\]$/)
  })
})
