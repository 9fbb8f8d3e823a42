import { spawn, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { openRecordWatch, type RecordWatch } from '../../../src/stores/run-records/watcher.ts'

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
  // Only root empties a folder that is read-only.
  for (const name of readdirSync(directory)) chmodSync(join(directory, name), 0o755)
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

describe.each(['native', 'poll'] as const)(
  'a record directory watched by %s that another takes the place of',
  (mode) => {
    const replacements: readonly (readonly [string, (old: string) => void])[] = [
      [
        'a restored copy',
        (old) => {
          renameSync(directory, old)
          cpSync(old, directory, { recursive: true })
        },
      ],
      [
        'the target of a switched link',
        (old) => {
          cpSync(old, `${old}.2`, { recursive: true })
          rmSync(directory)
          symlinkSync(`${old}.2`, directory)
        },
      ],
    ]
    it.each(replacements)(
      '(%s) is watched as it is now, and so are the records in it',
      async (how, replace) => {
        const old = `${directory}.old`
        onTestFinished(() =>
          [old, `${old}.2`].forEach((path) => rmSync(path, { recursive: true, force: true })),
        )
        record('101')
        if (how.includes('link')) {
          renameSync(directory, old)
          symlinkSync(old, directory)
        }
        await open(mode)
        watch.follow(new Set(['101']))
        await pause(300)
        heard = []
        replace(old)
        await hears('directory')
        await pause(500)
        heard = []
        record('102')
        await hears('directory')
        heard = []
        appendFileSync(join(directory, '101', 'metadata.txt'), '\nDAQInterface stop time: now\n')
        await hears('101')
        expect(warnings).toEqual([])
      },
    )
  },
)

describe('a record that is replaced while it is followed', () => {
  it('is followed as it is now', async () => {
    const path = record('101')
    await open('native')
    watch.follow(new Set(['101']))
    await pause(300)
    renameSync(path, join(directory, 'old'))
    cpSync(join(directory, 'old'), path, { recursive: true })
    await pause(500)
    heard = []
    appendFileSync(join(path, 'metadata.txt'), '\nDAQInterface stop time: now\n')
    await hears('101')
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

describe('a record directory that is removed and made again at once', () => {
  it('is watched, also where the disk gives it the number of the old one', async () => {
    const [parent, path] = [directory, join(directory, 'records')]
    directory = path
    mkdirSync(path)
    await open('native')
    const before = statSync(path)
    rmSync(path, { recursive: true })
    mkdirSync(path)
    // What this case is about; where the disk counts on, the other test of a directory that is replaced holds.
    console.info(statSync(path).ino === before.ino ? 'the same number' : 'another number')
    await pause(2500)
    heard = []
    record('101')
    await hears('directory')
    directory = parent
  })
})

describe('a watch that is closed while it changes to polling', () => {
  it('watches nothing any more, so that the process can end', async () => {
    const gone = join(directory, 'gone')
    for (let i = 0; i < 10; i++) {
      rmSync(gone, { recursive: true, force: true })
      const opening = openRecordWatch({
        directory: gone,
        mode: 'native',
        pollSeconds: 0.1,
        onDirectory: () => undefined,
        onRecord: () => undefined,
        warn: () => undefined,
      })
      mkdirSync(join(gone, '101'), { recursive: true })
      const closing = await opening
      closing.follow(new Set(['101']))
      await closing.close()
    }
    await pause(500)
    expect(process.getActiveResourcesInfo().filter((one) => one === 'StatWatcher')).toEqual([])
    await open('poll') // for afterEach
    expect(watch.polls).toBe(true)
  })
})

describe('automatic choice', () => {
  it('takes events on a local disk', async () => {
    await open('auto')
    expect(watch.polls).toBe(false)
  })
})

const LIMITED = ['--user', '--map-root-user', 'sh', '-c']
const canLimit = spawnSync('unshare', [...LIMITED, 'echo 9 >/proc/sys/user/max_inotify_watches']).status === 0
if (!canLimit)
  console.warn("the kernel's limits of file watches cannot be lowered here: reaching them is not tried")

describe.skipIf(!canLimit)("the kernel's limit", () => {
  it.each([
    ['max_inotify_watches', '0', 'fs.inotify.max_user_watches'],
    ['max_inotify_watches', '2', 'fs.inotify.max_user_watches'], // the directory's own, and one record's
    ['max_inotify_instances', '0', 'fs.inotify.max_user_instances'],
  ])(
    '%s=%s is told with the setting to change, and changes are still seen',
    async (limit, value, setting) => {
      await open('poll') // for afterEach
      for (const run of ['101', '102', '103']) record(run)
      const program = `
      import { openRecordWatch } from '${process.cwd()}/src/stores/run-records/watcher.ts'
      const watch = await openRecordWatch({
        directory: '${directory}', mode: 'native', pollSeconds: 0.1,
        onDirectory: () => undefined,
        onRecord: (name) => { if (name === '103') { console.log('heard'); process.exit() } },
        warn: (message) => console.log(message),
      })
      watch.follow(new Set(['101', '102', '103']))
      setTimeout(() => process.exit(), 45_000)`
      // tsx names its folder by the user's number, which is root's in there: the shared one may be the real root's.
      const temporary = mkdtempSync(join(tmpdir(), 'watch-tsx-'))
      onTestFinished(() => rmSync(temporary, { recursive: true }))
      const child = spawn(
        'unshare',
        [
          ...LIMITED,
          `echo ${value} >/proc/sys/user/${limit}; exec npx tsx --input-type=module -e "$0"`,
          program,
        ],
        { env: { ...process.env, TMPDIR: temporary } },
      )
      let said = ''
      let complaint = ''
      child.stdout.on('data', (text: Buffer) => (said += text.toString()))
      child.stderr.on('data', (text: Buffer) => (complaint += text.toString()))
      let hasEnded = false
      child.once('close', () => (hasEnded = true))
      // Again and again, because on a busy host nobody knows when the polling has begun.
      while (!hasEnded) {
        if (said.includes('polling')) appendFileSync(join(directory, '103', 'metadata.txt'), 'more\n')
        await pause(300)
      }
      expect(said, complaint).toContain(setting)
      expect(said.trim().split('\n').at(-1), complaint).toBe('heard')
    },
  )
})
