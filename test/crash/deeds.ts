import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { RunSet } from '../../src/common/run-set.ts'
import { formatState } from '../../src/state/state-format.ts'
import { FailureLog } from '../../src/state/failure-log.ts'
import { StageMemory } from '../../src/state/stage-state.ts'
import { StateFile } from '../../src/state/state-file.ts'
import { DirectoryArchive } from '../../src/stores/ucondb/directory/archive.ts'
import { packed } from '../conformance/archive.ts'
import { repairDatabase } from '../../src/stores/artdaqdb/repair.ts'
import { openDb, sampleRun } from '../stores/artdaqdb/runs.ts'

/** The durable things that every fault is tried on. */
export const DEEDS = [
  'state save',
  'failure log append',
  'failure log rewrite',
  'recovery',
  'index rewrite',
  'database made',
  'database repaired',
  'runs moved',
  'archive put',
] as const
/** Those that make hard links, and do without them on disks that have none. */
export const LINKING: readonly Deed[] = ['recovery', 'archive put']
/** And write-file-atomic as it comes, which publishes what a short write left: a fault test that cannot fail proves nothing. */
export type Deed = (typeof DEEDS)[number] | 'the library alone'

const OLD = { lastContiguousRun: 100, lastAttemptedRun: 101 }
const NEW = { lastContiguousRun: 102, lastAttemptedRun: 107 }
const signal = new AbortController().signal

const stateFile = (folder: string): StateFile => new StateFile(join(folder, 'importer_state.json'))
const failureLog = (folder: string): FailureLog =>
  new FailureLog(join(folder, 'import_failures.log'), { now: () => 0, warn: () => undefined })
const memory = (folder: string): StageMemory =>
  new StageMemory({
    stage: 'import',
    stateFile: join(folder, 'importer_state.json'),
    failureLog: join(folder, 'import_failures.log'),
    now: () => 0,
    warn: () => undefined,
    assertHeld: () => undefined,
  })
const archive = (folder: string): DirectoryArchive =>
  new DirectoryArchive({ root: join(folder, 'archive'), folder: 'f', object: 'o', now: () => 0 })
const store = async (folder: string, run: number): Promise<void> => {
  const db = openDb(join(folder, 'db'))
  await db.put(sampleRun(run), signal)
  await db.commit()
}
/** A document of RunHistory loses a bit, and the index all but its first byte. */
const DAMAGED = 'ootprovided'
const damage = (folder: string): void => {
  const collection = join(folder, 'db', 'RunHistory')
  const [name = ''] = readdirSync(collection).filter((one) => one !== 'index.json')
  const text = readFileSync(join(collection, name), 'latin1')
  writeFileSync(join(collection, name), text.replace('notprovided', DAMAGED), 'latin1')
  writeFileSync(join(collection, 'index.json'), '{')
}
/** Of each of the two, whether it is whole again; a sentence where the damaged one was not kept. */
const repaired = (folder: string): string => {
  const textsIn = (...path: string[]) =>
    readdirSync(join(folder, ...path), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => readFileSync(join(folder, ...path, name), 'latin1'))
  const there = textsIn('db', 'RunHistory')
  const kept = textsIn('db')
  const isDamaged = [(text: string) => text === '{', (text: string) => text.includes(DAMAGED)]
  if (!isDamaged.every((is) => there.some(is) || kept.some(is))) return 'what was damaged is not kept'
  return isDamaged.some((is) => there.some(is)) ? 'old' : 'new'
}
/** What is kept of a file that was replaced. */
const copiesOf = (path: string): string[] =>
  readdirSync(dirname(path))
    .filter((name) => name.startsWith(`${basename(path)}.bak-`))
    .map((name) => readFileSync(join(dirname(path), name), 'utf8'))
/** Where runs are moved to: further back in the list than the database that new runs go into. */
const older = (folder: string): string => join(folder, 'older', 'db')
const twoDatabases = (folder: string) => openDb([older(folder), join(folder, 'db')])
const STORES = { source: RunSet.parse('100-107'), stored: RunSet.parse('100-102,105-107') }

/** What is there before the deed. */
export async function prepare(deed: Deed, folder: string): Promise<void> {
  switch (deed) {
    case 'state save':
    case 'the library alone':
      return stateFile(folder).write(OLD)
    case 'failure log append':
    case 'failure log rewrite':
      return failureLog(folder).replace(RunSet.parse('101-102'))
    case 'recovery':
      await stateFile(folder).write(OLD)
      return failureLog(folder).replace(RunSet.parse('101'))
    case 'index rewrite':
      return store(folder, 1)
    case 'database made':
      return
    case 'database repaired':
      await store(folder, 1)
      damage(folder)
      return
    case 'runs moved':
      await store(folder, 1)
      return store(folder, 2)
    case 'archive put':
      mkdirSync(join(folder, 'archive'))
      await archive(folder).put(1, 0, packed(1, 'one'), signal)
  }
}

