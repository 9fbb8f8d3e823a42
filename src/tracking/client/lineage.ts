import { counted } from '../../common/counted.ts'
import type { Log } from '../../common/log.ts'
import type { Redact } from '../../common/redact.ts'
import type { Secret } from '../../common/secret.ts'
import { withAnySignal } from '../../engine/any-signal.ts'
import { messageOf } from '../../errors.ts'
import { fetchAnswer } from '../../platform/http-answer.ts'
import { appendOwn } from '../../platform/own-file.ts'
import type { Cell, Row } from '../ledger/row.ts'
import { within } from '../ledger/writer.ts'
import { lineageEvent, lineageType, type LineageEvent, type LineageType } from './lineage-event.ts'

/** `tracking.openlineage_*`. */
export interface LineageSettings {
  /** The whole address that takes events, such as `https://host/api/v1/lineage`. */
  readonly url: string | undefined
  readonly token: Secret | undefined
  /** A file to which events are appended, one a line. */
  readonly file: string | undefined
  readonly namespace: string
}

export interface LineageOptions extends LineageSettings {
  readonly version: string
  readonly now: () => number
  readonly log: Log
  readonly redact: Redact
  /** Milliseconds for one event. */
  readonly timeout: number
}

/** Milliseconds for which an address that did not take an event is left alone. */
const PAUSE = 30_000
/** Events that wait for an address that is slow. */
const MOST_WAITING = 1000
/** Executions that have ended and are still known, because rows of theirs may come once more. */
const MOST_ENDED = 1000
const ENDS: ReadonlySet<LineageType> = new Set(['COMPLETE', 'FAIL', 'ABORT'])

/** An execution of which rows were seen. */
interface Known {
  task: string | undefined
  /** Whether it began in this process. */
  isBegun: boolean
  readonly sent: Set<LineageType>
}

/**
 * Sends the executions of this process to an OpenLineage service, or to a file: START and the end once each, RUNNING when work begins. Nothing here
 * throws, waits or changes an exit code: an event that is not taken is given up, and `close` says how many were.
 */
export class Lineage {
  readonly #options: LineageOptions
  /** Executions that go on, and those that ended last, by run id. */
  readonly #known = new Map<string, Known>()
  /** Run ids, the one that ended longest ago first. */
  readonly #ended = new Set<string>()
  #turn: Promise<void> = Promise.resolve()
  #waiting = 0
  #lost = 0
  #failedAt = -Infinity
  #isWarned = false
  /** Ends the request that is on its way. */
  #request = new AbortController()

  constructor(options: LineageOptions) {
    this.#options = options
  }

  /** This process begins the execution: its START is sent from here, and from nowhere else. */
  begins(runId: string): void {
    this.#executionOf(runId).isBegun = true
  }

  /** Rows as they are on their way to the database. */
  see(rows: readonly Row[]): void {
    for (const { table, cells } of rows) if (table === 'executions') this.#execution(cells)
  }

  /** Waits no more for an answer: the event that is being sent is given up, and those that wait for it. */
  giveUp(why: Error): void {
    this.#request.abort(why)
  }

  /** Waits at most `ms` milliseconds for what is being sent. */
  async close(ms: number): Promise<void> {
    let why = ''
    await within(ms, this.#turn).catch(() => {
      this.#lost += this.#waiting
      why = ': there was no answer in time'
    })
    const were = this.#lost === 1 ? 'was' : 'were'
    if (this.#lost > 0)
      this.#options.log.warn(`OpenLineage: ${counted(this.#lost, 'event')} ${were} given up${why}`)
    this.#lost = 0
  }

  #execution(cells: Readonly<Record<string, Cell>>): void {
    const runId = String(cells['run_id'])
    const type = lineageType(cells)
    if (type === undefined) return
    const known = this.#executionOf(runId)
    known.task = String(cells['task_name'])
    // Another process may have begun the execution: then it sent the START.
    const due: readonly LineageType[] = type === 'START' ? ['START'] : ['START', type]
    for (const one of due) {
      if (known.sent.has(one) || (one === 'START' && !known.isBegun)) continue
      known.sent.add(one)
      this.#send(lineageEvent(one, cells, this.#contextOf(cells)))
    }
    if (ENDS.has(type)) this.#forgetAfter(runId)
  }

  #executionOf(runId: string): Known {
    let known = this.#known.get(runId)
    if (!known) this.#known.set(runId, (known = { task: undefined, isBegun: false, sent: new Set() }))
    return known
  }

  /** The execution has ended: it is known until so many others have. */
  #forgetAfter(runId: string): void {
    this.#ended.add(runId)
    const [first] = this.#ended
    if (first === undefined || this.#ended.size <= MOST_ENDED) return
    this.#ended.delete(first)
    this.#known.delete(first)
  }

  #contextOf(cells: Readonly<Record<string, Cell>>) {
    const { namespace, version } = this.#options
    return { namespace, version, parentTask: this.#known.get(String(cells['parent_run_id']))?.task }
  }

  #send(event: LineageEvent): void {
    const { file, url } = this.#options
    if (file !== undefined)
      try {
        appendOwn(file, `${JSON.stringify(event)}\n`, { operatorChosen: true })
      } catch (error) {
        this.#failed(error)
      }
    if (url === undefined) return
    if (this.#waiting >= MOST_WAITING) {
      this.#lost += 1
      return
    }
    this.#waiting += 1
    this.#turn = this.#turn.then(() => this.#post(url, event)).finally(() => (this.#waiting -= 1))
  }

  async #post(url: string, event: LineageEvent): Promise<void> {
    const { token, timeout, now } = this.#options
    if (Math.abs(now() - this.#failedAt) < PAUSE) {
      this.#lost += 1
      return
    }
    try {
      this.#request = new AbortController()
      const { ok, status } = await withAnySignal(
        [AbortSignal.timeout(timeout), this.#request.signal],
        (signal) =>
          fetchAnswer(url, {
            method: 'POST',
            headers: {
              'content-type': 'application/json',
              ...(token === undefined ? {} : { authorization: `Bearer ${token.current()}` }),
            },
            body: JSON.stringify(event),
            redirect: 'error',
            signal,
          }),
      )
      if (!ok) throw new Error(`it answers ${status}`)
    } catch (error) {
      this.#failedAt = now()
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    this.#lost += 1
    if (this.#isWarned) return
    this.#isWarned = true
    // undici says "fetch failed", and why in its cause.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    const { log, redact } = this.#options
    log.warn(`OpenLineage took no event; the pipeline goes on: ${redact(messageOf(cause))}`)
  }
}
