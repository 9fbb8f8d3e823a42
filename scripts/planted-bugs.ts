/** A bug that is planted on purpose: `from` becomes `to`, and the tests must fail. */
export interface Bug {
  readonly name: string
  readonly file: string
  readonly from: string
  readonly to: string
  /** The tests that are expected to find it; the quickest that do. */
  readonly tests: readonly string[]
}

/** All planted bugs. test/scripts/planted-bugs.test.ts holds that each can still be planted. */
export const BUGS: readonly Bug[] = [
  {
    name: 'no fsync of the directory',
    file: 'src/platform/atomic-file.ts',
    from: '  await syncDirectory(dirname(path))\n',
    to: '',
    tests: ['test/crash/power-cut.faults.test.ts'],
  },
  {
    name: 'no fsync of a created file',
    file: 'src/platform/atomic-file.ts',
    from: '    await file.sync()\n',
    to: '',
    tests: ['test/crash/power-cut.faults.test.ts'],
  },
  {
    name: 'state written in place',
    file: 'src/platform/atomic-file.ts',
    from: '  await writeFileAtomic(path, null as unknown as string, options as unknown as writeFileAtomic.Options)\n',
    to: '  void options\n  await writeFile(path, bytes)\n',
    tests: ['test/crash/writer.faults.test.ts', 'test/crash/syscalls.faults.test.ts'],
  },
  {
    name: 'the bytes are left to the library',
    file: 'src/platform/atomic-file.ts',
    from: 'writeFileAtomic(path, null as unknown as string, options as unknown as writeFileAtomic.Options)',
    to: 'writeFileAtomic(path, Buffer.from(bytes))',
    tests: ['test/crash/syscalls.faults.test.ts'],
  },
  {
    name: 'an existing file is overwritten',
    file: 'src/platform/atomic-file.ts',
    from: '    await link(temporary, path)\n',
    to: '    await rename(temporary, path)\n',
    tests: ['test/platform/atomic-file.test.ts'],
  },
  {
    name: 'state before failure log',
    file: 'src/state/stage-state.ts',
    from: '    await this.#guarded(() => this.failureLog.add(failed))\n    await this.#guarded(() => this.failureLog.remove(resolved.minus(failed)))\n',
    to: '    await this.#save(advance(await this.stateFile.read(), { attemptedUpTo, lastContiguous }))\n    await this.#guarded(() => this.failureLog.add(failed))\n    await this.#guarded(() => this.failureLog.remove(resolved.minus(failed)))\n',
    tests: ['test/state/stage-state.test.ts', 'test/model/model.faults.test.ts'],
  },
  {
    name: 'failure log emptied first',
    file: 'src/runs/pass.ts',
    from: '    await settle(plan, ours, memory)\n',
    to: "    await settle(plan, ours, memory)\n    if (request.mode !== 'incremental') await memory.failureLog.replace(RunSet.EMPTY)\n",
    tests: ['test/model/model.faults.test.ts', 'test/crash/points.faults.test.ts'],
  },
  {
    name: 'watermark instead of set difference',
    file: 'src/runs/candidates.ts',
    from: 'source.minus(proven).union(',
    to: "source.minus(proven).above(mode === 'incremental' ? (destination.runs.last ?? 0) : 0).union(",
    tests: ['test/model/model.faults.test.ts'],
  },
  {
    name: 'last attempted passes runs in flight',
    file: 'src/runs/attempted-up-to.ts',
    from: '  for (const run of failed) if (run < lowest) highest = Math.max(highest, run)',
    to: '  for (const run of failed) highest = Math.max(highest, run)',
    tests: ['test/model/model.faults.test.ts'],
  },
  {
    name: 'recorded before it is committed',
    file: 'src/engine/engine.ts',
    from: '      if (this.#stage.commit) this.#staged.set(claim, staged)\n      else this.#done(claim, staged)',
    to: '      if (this.#stage.commit) this.#staged.set(claim, staged)\n      this.#done(claim, staged)',
    tests: ['test/model/model.faults.test.ts'],
  },
  {
    name: 'lock skipped',
    file: 'src/state/flock.ts',
    from: '  if (status === HELD) return false\n',
    to: '  if (status === HELD) return true\n',
    tests: ['test/state/lock.integration.test.ts'],
  },
  {
    name: 'the lock is not asked for before writing',
    file: 'src/state/stage-state.ts',
    from: '    this.#options.assertHeld()\n    await change()',
    to: '    await change()',
    tests: ['test/state/stage-state.test.ts'],
  },
  {
    name: 'a damaged state reads as new',
    file: 'src/state/state-format.ts',
    from: '    throw corrupt(`not JSON (${error instanceof Error ? error.message : String(error)})`)',
    to: '    void error\n    value = { last_contiguous_run: 0, last_attempted_run: 0 }',
    tests: ['test/state/state-file.test.ts'],
  },
  {
    name: 'a torn line is believed',
    file: 'src/state/failure-log-format.ts',
    from: '      if (this.#digits > 0 && this.#value <= this.#last) this.#bad = true\n',
    to: '',
    tests: ['test/state/failure-log.test.ts'],
  },
  {
    name: 'the archive is not read back',
    file: 'src/stores/ucondb/directory/writer.ts',
    from: "    case 'whole':\n    case 'bare':\n      if (!sameRecord(held.blob, blob)) throw conflict(place, held.blob, blob, run)\n",
    to: "    case 'whole':\n    case 'bare':\n",
    tests: ['test/stores/ucondb/directory/archive.test.ts'],
  },
  {
    name: 'an empty source is believed',
    file: 'src/commands/recover-state.ts',
    from: '  if (!source.isEmpty || stored.isEmpty) return\n',
    to: '  if (!source.isEmpty || stored.isEmpty || stage) return\n',
    tests: ['test/commands/run.integration.test.ts'],
  },
  {
    name: 'runs in hand are not written down',
    file: 'src/runs/doubtful-runs.ts',
    from: '  await change(inHand, known, doubt, holder)\n',
    to: '',
    tests: ['test/model/model.faults.test.ts'],
  },
  {
    name: 'a run that cannot be compared now is not written down',
    file: 'src/runs/doubtful-runs.ts',
    from: '.union(uncomparable)\n',
    to: '\n',
    tests: ['test/runs/doubtful-runs.test.ts'],
  },
  {
    name: 'a pass begins beyond its own runs',
    file: 'src/runs/pass.ts',
    from: 'attemptedUpTo(0, [], ours, runs.union(unproven).take(1))',
    to: 'attemptedUpTo(0, [], ours.union(runs).union(unproven), RunSet.EMPTY)',
    tests: ['test/model/model.faults.test.ts'],
  },
  {
    name: 'the migration is given runs whose import failed',
    file: 'src/runs/pass.ts',
    from: 'imported = { runs: report.outcome.succeeded, updated }',
    to: 'imported = { runs: report.outcome.attempted, updated }',
    tests: ['test/model/model.faults.test.ts'],
  },
]