/** The deed. Throws when it is not known to be done. */
export async function act(deed: Deed, folder: string): Promise<void> {
  switch (deed) {
    case 'state save':
      return stateFile(folder).write(NEW)
    case 'the library alone':
      return writeFileAtomic(stateFile(folder).path, formatState(NEW))
    case 'failure log append':
      return failureLog(folder).add(RunSet.parse('103-104'))
    case 'failure log rewrite':
      return failureLog(folder).add(RunSet.parse('7'))
    case 'recovery':
      await memory(folder).recover(STORES)
      return
    case 'index rewrite':
      return store(folder, 2)
    case 'database made':
      return store(folder, 1)
    case 'database repaired':
      for (const { unreadable } of await repairDatabase(openDb(join(folder, 'db')).databases[0]!, {
        now: Date.now,
      }))
        if (unreadable.length > 0) throw new Error(unreadable.join('\n'))
      return
    case 'runs moved': {
      const { left } = await twoDatabases(folder).moveTo(older(folder), RunSet.of([1, 2]), signal)
      if (left.length > 0) throw new Error(JSON.stringify(left))
      return
    }
    case 'archive put':
      await archive(folder).put(2, 0, packed(2, 'two'), signal)
  }
}

/** What is there after it, succeeded or not: `old`, `new`, or a sentence about what is wrong. */
export async function look(deed: Deed, folder: string): Promise<string> {
  switch (deed) {
    case 'state save':
    case 'the library alone': {
      const state = await stateFile(folder).read()
      if (state.lastAttemptedRun === OLD.lastAttemptedRun) return 'old'
      return state.lastAttemptedRun === NEW.lastAttemptedRun ? 'new' : JSON.stringify(state)
    }
    case 'failure log append':
    case 'failure log rewrite': {
      // Of two runs that were added at once, one may be there: each is a line of its own.
      const { runs } = await failureLog(folder).read()
      const all = RunSet.parse(deed === 'failure log append' ? '101-104' : '7,101-102')
      if (!RunSet.parse('101-102').minus(runs).isEmpty || !runs.minus(all).isEmpty) return runs.toString()
      return runs.equals(all) ? 'new' : 'old'
    }
    case 'recovery': {
      const half = copiesOf(stateFile(folder).path).find((text) => text !== formatState(OLD))
      if (half !== undefined) return `the copy of the state is ${JSON.stringify(half)}`
      const { state, failed } = await memory(folder).peek()
      const logs = ['101', '103-104']
      if (!logs.includes(failed.toString())) return failed.toString()
      // The log comes before the state.
      if (state.lastAttemptedRun === NEW.lastAttemptedRun)
        return failed.toString() === '103-104' ? 'new' : 'state before log'
      return state.lastAttemptedRun === OLD.lastAttemptedRun ? 'old' : JSON.stringify(state)
    }
    case 'index rewrite': {
      const db = openDb(join(folder, 'db'))
      const { runs } = await db.list()
      for (const run of runs) await db.read(run, signal)
      return runs.equals(RunSet.of([1, 2])) ? 'new' : runs.equals(RunSet.of([1])) ? 'old' : runs.toString()
    }
    case 'database made': {
      const db = openDb(join(folder, 'db'))
      const { runs } = await db.list()
      for (const run of runs) await db.read(run, signal)
      return runs.equals(RunSet.of([1])) ? 'new' : runs.isEmpty ? 'old' : runs.toString()
    }
    case 'database repaired':
      return repaired(folder)
    case 'runs moved': {
      const both = twoDatabases(folder)
      const { runs } = await both.list()
      if (!runs.equals(RunSet.of([1, 2]))) return `only ${runs.toString()}`
      for (const run of runs) await both.read(run, signal)
      const left = await openDb(join(folder, 'db')).list()
      return left.runs.isEmpty && left.incomplete.isEmpty && left.notes.length === 0 ? 'new' : 'old'
    }
    case 'archive put': {
      const { runs } = await archive(folder).list()
      for (const run of runs) await archive(folder).get(run, 'newest', signal)
      return runs.equals(RunSet.of([1, 2])) ? 'new' : runs.equals(RunSet.of([1])) ? 'old' : runs.toString()
    }
  }
}
