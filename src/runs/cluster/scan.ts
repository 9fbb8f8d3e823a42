import type { StageName } from '../../common/stage-name.ts'
import { RunSet } from '../../common/run-set.ts'
import type { ClaimStore, QueueItem } from '../../engine/claim-store.ts'
import { ArchiverError } from '../../errors.ts'
import type { Archiver } from '../archiver.ts'
import type { PassConditions } from '../pass.ts'
import { planPass, stageRuns } from '../plan-pass.ts'
import type { Plan } from '../plan.ts'

/** The runs of a set as items of a queue: lowest first, named by their number. */
export const itemsOf = (runs: Iterable<number>): QueueItem[] =>
  [...runs].map((run) => ({ key: String(run), ordinal: run }))

/**
 * What the leader of several workers does: it looks for runs that are to be done and adds them to the queue, and keeps the state files and
 * failure logs in step with it. The files are a projection: losing them costs a scan, never a run.
 */
export class Scanner {
  readonly #archiver: Archiver
  readonly #store: ClaimStore
  readonly #own: readonly StageName[]
  readonly #conditions: PassConditions
  /** Stages of others that this machine cannot scan: warned of once. */
  readonly #unseen = new Set<StageName>()
  readonly #stored = new Map<StageName, RunSet>()
  /** Until when results have been written to the files, by the store's clock. */
  readonly #written = new Map<StageName, number>()
  #isFirst = true
  /** Of the migrate stage, by the last scan. */
  #plan: Plan | undefined
  /** Runs whose migration the files have followed. */
  #followed = RunSet.EMPTY
  /** Those of them that were migrated under this leader, and compared then. */
  #migrated = RunSet.EMPTY

