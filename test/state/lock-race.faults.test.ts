import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { compile } from './compile.ts'
import { temporaryFolder } from './temporary-folder.ts'

const folder = temporaryFolder()
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

const lockFile = (): string => folder.in('.archiver.lock')

describe('sixteen processes on one stale lock', () => {
  /** How often two were inside at once, in as many rounds as it takes to see it once, at most `rounds`. */
  const doubles = async (
    how: 'ours' | 'proper-lockfile alone',
    rounds: number,
  ): Promise<{ double: number; none: number }> => {
    const program = await compile('test/state/contender.ts', folder.path)
    const count = { double: 0, none: 0 }
    const contenders = Array.from({ length: 16 }, () => fork(program, [folder.path, how]))
    children.push(...contenders)
    await Promise.all(contenders.map((child) => once(child, 'message')))
    for (let round = 0; round < rounds && count.double === 0; round++) {
      await rm(lockFile(), { recursive: true, force: true })
      if (how === 'ours') await writeFile(lockFile(), '4711\n')
      else await mkdir(lockFile())
      const old = new Date(Date.now() - 3_600_000)
      await utimes(lockFile(), old, old)
      const answers = contenders.map((child) => once(child, 'message') as Promise<[string]>)
      for (const child of contenders) child.send(20)
      const results = (await Promise.all(answers)).map(([answer]) => answer)
      if (results.includes('double')) count.double++
      if (!results.includes('got')) count.none++
      await rm(join(folder.path, 'inside'), { recursive: true, force: true })
      expect(
        results.filter((answer) => !['got', 'double', 'LOCK_HELD', 'ELOCKED', 'ENOENT'].includes(answer)),
      ).toEqual([])
    }
    return count
  }

  it('are never two inside, and never none, in 60 rounds', { timeout: 120_000 }, async () => {
    expect(await doubles('ours', 60)).toEqual({ double: 0, none: 0 })
  })

  it(
    'are two inside sooner or later with proper-lockfile alone: the test would see it',
    { timeout: 120_000 },
    async () => {
      expect((await doubles('proper-lockfile alone', 600)).double).toBe(1)
    },
  )
})
