import { MemoryBudget } from '../../src/common/memory-budget.ts'
import { RunSet } from '../../src/common/run-set.ts'
import type { StageName } from '../../src/common/stage-name.ts'
import { ArchiverError } from '../../src/errors.ts'
import type { Archiver } from '../../src/runs/archiver.ts'
import { StageMemory } from '../../src/state/stage-state.ts'
import type { RunDocuments } from '../../src/stores/run-record.ts'
import type { Archive, DocumentStore, Listing } from '../../src/stores/store.ts'
import { filesOf, type Process, setOf, type World } from './world.ts'

/** What goes wrong in a pass. */
export interface Trouble {
  /** The process dies at this step; a large number: it does not. */
  readonly fuse: number
  /** Runs that cannot be read or stored. */
  readonly bad: ReadonlySet<number>
  /** Runs of which the archive keeps other bytes than it is sent. */
  readonly garbled: ReadonlySet<number>
  /** The destination goes away after so many puts. */
  readonly goneAfter: number
}

/** A step or a put that is never reached. */
export const NEVER = 1e9

export const NO_TROUBLE: Trouble = { fuse: NEVER, bad: new Set(), garbled: new Set(), goneAfter: NEVER }

/** What the archive keeps of a put that went wrong on its way. */
export const GARBLED = 999

const listing = (runs: RunSet): Listing => ({ runs, incomplete: RunSet.EMPTY, updates: new Map(), notes: [] })

/** A run whose one file is its content, a number. */
const documentsOf = (run: number, content: number): RunDocuments => ({
  run,
  configName: 'model',
  documents: [],
  attached: [{ name: 'content', mode: 0o644, content: Buffer.from(String(content)) }],
  manifest: {
    run,
    directory: String(run),
    directoryMode: 0o755,
    ended: true,
    signature: String(content),
    folders: [],
    skipped: [],
    files: [],
  },
})

const contentOf = ({ attached }: Pick<RunDocuments, 'attached'>): number =>
  Number(attached[0]?.content.toString())

export const memoryOf = (world: World, stage: StageName, process: Process): StageMemory =>
  new StageMemory(
    {
      stage,
      stateFile: '',
      failureLog: '',
      now: () => 0,
      warn: () => undefined,
      assertHeld: () => world.assertHeld(process),
    },
    filesOf(world, stage, process),
  )

/** Puts that a destination still takes. */
const counter = ({ goneAfter }: Trouble) => {
  let puts = 0
  return (): void => {
    if (++puts > goneAfter) throw new ArchiverError('STORE_UNAVAILABLE', 'the destination is gone')
  }
}

/** artdaqDB: gathers, and stores with the commit. */
const artdaqOf = (world: World, process: Process, trouble: Trouble): DocumentStore => {
  const staged = new Map<number, number>()
  const taken = counter(trouble)
  return {
    list: () => Promise.resolve(listing(setOf(world.artdaq))),
    async put(documents) {
      await process.step()
      taken()
      const content = contentOf(documents)
      const held = world.artdaq.get(documents.run)
      if (held !== undefined && held !== content)
        throw new ArchiverError('CONFLICT', `run ${documents.run} is taken`, { run: documents.run })
      if (held !== undefined) return 'present'
      staged.set(documents.run, content)
      return 'stored'
    },
    commitDue: () => staged.size >= 2,
    async commit() {
      await process.step()
      world.assertHeld(process)
      for (const [run, content] of staged) {
        world.artdaq.set(run, content)
        await process.step()
      }
      staged.clear()
    },
    async read(run) {
      await process.step()
      const content = world.artdaq.get(run)
      if (content === undefined) throw new ArchiverError('NOT_FOUND', `run ${run} is gone`, { run })
      if (trouble.bad.has(run)) throw new ArchiverError('STORE_CORRUPT', `run ${run} is bad`, { run })
      return { ...documentsOf(run, content), documents: [], update: 0 }
    },
    manifest: (run) => Promise.resolve(documentsOf(run, world.artdaq.get(run) ?? 0).manifest),
    fingerprint: () => Promise.resolve(undefined),
    probe: () => Promise.resolve(),
  }
}

/** The archive: takes each blob at once, and compares it after that, as a web server and its client do. */
const archiveOf = (world: World, process: Process, trouble: Trouble): Archive => {
  const taken = counter(trouble)
  return {
    list: () => Promise.resolve(listing(setOf(world.archive))),
    async put(run, _update, blob) {
      await process.step()
      taken()
      const content = Number(blob.toString())
      const held = world.archive.get(run)
      if (held !== undefined) {
        if (held === content) return 'present'
        throw new ArchiverError('CONFLICT', `run ${run} is taken`, { run })
      }
      if (trouble.garbled.has(run)) world.garbled.add(run)
      world.archive.set(run, trouble.garbled.has(run) ? GARBLED : content)
      await process.step()
      if (world.archive.get(run) !== content)
        throw new ArchiverError('VERIFY_MISMATCH', `run ${run} is held otherwise`, { run })
      return 'stored'
    },
    get: (run) => Promise.resolve(Buffer.from(String(world.archive.get(run)))),
    fingerprint: () => Promise.resolve(undefined),
    probe: () => Promise.resolve(),
  }
}

/** The parts of an archiver as one process of the model has them: `runs/pass.ts` works on these as on the real ones. */
export const archiverOf = (world: World, process: Process, trouble: Trouble): Archiver => {
  const unused = (): never => {
    throw new Error('not a part of the model')
  }
  const records = {
    list: () => Promise.resolve({ runs: setOf(world.source), ambiguous: RunSet.EMPTY, ignored: [] as const }),
    readiness: (run: number) =>
      Promise.resolve({ ready: true, ended: true, signature: String(world.source.get(run)) } as const),
  }
  const change = async (effect: () => void): Promise<void> => {
    await process.step()
    effect()
    await process.step()
  }
  const parts: Partial<Record<keyof Archiver, unknown>> = {
    config: {
      app: {
        batchSize: 0,
        onCorruptState: 'recover',
        parallelWorkers: 2,
        runProcessRetries: 0,
        retryDelaySeconds: 0,
      },
      sourceFiles: { recheckHours: 48 },
    },
    records,
    artdaq: artdaqOf(world, process, trouble),
    archive: archiveOf(world, process, trouble),
    cache: {
      list: (_name: string, store: { list(): unknown }) => store.list(),
      save: () => Promise.resolve(),
    },
    watch: {
      read: () => Promise.resolve(world.watched),
      write: (runs: World['watched']) => change(() => (world.watched = runs)),
    },
    inHand: {
      read: () => Promise.resolve(world.inHand),
      write: (runs: RunSet) => change(() => (world.inHand = runs)),
    },
    memory: (stage: StageName) => memoryOf(world, stage, process),
    peek: unused,
    load: async (run: number) => {
      await process.step()
      const content = world.source.get(run)
      if (content === undefined) throw new ArchiverError('NOT_FOUND', `run ${run} is gone`, { run })
      if (trouble.bad.has(run)) throw new ArchiverError('RECORD_INVALID', `run ${run} is bad`, { run })
      return documentsOf(run, content)
    },
    write: unused,
    admit: () => Promise.resolve({ bytes: 1, release: () => undefined }),
    budget: new MemoryBudget(1e9),
    threads: { during: (_signal: AbortSignal, work: () => unknown) => work() },
    pack: (stored: RunDocuments) => Buffer.from(String(contentOf(stored))),
  }
  return parts as unknown as Archiver
}