  constructor(
    archiver: Archiver,
    store: ClaimStore,
    stages: readonly StageName[],
    conditions: PassConditions,
  ) {
    this.#archiver = archiver
    this.#store = store
    this.#own = stages
    this.#conditions = {
      ...conditions,
      assertHeld: () => {
        if (!store.isLeading)
          throw new ArchiverError('LOCK_LOST', 'another worker leads and writes the state files')
        conditions.assertHeld()
      },
    }
  }

  /**
   * Adds what is to be done. Returns how many runs were added. For the leader only. It scans for all workers, whatever stages it works on
   * itself; where it cannot, the others' stages wait until another leads.
   */
  async scan(): Promise<number> {
    const alone = (await this.#store.instances()).filter(({ status }) => status === 'running').length <= 1
    const adopts = this.#isFirst && alone
    let added = 0
    await this.#eachStage(async (stage) => {
      const memory = this.#archiver.memory(stage, this.#conditions)
      const { config } = this.#archiver
      const remembered = await memory.load(config.app.onCorruptState, () => stageRuns(this.#archiver, stage))
      if (adopts) await this.#adopt(stage, remembered.failed)
      await this.#project(stage, RunSet.ofRanges(await this.#store.ranges(stage, 'failed')))
      const now = await this.#archiver.peek(stage)
      const listedAt = await this.#store.now()
      const request = { mode: 'incremental', stages: STAGE_NAMES, limit: Infinity, recheck: false } as const
      const plan = await planPass(this.#archiver, stage, request, now)
      this.#stored.set(stage, plan.stored)
      if (stage === 'migrate') this.#plan = plan
      await this.#noteDoubtful(stage, plan)
      // A run that is listed and was compared by one of us is proven: the queue says so.
      const doubted = adopts ? RunSet.EMPTY : plan.runs.intersect(plan.unproven)
      added += await this.#store.enqueue(stage, itemsOf(plan.runs.minus(doubted)), listedAt)
      added += await this.#store.enqueue(stage, itemsOf(doubted), 0)
    })
    this.#isFirst = false
    await this.#archiver.cache.save()
    return added
  }

  /** Brings the state files and failure logs in step with the queue. For the leader only. */
  async project(): Promise<void> {
    await this.#eachStage((stage) => this.#project(stage))
  }

  /** What the last scan found of the migrate stage, and the runs that were migrated since this was asked last. */
  takeMigrated(): { readonly plan: Plan | undefined; readonly migrated: RunSet } {
    const migrated = this.#migrated
    this.#migrated = RunSet.EMPTY
    return { plan: this.#plan, migrated }
  }

  async #eachStage(work: (stage: StageName) => Promise<void>): Promise<void> {
    for (const stage of STAGE_NAMES)
      try {
        await work(stage)
      } catch (error) {
        if (this.#own.includes(stage) || !(error instanceof ArchiverError) || !AWAY.has(error.code))
          throw error
        if (!this.#unseen.has(stage))
          this.#conditions.warn(`cannot scan for workers on ${stage}: ${error.message}`)
        this.#unseen.add(stage)
      }
  }

  /**
   * Only while nobody else works can the files know more than the queue: a single archiver has written them, and has archived what failed here.
   * What is not archived has failed since the files were last written: poison above all, which would go on ending workers.
   */
  async #adopt(stage: StageName, logged: RunSet): Promise<void> {
    const { stored } = await stageRuns(this.#archiver, stage)
    this.#stored.set(stage, stored)
    const failedHere = RunSet.ofRanges(await this.#store.ranges(stage, 'failed'))
    const kept = itemsOf(failedHere.minus(stored)).map(({ key }) => key)
    await this.#store.adoptFailures(stage, itemsOf(logged), kept)
  }

  /** `failed`: all that the queue has, whenever they failed. */
  async #project(stage: StageName, failed = RunSet.EMPTY): Promise<void> {
    const at = await this.#store.now()
    const finished = await this.#store.finishedSince(stage, this.#written.get(stage) ?? 0)
    const runsOf = (status: 'done' | 'failed'): RunSet =>
      RunSet.of(finished.filter((item) => item.status === status).map(({ ordinal }) => ordinal))
    const known = this.#stored.get(stage)
    const listed = known ?? (await stageRuns(this.#archiver, stage)).stored
    const stored = listed.union(runsOf('done'))
    this.#stored.set(stage, stored)
    await this.#archiver.memory(stage, this.#conditions).checkpoint({
      failed: runsOf('failed').union(failed),
      resolved: runsOf('done'),
      attemptedUpTo: await this.#store.attemptedUpTo(stage),
      lastContiguous: stored.lastContiguous,
    })
    if (stage === 'migrate') this.#follow(runsOf('done'))
    this.#written.set(stage, at - OVERLAP)
  }

  /** The first look goes back as far as the queue does: how those runs are by now, nobody knows. */
  #follow(done: RunSet): void {
    if (this.#written.has('migrate')) this.#migrated = this.#migrated.union(done.minus(this.#followed))
    this.#followed = this.#followed.union(done)
  }

  /** A kill of everybody leaves runs below the numbers at the archive that nobody compared: they are written down before they are handed out. */
  async #noteDoubtful(stage: StageName, { runs, unproven, uncomparable, stored }: Plan): Promise<void> {
    const { state } = await this.#archiver.peek('migrate')
    const below = runs.union(unproven).upTo(state.lastAttemptedRun).union(uncomparable)
    const known = await this.#archiver.inHand.read()
    const isQuiet = (await this.#store.counts()).every(({ pending, claimed }) => pending + claimed === 0)
    // Once nothing is open, each was compared that artdaqDB holds: an import lists what it holds as stored.
    const isCompared = isQuiet && stage === 'import' && !this.#isFirst
    const wanted = (isCompared ? known.minus(stored) : known).union(below)
    if (wanted.equals(known)) return
    this.#conditions.assertHeld()
    await this.#archiver.inHand.write(wanted)
  }
}

const STAGE_NAMES = ['import', 'migrate'] as const satisfies readonly StageName[]

/** A store that a worker on another stage need not reach. */
const AWAY: ReadonlySet<string> = new Set(['SOURCE_UNAVAILABLE', 'STORE_UNAVAILABLE'])

/**
 * Results of so many milliseconds before the last look are read again: a result has the time at which its transaction began, and is seen when
 * that is committed, which a slow disk or a lock makes late. A failure that is later still is found by the next scan.
 */
const OVERLAP = 60_000
