import { describe, expect, it } from 'vitest'
import { RunSet } from '../../src/common/run-set.ts'
import { noteDoubt, resolveDoubt } from '../../src/runs/doubtful-runs.ts'
import { NEVER, NO_TROUBLE, type Trouble } from '../model/archiver.ts'
import { passOf } from '../model/pass.ts'
import { Process, World } from '../model/world.ts'

const migrate = (world: World, trouble: Partial<Trouble> = {}) => {
  const process = new Process(trouble.fuse ?? NEVER)
  world.holder = process
  return passOf(world, ['migrate'], 'incremental', process, { ...NO_TROUBLE, ...trouble })
}

/** Runs 1 and 4 are in artdaqDB, and a migration is killed when the archive has taken a garbled blob of run 4 that nobody compared. */
const killedWithGarbled = async (): Promise<World> => {
  const world = new World()
  for (const run of [1, 4]) {
    world.write(run, 1)
    world.artdaq.set(run, 1)
  }
  for (let fuse = 0; !world.archive.has(4); fuse++) {
    world.archive.clear()
    await migrate(world, { fuse, garbled: new Set([4]) })
  }
  expect(world.disks.migrate.failed.has(4), 'the kill came before the proof').toBe(false)
  return world
}

describe('a blob that nobody has compared, of a run that artdaqDB does not hold for a while', () => {
  it('stays in doubt, and is compared when the run is there again', async () => {
    const world = await killedWithGarbled()
    world.artdaq.delete(4)
    await migrate(world)
    expect(world.inHand.has(4)).toBe(true)
    await migrate(world)
    world.artdaq.set(4, 1)
    await migrate(world)
    expect(world.disks.migrate.failed.toString()).toBe('4')
    expect(world.inHand.isEmpty, 'a run in the failure log is no longer in doubt').toBe(true)
  })

  it('stays in doubt while later passes have other runs in hand', async () => {
    const world = await killedWithGarbled()
    world.artdaq.delete(4)
    await migrate(world)
    for (const run of [2, 3]) {
      world.artdaq.set(run, 1)
      await migrate(world)
      expect(world.inHand.toString()).toBe('4')
    }
    world.artdaq.set(4, 1)
    await migrate(world)
    expect(world.disks.migrate.failed.toString()).toBe('4')
  })

  it('is in doubt on disk before the number passes it, at every kill', async () => {
    for (let fuse = 0; fuse < 30; fuse++) {
      const world = await killedWithGarbled()
      world.artdaq.delete(4)
      await migrate(world, { fuse })
      world.artdaq.set(4, 1)
      await migrate(world)
      expect(world.disks.migrate.failed.toString(), `killed at step ${fuse}`).toBe('4')
    }
  })
})

describe('the note of runs in doubt', () => {
  const plan = (runs: string) => ({
    stage: 'migrate' as const,
    runs: RunSet.parse(runs),
    waiting: new Map(),
    beyond: 0,
    stored: RunSet.EMPTY,
    sourceHighest: undefined,
    unproven: RunSet.EMPTY,
    uncomparable: RunSet.EMPTY,
    foreign: undefined,
  })

  it('is not written where nothing has changed, and never without the lock', async () => {
    const writes: string[] = []
    const inHand = {
      read: () => Promise.resolve(RunSet.parse('3')),
      write: (runs: RunSet) => Promise.resolve(void writes.push(runs.toString())),
    } as never
    const holder = { assertHeld: () => undefined }
    const doubt = await noteDoubt(inHand, plan('3'), 5, holder)
    expect(writes).toEqual([])
    await resolveDoubt(inHand, doubt, RunSet.parse('3'), holder)
    expect(writes).toEqual([''])
    const robbed = {
      assertHeld: () => {
        throw new Error('another holds the lock')
      },
    }
    await expect(noteDoubt(inHand, plan('4'), 5, robbed)).rejects.toThrow('another holds the lock')
    expect(writes).toEqual([''])
  })
})
