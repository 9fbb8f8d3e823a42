import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { audit } from '../../src/runs/verify/audit.ts'
import { parseState } from '../../src/state/state-format.ts'
import type { RunSet } from '../../src/common/run-set.ts'
import type { StageName } from '../../src/common/stage-name.ts'
import { seed as seedOfTest } from '../crash/random.ts'
import { type Backup, type Command, commands, FOREIGN, perform } from './commands.ts'
import { GARBLED, NEVER, NO_TROUBLE } from './archiver.ts'
import { passOf } from './pass.ts'
import { Process, setOf, World } from './world.ts'

const SEQUENCES = Number(process.env['ARCHIVER_SEQUENCES'] ?? 20_000)
const STAGES: readonly StageName[] = ['import', 'migrate']

interface Before {
  readonly stored: Record<StageName, ReadonlyMap<number, number>>
  readonly attempted: Record<StageName, number>
  readonly failed: Record<StageName, RunSet>
}

const stateOf = (world: World, stage: StageName) =>
  parseState(world.disks[stage].state ?? '{"last_attempted_run": 0}', stage)
const attemptedOf = (world: World, stage: StageName): number => {
  try {
    return stateOf(world, stage).lastAttemptedRun
  } catch {
    return Infinity // damaged: nothing can be said
  }
}

const remember = (world: World): Before => ({
  stored: { import: new Map(world.artdaq), migrate: new Map(world.archive) },
  attempted: { import: attemptedOf(world, 'import'), migrate: attemptedOf(world, 'migrate') },
  failed: { import: world.disks.import.failed, migrate: world.disks.migrate.failed },
})

/** Whether a command was a pass of this stage. */
const worked = (command: Command, stage: StageName): boolean =>
  (command.do === 'two passes' && command.stage === stage) ||
  (command.do === 'pass' && command.stages.includes(stage))

/** What must hold after every command, whatever it was. */
const check = (world: World, before: Before, command: Command): void => {
  for (const stage of STAGES) {
    const stored = setOf(world.to(stage))
    const failed = world.disks[stage].failed
    const source = setOf(world.from(stage))
    const damaged = new Map<number, string>()
    for (const [run, content] of world.to(stage))
      if (content !== FOREIGN && content !== GARBLED && !world.history.get(run)?.has(content))
        damaged.set(run, 'never was that')
    const classes = audit({ source, stored, incomplete: stored.take(0), failed, damaged })
    expect(damaged.size, `${stage}: only what a record was is archived`).toBe(0)
    expect(
      classes.archived.union(classes.failed).union(classes.pending).minus(source.union(stored)).size,
    ).toBe(0)
    // Nothing at a destination is overwritten or taken away, except by a command that does just that.
    if (command.do !== 'lose' || command.stage !== stage)
      for (const [run, content] of before.stored[stage])
        expect(world.to(stage).get(run), `${stage}: run ${run} was overwritten or removed`).toBe(content)
    // The numbers move past a run only when it is archived or written down, or was given up with the destination.
    if (worked(command, stage) && (command.do !== 'pass' || command.goneAfter === NEVER)) {
      const passed = classes.pending.above(before.attempted[stage]).upTo(attemptedOf(world, stage))
      // A retry attempts what had been attempted before, above runs that came since, and others may have stored beyond us.
      const retried = command.do === 'pass' && command.mode === 'retry'
      const allowed = retried ? Math.max(failed.last ?? 0, stored.last ?? 0) : 0
      expect(passed.above(allowed).size, `${stage}: last_attempted_run passed ${passed.toString()}`).toBe(0)
    }
    // What never was in artdaqDB is not a failure of the migration.
    if (stage === 'migrate' && worked(command, stage))
      expect(failed.minus(before.failed[stage]).minus(source).toString(), 'migrate: blamed for').toBe('')
    // A line leaves the failure log when the destination was compared, and not because something stands there.
    if (worked(command, stage))
      for (const run of before.failed[stage].minus(failed))
        expect(world.to(stage).get(run), `${stage}: run ${run} left the failure log`).toBe(
          world.from(stage).get(run),
        )
  }
}

/** In the end the disturbances stop, and everything is archived, or failed for a reason. */
const settle = async (world: World): Promise<void> => {
  for (const stage of STAGES) {
    world.holder = new Process(NEVER)
    const before = remember(world).stored[stage]
    const report = (await passOf(world, [stage], 'incremental', world.holder, NO_TROUBLE))?.[0]
    if (report && !report.outcome) {
      // A source that is empty where it was not looks like an unmounted disk: refused, and nothing is changed.
      expect([world.from(stage).size, world.to(stage)]).toEqual([0, before])
      continue
    }
    const outcome = report?.outcome
    const stored = setOf(world.to(stage))
    const source = setOf(world.from(stage))
    const failed = world.disks[stage].failed
    expect(source.minus(stored).minus(failed).toString(), `${stage}: neither archived nor failed`).toBe('')
    expect(outcome?.succeeded.minus(stored).size, `${stage}: said archived, and it is not`).toBe(0)
    expect(stateOf(world, stage).lastContiguousRun, stage).toBe(stored.lastContiguous)
    if (stage === 'migrate')
      for (const run of world.garbled)
        expect(failed.has(run) || !source.has(run), `run ${run} is garbled, and counts as archived`).toBe(
          true,
        )
    await passOf(world, [stage], 'retry', world.holder, NO_TROUBLE)
    const left = source.minus(setOf(world.to(stage)))
    expect(left.toString(), `${stage}: nothing is wrong with them, and they are not archived`).toBe('')
    for (const run of world.disks[stage].failed.intersect(source))
      expect(world.to(stage).get(run), `${stage}: run ${run} failed, and is archived`).not.toBe(
        world.from(stage).get(run),
      )
  }
}

describe('any sequence of records that come, go and change, passes, crashes, damaged and restored states, lost objects and second instances', () => {
  it(`loses no run, in ${SEQUENCES} sequences`, { timeout: 3_600_000 }, async () => {
    const seed = seedOfTest()
    let steps = 0
    console.log(`model: ${SEQUENCES} sequences, SEED=${seed}`)
    await fc.assert(
      fc.asyncProperty(commands, async (sequence) => {
        const world = new World()
        const backup: Backup = {}
        for (const command of sequence) {
          const before = remember(world)
          await perform(world, backup, command)
          check(world, before, command)
          steps++
        }
        await settle(world)
      }),
      { numRuns: SEQUENCES, seed },
    )
    console.log(`model: ${steps} commands`)
  })
})
