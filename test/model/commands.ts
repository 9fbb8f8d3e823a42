import fc from 'fast-check'
import type { PassMode } from '../../src/runs/candidates.ts'
import type { StageName } from '../../src/common/stage-name.ts'
import { NEVER, NO_TROUBLE, type Trouble } from './archiver.ts'
import { passOf, recoveryOf } from './pass.ts'
import { type Disk, Process, type World } from './world.ts'

/** Something that happens to an archiver and what is around it. */
export type Command =
  | { readonly do: 'write'; readonly run: number; readonly content: number }
  | { readonly do: 'remove'; readonly run: number }
  | { readonly do: 'lose'; readonly stage: StageName; readonly run: number }
  | { readonly do: 'take'; readonly stage: StageName; readonly run: number }
  | { readonly do: 'damage'; readonly stage: StageName; readonly text: string | undefined }
  | { readonly do: 'forget failures'; readonly stage: StageName }
  | { readonly do: 'keep a copy'; readonly stage: StageName }
  | { readonly do: 'restore the copy'; readonly stage: StageName }
  | { readonly do: 'recover'; readonly stage: StageName; readonly fuse: number }
  | {
      readonly do: 'pass'
      readonly stages: readonly StageName[]
      readonly mode: PassMode
      readonly fuse: number
      readonly bad: readonly number[]
      readonly garbled: readonly number[]
      readonly goneAfter: number
    }
  | { readonly do: 'two passes'; readonly stage: StageName; readonly robAfter: number; readonly fuse: number }

const run = fc.integer({ min: 1, max: 9 })
const stage = fc.constantFrom<StageName>('import', 'migrate')
/** Most processes live; the others die at one of their first steps. */
const fuse = fc.oneof({ weight: 2, arbitrary: fc.constant(NEVER) }, { weight: 3, arbitrary: fc.nat(40) })
const command = (name: Command['do'], fields: object): fc.Arbitrary<Command> =>
  fc.record({ do: fc.constant(name), ...fields }) as fc.Arbitrary<Command>

export const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: command('write', { run, content: fc.integer({ min: 1, max: 2 }) }) },
    { weight: 1, arbitrary: command('remove', { run }) },
    { weight: 1, arbitrary: command('lose', { stage, run }) },
    { weight: 1, arbitrary: command('take', { stage, run }) },
    {
      weight: 1,
      arbitrary: command('damage', {
        stage,
        text: fc.constantFrom(
          undefined,
          '',
          '{"last_cont',
          '{}',
          '{"last_contiguous_run": 99, "last_attempted_run": 99}',
        ),
      }),
    },
    { weight: 1, arbitrary: command('forget failures', { stage }) },
    { weight: 1, arbitrary: command('keep a copy', { stage }) },
    { weight: 1, arbitrary: command('restore the copy', { stage }) },
    { weight: 1, arbitrary: command('recover', { stage, fuse }) },
    {
      weight: 8,
      arbitrary: command('pass', {
        stages: fc.constantFrom<readonly StageName[]>(['import'], ['migrate'], ['import', 'migrate']),
        mode: fc.constantFrom('incremental', 'incremental', 'full', 'retry'),
        fuse,
        bad: fc.oneof(fc.constant([]), fc.uniqueArray(run, { maxLength: 3 })),
        garbled: fc.oneof(
          { weight: 3, arbitrary: fc.constant([]) },
          { weight: 1, arbitrary: fc.uniqueArray(run, { maxLength: 3 }) },
        ),
        goneAfter: fc.oneof(
          { weight: 4, arbitrary: fc.constant(NEVER) },
          { weight: 1, arbitrary: fc.nat(4) },
        ),
      }),
    },
    { weight: 1, arbitrary: command('two passes', { stage, robAfter: fc.nat(30), fuse }) },
  ),
  { maxLength: 25, size: 'max' },
)

/** Copies of state that somebody keeps, as a backup does. */
export type Backup = Partial<Record<StageName, Disk>>

/** Content that no record ever had: somebody else's. */
export const FOREIGN = 1000

const FORGETTING: ReadonlySet<Command['do']> = new Set([
  'damage',
  'forget failures',
  'restore the copy',
  'recover',
])

/** Does a command. A process always begins with the lock and ends without it, however it ends. */
export const perform = async (world: World, backup: Backup, what: Command): Promise<void> => {
  // Whoever takes the memory away, takes with it what had been found wrong: the scrub's business, not a pass's.
  if (FORGETTING.has(what.do)) world.garbled.clear()
  switch (what.do) {
    case 'write':
      world.write(what.run, what.content)
      return
    case 'remove':
      return void world.source.delete(what.run)
    case 'lose':
      world.to(what.stage).delete(what.run)
      if (what.stage === 'migrate') world.garbled.delete(what.run)
      return
    case 'take':
      if (!world.to(what.stage).has(what.run)) world.to(what.stage).set(what.run, FOREIGN)
      return
    case 'damage':
      world.disks[what.stage].state = what.text
      return
    case 'forget failures':
      world.disks[what.stage].failed = world.disks[what.stage].failed.take(0)
      return
    case 'keep a copy':
      backup[what.stage] = { ...world.disks[what.stage] }
      return
    case 'restore the copy':
      Object.assign(world.disks[what.stage], backup[what.stage] ?? {})
      return
    case 'recover': {
      const process = new Process(what.fuse)
      world.holder = process
      return recoveryOf(world, what.stage, process)
    }
    case 'pass': {
      const trouble: Trouble = {
        fuse: what.fuse,
        bad: new Set(what.bad),
        garbled: new Set(what.garbled),
        goneAfter: what.goneAfter,
      }
      const process = new Process(what.fuse)
      world.holder = process
      await passOf(world, what.stages, what.mode, process, trouble)
      return
    }
    case 'two passes': {
      // The lock of the first is taken from it (its file was removed) while it works: both are at work from then on.
      const first = new Process(what.fuse)
      const second = new Process(NEVER)
      world.holder = first
      const one = passOf(world, [what.stage], 'full', first, NO_TROUBLE)
      for (let i = 0; i < what.robAfter; i++) await Promise.resolve()
      world.holder = second
      await Promise.all([one, passOf(world, [what.stage], 'full', second, NO_TROUBLE)])
    }
  }
}
