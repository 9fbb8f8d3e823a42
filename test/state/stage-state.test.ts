import { readdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { RunSet } from '../../src/common/run-set.ts'
import { StageMemory } from '../../src/state/stage-state.ts'
import { temporaryFolder } from './temporary-folder.ts'

const folder = temporaryFolder()
const warnings: string[] = []
const HOOK = Symbol.for('run-archiver.step')
afterEach(() => {
  warnings.length = 0
  Reflect.deleteProperty(globalThis, HOOK)
})

const open = (assertHeld = (): void => undefined): StageMemory =>
  new StageMemory({
    stage: 'import',
    stateFile: folder.in('importer_state.json'),
    failureLog: folder.in('import_failures.log'),
    now: () => Date.UTC(2026, 10, 21, 22, 56),
    warn: (text) => warnings.push(text),
    assertHeld,
  })
const runs = (...list: number[]): RunSet => RunSet.of(list)
const stores = (source: string, stored: string) => ({
  source: RunSet.parse(source),
  stored: RunSet.parse(stored),
})
const noStores = () => Promise.reject(new Error('not asked for'))
const state = () =>
  readFile(folder.in('importer_state.json'), 'utf8').then((text) => JSON.parse(text) as unknown)
const log = () => readFile(folder.in('import_failures.log'), 'utf8')
const CHECKPOINT = {
  attemptedUpTo: 105,
  failed: runs(103),
  resolved: runs(101, 102, 104, 105),
  lastContiguous: 102,
}

describe('a state file that is no text at all', () => {
  it.each([
    { what: 'with a byte that is not UTF-8', bytes: Buffer.from('{"last_contiguous_run": 3\xff}', 'latin1') },
    { what: 'far too large', bytes: Buffer.alloc(70_000, ' ') },
  ])('$what is kept, and rebuilt from the stores', async ({ bytes }) => {
    await writeFile(folder.in('importer_state.json'), bytes)
    const { state: rebuilt, isFirst } = await open().load('recover', () =>
      Promise.resolve(stores('1-5', '1-3')),
    )
    expect([rebuilt, isFirst]).toEqual([{ lastContiguousRun: 3, lastAttemptedRun: 3 }, false])
    const [kept] = (await readdir(folder.path)).filter((name) => name.includes('.corrupt-'))
    expect(await readFile(folder.in(kept ?? 'nothing'))).toEqual(bytes)
    await expect(open().load('stop', noStores)).resolves.toMatchObject({ isFirst: false })
  })
})

describe('a checkpoint', () => {
  it('is the example of the manual', async () => {
    await open().checkpoint(CHECKPOINT)
    expect(await state()).toEqual({ last_contiguous_run: 102, last_attempted_run: 105 })
    expect(await log()).toBe('103\n')
  })

  it('takes resolved runs out of the log, and never one that failed again', async () => {
    await writeFile(folder.in('import_failures.log'), '101\n103\n110\n')
    await open().checkpoint({ ...CHECKPOINT, resolved: runs(101, 103) })
    expect(await log()).toBe('103\n110\n')
  })

  it('writes failures before what is resolved, and the state last', async () => {
    await writeFile(folder.in('import_failures.log'), '101\n')
    const steps: string[] = []
    Reflect.set(globalThis, HOOK, (name: string) => {
      if (!name.startsWith('replace-file')) steps.push(name)
    })
    await open().checkpoint(CHECKPOINT)
    expect(steps).toEqual([
      'failure-log: to be added to',
      'failure-log: append to be synced',
      'failure-log: appended',
      'failure-log: rewritten',
      'state: to be saved',
      'state: saved',
    ])
  })

  it('does not advance the state when the failure cannot be written down', async () => {
    await open().checkpoint({ ...CHECKPOINT, failed: RunSet.EMPTY, attemptedUpTo: 102 })
    const memory = open()
    await memory.load('recover', noStores)
    Reflect.set(globalThis, HOOK, (name: string) => {
      if (name === 'failure-log: to be added to') throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
    })
    await expect(memory.checkpoint(CHECKPOINT)).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' })
    expect(await state()).toEqual({ last_contiguous_run: 102, last_attempted_run: 102 })
    Reflect.deleteProperty(globalThis, HOOK)
    await memory.checkpoint(CHECKPOINT)
    expect(await state()).toEqual({ last_contiguous_run: 102, last_attempted_run: 105 })
  })

  it('writes nothing once the lock is lost', async () => {
    const memory = open(() => {
      throw new Error('lost')
    })
    await expect(memory.checkpoint(CHECKPOINT)).rejects.toThrow('lost')
    expect(await readdir(folder.path)).toEqual([])
  })

  it('costs no write when nothing has changed', async () => {
    const memory = open()
    await memory.checkpoint(CHECKPOINT)
    const steps: string[] = []
    Reflect.set(globalThis, HOOK, (name: string) => steps.push(name))
    await memory.checkpoint(CHECKPOINT)
    expect(steps).toEqual([])
  })
})

describe('a damaged state', () => {
  it('is kept, rebuilt from the stores and told of, and no failure is forgotten', async () => {
    await writeFile(folder.in('importer_state.json'), '{"last_contig')
    await writeFile(folder.in('import_failures.log'), '103\n108\n')
    const loaded = await open().load('recover', () => Promise.resolve(stores('100-110', '100-102,104-106')))
    expect(loaded.state).toEqual({ lastContiguousRun: 102, lastAttemptedRun: 108 })
    expect(loaded.failed.toString()).toBe('103,108')
    expect(await state()).toEqual({ last_contiguous_run: 102, last_attempted_run: 108 })
    expect(await readFile(folder.in('importer_state.json.corrupt-20261121T225600Z'), 'utf8')).toBe(
      '{"last_contig',
    )
    expect(warnings.join()).toMatch(/STATE_CORRUPT.*importer_state.json.*corrupt-20261121T225600Z/)
  })

  it('stops the pass, stays where it is, and names the command, where the configuration says stop', async () => {
    await writeFile(folder.in('importer_state.json'), '')
    for (let pass = 0; pass < 2; pass++)
      await expect(open().load('stop', noStores)).rejects.toMatchObject({
        code: 'STATE_CORRUPT',
        hint: expect.stringContaining('--recover-import-state') as string,
      })
    expect(await readdir(folder.path)).toEqual(['importer_state.json'])
  })

  it('of a newer version is not touched, whatever the configuration says', async () => {
    await writeFile(folder.in('importer_state.json'), '{"version": 3}')
    await expect(open().load('recover', noStores)).rejects.toMatchObject({ code: 'STATE_NEWER' })
    await expect(open().recover(stores('1', '1'))).rejects.toMatchObject({ code: 'STATE_NEWER' })
    expect(await readdir(folder.path)).toEqual(['importer_state.json'])
  })

  it('is never away for a moment while it is rebuilt', async () => {
    await writeFile(folder.in('importer_state.json'), 'damaged')
    const seen: boolean[] = []
    const { existsSync } = await import('node:fs')
    Reflect.set(globalThis, HOOK, () => seen.push(existsSync(folder.in('importer_state.json'))))
    await open().load('recover', () => Promise.resolve(stores('1-3', '1-2')))
    expect(seen.length).toBeGreaterThan(3)
    expect(seen).not.toContain(false)
  })
})

describe('a failure log with junk', () => {
  it('is put in order at the start of a pass, and what it was is kept', async () => {
    await writeFile(folder.in('import_failures.log'), '9\nhello\n3\n')
    expect((await open().load('recover', noStores)).failed.toString()).toBe('3,9')
    expect(await log()).toBe('3\n9\n')
    expect(warnings).toHaveLength(1)
  })
})

describe('a recovery', () => {
  it('writes state and log, and keeps what was there', async () => {
    await writeFile(folder.in('importer_state.json'), '{"last_contiguous_run": 1, "last_attempted_run": 1}')
    await writeFile(folder.in('import_failures.log'), '77\n')
    const { kept } = await open().recover(stores('1-10', '1-4,8'))
    expect(await state()).toEqual({ last_contiguous_run: 4, last_attempted_run: 8 })
    expect(await log()).toBe('5\n6\n7\n')
    expect(kept.map((path) => path.slice(folder.path.length + 1))).toEqual([
      'importer_state.json.bak-20261121T225600Z',
      'import_failures.log.bak-20261121T225600Z',
    ])
    expect(await readFile(folder.in('import_failures.log.bak-20261121T225600Z'), 'utf8')).toBe('77\n')
  })

  it('done twice changes nothing and keeps nothing the second time', async () => {
    await open().recover(stores('1-10', '1-4,8'))
    const names = await readdir(folder.path)
    expect((await open().recover(stores('1-10', '1-4,8'))).kept).toEqual([])
    expect(await readdir(folder.path)).toEqual(names)
  })

  it('with an empty destination writes zeros and an empty log', async () => {
    await open().recover({ source: runs(1, 2), stored: RunSet.EMPTY })
    expect(await state()).toEqual({ last_contiguous_run: 0, last_attempted_run: 0 })
    expect(await log()).toBe('')
  })

  it('cut short at any step and done again ends the same, with one copy of each file', async () => {
    const steps: string[] = []
    const prepare = async (): Promise<void> => {
      await writeFile(folder.in('importer_state.json'), 'damaged')
      await writeFile(folder.in('import_failures.log'), '77\njunk\n')
      for (const name of await readdir(folder.path))
        if (/\.(bak|corrupt)-/.test(name)) await unlink(folder.in(name))
    }
    await prepare()
    Reflect.set(globalThis, HOOK, (name: string) => steps.push(name))
    await open().recover(stores('1-10', '1-4,8'))
    expect(steps.length).toBeGreaterThan(9)
    for (let at = 0; at < steps.length; at++) {
      await prepare()
      let count = 0
      Reflect.set(globalThis, HOOK, () => {
        if (count++ === at) throw new Error('cut short')
      })
      await open()
        .recover(stores('1-10', '1-4,8'))
        .catch(() => undefined)
      Reflect.deleteProperty(globalThis, HOOK)
      await open().recover(stores('1-10', '1-4,8'))
      expect(await state()).toEqual({ last_contiguous_run: 4, last_attempted_run: 8 })
      expect(await log()).toBe('5\n6\n7\n')
      const copies = (await readdir(folder.path)).filter((name) => /\.(bak|corrupt)-/.test(name))
      expect(
        copies.filter((name) => name.startsWith('importer')),
        steps[at],
      ).toHaveLength(1)
      expect(copies.some((name) => name.startsWith('import_failures.log.'))).toBe(true)
    }
  })
})
