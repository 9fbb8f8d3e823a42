import type { Proof } from './proof.ts'
import type { RunSet } from '../common/run-set.ts'
import type { ActionLine } from './models/actions.ts'
import type { RunCopies } from './models/copies.ts'
import type { StepTime } from './models/steps.ts'
import type { GraphFacts } from './models/graph.ts'
import type { Eta, LateTask } from './outlook.ts'
import type { Standing } from './standing.ts'
import type { RunMap } from './runs/run-map.ts'

export type { Standing }

/** An execution as the pages and the API show it. Times in epoch milliseconds; undefined where nobody wrote it. */
export interface ExecutionLine {
  readonly id: number
  readonly runId: string
  readonly task: string
  readonly stage: string
  readonly type: string | undefined
  readonly standing: Standing
  /** The word of `process_logs`: RUNNING, COMPLETED, PARTIAL ... */
  readonly status: string
  readonly host: string
  readonly pid: number
  readonly user: string | undefined
  readonly startedAt: number
  readonly endedAt: number | undefined
  readonly updatedAt: number
  readonly heartbeatAt: number | undefined
  readonly progressAt: number | undefined
  readonly overall: number | undefined
  readonly overallMessage: string | undefined
  readonly subtask: string | undefined
  readonly subtaskPercent: number | undefined
  readonly subtaskMessage: string | undefined
  readonly subtaskNumber: number | undefined
  readonly subtasks: number | undefined
  readonly items: number | undefined
  readonly itemsDone: number | undefined
  readonly attempted: number
  readonly failed: number
  readonly bytes: number
  readonly eta: Eta | undefined
  /** LOST, HUNG, OVERDUE ...: of executions that run. */
  readonly conditions?: readonly string[]
  readonly error: string | undefined
  readonly exitCode: number | undefined
  readonly version: string | undefined
  readonly currentRun: number | undefined
  readonly memoryMb: number | undefined
  readonly cpuPercent: number | undefined
}

export interface Subtask {
  readonly number: number
  readonly name: string
  readonly standing: Standing
  readonly startedAt: number | undefined
  readonly endedAt: number | undefined
  readonly items: number | undefined
  readonly done: number | undefined
  readonly failed: number | undefined
  readonly message: string | undefined
}

export interface Metric {
  readonly at: number
  readonly cpuPercent: number | undefined
  readonly memoryMb: number | undefined
  readonly readBytes: number | undefined
  readonly writeBytes: number | undefined
  /** Over HTTP and to databases. */
  readonly receivedBytes: number | undefined
  readonly sentBytes: number | undefined
  readonly databaseConnections: number | undefined
  /** Items that its steps completed so far. */
  readonly rowsProcessed: number | undefined
  readonly openFiles: number | undefined
  readonly threads: number | undefined
}

export interface LedgerEvent {
  readonly at: number
  readonly kind: string
  readonly detail: string | undefined
}

/** One execution whole, but for its log and its metrics. */
export interface ExecutionDetail extends ExecutionLine {
  readonly detail: string | undefined
  readonly argv: string | undefined
  readonly environment: string | undefined
  readonly invocationId: string | undefined
  readonly commit: string | undefined
  readonly logPath: string | undefined
  readonly parts: readonly Subtask[]
  readonly events: readonly LedgerEvent[]
  readonly failedRuns: readonly RunAttempt[]
}

/** A run in an execution: an attempt of one stage. */
export interface RunAttempt {
  readonly execution: number | undefined
  readonly stage: string
  readonly run: number | undefined
  readonly name: string
  readonly standing: Standing
  readonly result: string | undefined
  readonly bytes: number | undefined
  readonly documents: number | undefined
  readonly attempts: number | undefined
  readonly startedAt: number
  readonly endedAt: number | undefined
  readonly tookMs: number | undefined
  readonly code: string | undefined
  readonly error: string | undefined
}

export interface ExecutionQuery {
  readonly task?: string | undefined
  readonly stage?: string | undefined
  /** `bad`: failed, killed, died unseen, reboot. */
  readonly standing?: Standing | 'bad' | undefined
  readonly host?: string | undefined
  readonly text?: string | undefined
  /** Epoch milliseconds: started at or after, before. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  /** Milliseconds before the question: instead of `from`. */
  readonly back?: number | undefined
  readonly limit: number
  readonly cursor?: string | undefined
}

