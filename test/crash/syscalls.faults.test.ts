import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mkdtemp, rm } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { compile } from '../state/compile.ts'
import { act, type Deed, DEEDS, LINKING, look, prepare } from './deeds.ts'
import { compileShim } from './shim.ts'

const { EIO, ENOSPC, EROFS } = constants.errno
const KILL_BEFORE = 0
const FULL = -1
const KILL_AFTER = -2

/** Every way in which each system call is made to fail. */
const FAULTS: readonly (readonly [call: string, name: string, code: number])[] = [
  ...['write', 'fsync', 'rename', 'open', 'link', 'unlink'].flatMap(
    (call) =>
      [
        [call, 'EIO', EIO],
        [call, 'ENOSPC', ENOSPC],
        [call, 'EROFS', EROFS],
        [call, 'SIGKILL before', KILL_BEFORE],
        [call, 'SIGKILL after', KILL_AFTER],
      ] as const,
  ),
  ['write', 'a disk that is full in the middle', FULL],
]

const shim = compileShim('faults of system calls')
const hasCompiler = shim !== undefined

let folder: string
let program: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archiver-syscalls-'))
  program = await compile('test/crash/actor.ts', folder)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Does a deed in a process of its own while a system call fails there; `mark` appears when it did. */
const actUnder = (deed: Deed, here: string, fault: string, mark: string, disk: NodeJS.ProcessEnv = {}) =>
  spawnSync(process.execPath, [program, deed, here], {
    encoding: 'utf8',
    env: {
      ...process.env,
      ...disk,
      LD_PRELOAD: shim,
      FAULT: `${fault}:${here}`,
      FAULT_HIT: mark,
      UV_THREADPOOL_SIZE: '1', // one sequence of calls, so that the n-th is always the same
    },
  })

describe.skipIf(!hasCompiler)(
  'a disk that is full in the middle of a write, under write-file-atomic alone',
  () => {
    it('is not noticed, and half a state published: these tests would see it', async () => {
      const here = join(folder, 'control')
      mkdirSync(here)
      await prepare('the library alone', here)
      expect(actUnder('the library alone', here, `write:${FULL}:1`, join(folder, 'hit')).stdout).toBe('ok')
      await expect(look('the library alone', here)).rejects.toMatchObject({ code: 'STATE_CORRUPT' })
    })
  },
)

let faults = 0
afterAll(() => console.log(`faults of system calls: ${faults}`))

const NO_LINKS = { NO_LINKS: '1' }

describe
  .skipIf(!hasCompiler)
  .each([
    ...DEEDS.map((deed) => [deed, 'any disk', {}] as const),
    ...LINKING.map((deed) => [deed, 'a disk without hard links', NO_LINKS] as const),
  ])('%s on %s', (deed, place, disk) => {
  let before: string
  beforeAll(async () => {
    before = join(folder, `${deed} ${place}`.replaceAll(' ', '-'))
    mkdirSync(before)
    await prepare(deed, before)
  })

  it.each(FAULTS)(
    'whose n-th %s meets %s leaves old or new, whole, and is completed by the next',
    async (call, name, code) => {
      const here = join(folder, 'here')
      const mark = join(folder, 'hit')
      for (let n = 1; ; n++) {
        rmSync(here, { recursive: true, force: true })
        rmSync(mark, { force: true })
        cpSync(before, here, { recursive: true })
        const { stdout, signal } = actUnder(deed, here, `${call}:${code}:${n}`, mark, disk)
        const told = `${call} ${n}, ${name}: said ${stdout || (signal ?? 'nothing')}`
        const found = await look(deed, here).catch(String)
        expect(['old', 'new'], told).toContain(found)
        if (stdout === 'ok') expect(found, told).toBe('new')
        await act(deed, here)
        expect(await look(deed, here), `${told}, and done again`).toBe('new')
        if (!existsSync(mark)) {
          expect(stdout, 'no fault is left').toBe('ok')
          break
        }
        faults++
      }
    },
  )
})
