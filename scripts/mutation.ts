/**
 * Plants bugs, one at a time, in a copy of the source, and shows that the tests find each: a suite that cannot fail proves nothing.
 * `npm run test:mutation` tries all, `npm run test:mutation -- NAME ...` some. Ends with 1 when a bug was not found.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

interface Bug {
  readonly name: string
  readonly file: string
  readonly from: string
  readonly to: string
  /** The tests that are expected to find it; the quickest that do. */
  readonly tests: readonly string[]
}

const BUGS: readonly Bug[] = [
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
    from: '    await settle(plan, memory)\n',
    to: "    await settle(plan, memory)\n    if (request.mode !== 'incremental') await memory.failureLog.replace(RunSet.EMPTY)\n",
    tests: ['test/crash/points.faults.test.ts'],
  },
  {
    name: 'watermark instead of set difference',
    file: 'src/runs/candidates.ts',
    from: '  const missing = source.minus(destination.runs)',
    to: "  const missing = source.minus(destination.runs).above(mode === 'incremental' ? (destination.runs.last ?? 0) : 0)",
    tests: ['test/model/model.faults.test.ts'],
  },
  {
    name: 'last attempted passes runs in flight',
    file: 'src/runs/candidates.ts',
    from: '  for (const run of finished) if (run < lowest) highest = Math.max(highest, run)',
    to: '  for (const run of finished) highest = Math.max(highest, run)\n  void lowest',
    tests: ['test/model/model.faults.test.ts'],
  },
  {
    name: 'recorded before it is committed',
    file: 'src/engine/engine.ts',
    from: '      if (this.#stage.commit) this.#staged.set(run, staged)\n      else this.#done(run, staged)',
    to: '      if (this.#stage.commit) this.#staged.set(run, staged)\n      this.#done(run, staged)',
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
]

const copy = mkdtempSync(join(tmpdir(), 'archiver-mutation-'))
for (const part of [
  'src',
  'test',
  'docs',
  'scripts',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
  'config.example.yaml',
])
  cpSync(part, join(copy, part), { recursive: true })
symlinkSync(resolve('node_modules'), join(copy, 'node_modules'))

const env = { ...process.env, ARCHIVER_SEQUENCES: '3000', ARCHIVER_KILLS: '40' }
const isFound = ({ file, from, to, tests }: Bug): boolean => {
  const path = join(copy, file)
  const source = readFileSync(path, 'utf8')
  if (source.split(from).length !== 2) throw new Error(`${file} no longer holds, once: ${from}`)
  writeFileSync(
    path,
    source.replace(from, () => to),
  )
  const run = spawnSync('npx', ['vitest', 'run', '--bail=1', ...tests], { cwd: copy, encoding: 'utf8', env })
  writeFileSync(path, source)
  // Only a test that fails has found it; a program that cannot be built has not been tested.
  return run.status !== 0 && /Tests .*\d+ failed/.test(run.stdout.replaceAll(/\u001b\[[0-9;]*m/g, ''))
}

const wanted = process.argv.slice(2)
const missed = BUGS.filter(({ name }) => wanted.length === 0 || wanted.includes(name)).filter((bug) => {
  const found = isFound(bug)
  console.log(`${found ? 'found ' : 'MISSED'}  ${bug.name} (${bug.file})`)
  return !found
})
rmSync(copy, { recursive: true })
console.log(
  missed.length === 0 ? 'every planted bug was found' : `${missed.length} planted bug(s) were not found`,
)
process.exitCode = missed.length === 0 ? 0 : 1