/** A part of a long list. `next` is what `cursor` is given to have the part after it. */
export interface Slice<T> {
  readonly items: readonly T[]
  readonly next: string | undefined
}

/** A task with its newest executions, the newest first. */
export interface TaskLine {
  readonly task: string
  readonly stage: string
  readonly newest: readonly ExecutionLine[]
  /** Seconds, of the newest that ended well; undefined where none did. */
  readonly p50: number | undefined
  readonly p95: number | undefined
}

export interface DaysPart {
  readonly limit: number
  readonly after?: { readonly day: string; readonly task: string } | undefined
}

export interface TaskDay {
  readonly task: string
  readonly day: string
  readonly executions: number
  readonly ok: number
  readonly partly: number
  readonly failed: number
  readonly killed: number
  readonly reboots: number
  readonly unseen: number
  readonly items: number
  readonly itemsFailed: number
  readonly seconds: number
  readonly p50: number | undefined
  readonly p95: number | undefined
}

/** What the pages read from a ledger. Each throws LEDGER_UNAVAILABLE, or what the driver throws, where it is away. */
export interface LedgerReads {
  current(): Promise<readonly ExecutionLine[]>
  executions(query: ExecutionQuery): Promise<Slice<ExecutionLine>>
  execution(id: string): Promise<ExecutionDetail | undefined>
  metrics(id: number): Promise<readonly Metric[]>
  tasks(): Promise<readonly TaskLine[]>
  /** The oldest first; `part`: at most so many, behind a day of a task. */
  days(since: number, task?: string, part?: DaysPart): Promise<readonly TaskDay[]>
  /** Attempts of a run, the newest first. */
  story(run: number): Promise<readonly RunAttempt[]>
  /** The newest failed attempts, at most `limit`. */
  failures(since: number, limit: number): Promise<readonly RunAttempt[]>
  /** The subtasks of a task, in their order. */
  steps?(task: string): Promise<readonly StepTime[]>
  late?(): Promise<readonly LateTask[]>
  /** What persons did on the page, the newest first. */
  actions?(): Promise<readonly ActionLine[]>
  graph?(pipeline: string | undefined): Promise<GraphFacts>
  /** A text that changes with every write to the ledger. */
  revision(): Promise<string>
}

export type Known<T> =
  { readonly known: true; readonly value: T } | { readonly known: false; readonly reason: string }

export interface StageMarks {
  readonly contiguous: number
  readonly attempted: number
  readonly failed: RunSet
}

/** A place that cannot be read: the map shows what it held at `shownFrom`; undefined: it was not read since the page began. */
export interface MissingPlace {
  readonly place: string
  readonly shownFrom: number | undefined
}

/** The three places and two memories at one moment. */
export interface RunsSnapshot {
  readonly at: number
  /** The places are being listed for the first time: each is missing, and nothing is known of the runs but what the memories say. */
  readonly isListing: boolean
  readonly map: RunMap
  readonly records: Known<RunSet>
  readonly artdaq: Known<RunSet>
  readonly archive: Known<RunSet>
  readonly import: Known<StageMarks>
  readonly migrate: Known<StageMarks>
  /** Why runs are not ready; only of the first thousand. */
  readonly waiting: ReadonlyMap<number, string>
  /** When a pass last ended well, epoch milliseconds. */
  readonly lastSuccess: number | undefined
  /** Archived runs by when their copies were compared; undefined where a store does not answer. */
  readonly proof: Proof | undefined
  /** What `--report-status` recommends, in its words. */
  readonly advice: readonly { readonly text: string; readonly command?: string }[]
  readonly unreadable: readonly string[]
  /** Places that cannot be read now. */
  readonly missing: readonly MissingPlace[]
}

export interface RunReads {
  /** The command line's configuration, as commands on the page name it. */
  readonly config: string
  /** The newest snapshot, at once; before the first listing of the places ends, one that says so. */
  snapshot(): Promise<RunsSnapshot>
  copies(run: number): Promise<RunCopies>
}
