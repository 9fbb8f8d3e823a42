import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compile } from '../state/compile.ts'
import { type Deed, DEEDS, LINKING, prepare } from './deeds.ts'
import { compileShim } from './shim.ts'

const shim = compileShim('what a power cut leaves')

let folder: string
let program: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archiver-power-'))
  program = await compile('test/crash/actor.ts', folder)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The changes that a deed makes in its folder, in the order of its system calls. */
const changesOf = async (deed: Deed, disk: NodeJS.ProcessEnv = {}): Promise<string[][]> => {
  const here = join(folder, deed.replaceAll(' ', '-'))
  await rm(here, { recursive: true, force: true })
  mkdirSync(here)
  await prepare(deed, here)
  const trace = join(folder, 'trace')
  await rm(trace, { force: true })
  const env = { ...process.env, ...disk, LD_PRELOAD: shim, TRACE: trace, UV_THREADPOOL_SIZE: '1' }
  expect(spawnSync(process.execPath, [program, deed, here], { encoding: 'utf8', env }).stdout).toBe('ok')
  return readFileSync(trace, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf(' ')), ...line.slice(line.indexOf(' ') + 1).split('\t')])
    .filter(([, path]) => path!.startsWith(here) && !path!.endsWith('/.archiver.lock')) // it says nothing, and is made when it is missing
}

/**
 * What a power cut may take away although the deed has said that it is done, and what it may leave half: the bytes of a file that
 * has got its name, or was written to, and was not synced since; and names in a folder that was not synced since. These are the
 * two ways in which a disk may differ from what the system shows (lab: 0 damaged and 0 forgotten states when neither is left).
 */
const unsafe = (changes: readonly (readonly string[])[]): string[] => {
  const dirty = new Set<string>()
  const named = new Set<string>()
  const found: string[] = []
  for (const [call = '', path = '', to = ''] of changes) {
    if (call === 'write') dirty.add(path)
    if (call === 'create') named.add(path)
    if (call === 'fsync') {
      dirty.delete(path)
      for (const name of named) if (dirname(name) === path) named.delete(name)
    }
    if (call === 'rename' || call === 'link') {
      if (dirty.has(path)) found.push(`${to} got its name before its bytes were synced`)
      named.add(to)
    }
    if (call === 'rename' || call === 'unlink') {
      dirty.delete(path)
      named.delete(path)
    }
  }
  return [
    ...found,
    ...[...dirty].map((path) => `${path} was written and not synced`),
    ...[...named].map((path) => `the folder of ${path} was not synced`),
  ]
}

describe.skipIf(shim === undefined)('a power cut', () => {
  it.each(DEEDS)(
    'takes nothing of a %s away that was said to be done, and leaves nothing half',
    async (deed) => {
      const changes = await changesOf(deed)
      expect(changes.length).toBeGreaterThan(1)
      expect(unsafe(changes)).toEqual([])
    },
  )

  it.each(LINKING)('takes nothing of a %s away on a disk without hard links either', async (deed) => {
    const changes = await changesOf(deed, { NO_LINKS: '1' })
    expect(changes.map(([call]) => call)).not.toContain('link')
    expect(unsafe(changes)).toEqual([])
  })

  it('cannot take away runs that are moved: the target has all of them before the source forgets the first', async () => {
    const changes = await changesOf('runs moved')
    const renamedIn = (part: string): number =>
      changes.findIndex(([call, , to]) => call === 'rename' && to!.includes(`/${part}/`))
    const forgets = renamedIn('runs-moved/db')
    const names = renamedIn('older/db/SystemLayout')
    expect(names).toBeGreaterThan(0)
    expect(names).toBeLessThan(forgets)
    const ofTarget = (count: number) =>
      changes
        .slice(0, count)
        .filter(([call, ...paths]) => call === 'fsync' || paths.some((path) => path.includes('/older')))
    expect(unsafe(ofTarget(forgets))).toEqual([])
    // Control: a moment before its last folder is synced, the target is not yet safe.
    expect(unsafe(ofTarget(names + 1))).not.toEqual([])
  })

  it('could forget what write-file-atomic alone has written: the test would see it', async () => {
    expect(unsafe(await changesOf('the library alone'))).toEqual([
      expect.stringMatching(/^the folder of .*importer_state.json was not synced$/),
    ])
  })
})
