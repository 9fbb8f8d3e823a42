import type { Secret } from '../../common/secret.ts'
import { withAnySignal } from '../../engine/any-signal.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import { fetchAnswer, type HttpAnswer } from '../../platform/http-answer.ts'
import type { Row } from '../ledger/row.ts'
import type { TrackStore } from './track-store.ts'

export interface ServicePlace {
  /** `https://host:port`, with the base path where the service has one. */
  readonly url: string
  readonly token: Secret | undefined
  /** Milliseconds for one request. */
  readonly timeout: number
  /** Aborts when no answer is waited for any more. */
  readonly until?: AbortSignal | undefined
}

/** Characters and rows of one request: a service takes 1 MB and 1,000 rows. */
const LARGEST_BODY = 400_000
const MOST_ROWS = 500

/** Whether a place is a service, and no database. */
export const isService = (url: string): boolean => /^https?:\/\//i.test(url)

/**
 * One request to the service's API. Resolves with its answer; `undefined` where it answers 404 or 409: there is no such execution, or it has
 * ended. Throws LEDGER_UNAVAILABLE for everything else that is no success.
 */
export const sendToService = async (
  { url, token, timeout, until }: ServicePlace,
  method: 'POST' | 'PATCH',
  path: string,
  body: unknown,
): Promise<Readonly<Record<string, unknown>> | undefined> => {
  const address = `${url.replace(/\/+$/, '')}/api/v1${path}`
  const failed = (why: string): ArchiverError => new ArchiverError('LEDGER_UNAVAILABLE', `${address}: ${why}`)
  let reply: HttpAnswer
  try {
    const ends = [AbortSignal.timeout(timeout), ...(until ? [until] : [])]
    reply = await withAnySignal(ends, (signal) =>
      fetchAnswer(address, {
        method,
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token.current()}` }),
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
        redirect: 'manual', // an answer is never looked for elsewhere, nor the token sent there
        signal,
      }),
    )
  } catch (error) {
    // undici says "fetch failed", and why in its cause.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    throw failed(messageOf(cause))
  }
  const { status, text } = reply
  const location = reply.headers.get('location')
  if (status === 404 || status === 409) return undefined
  if (status >= 300 && status <= 399 && location !== null)
    throw failed(
      `it redirects to ${location.replace(/\?.*/s, '').slice(0, 200)}: reports go to the address itself`,
    )
  if (status === 401) throw failed('it does not accept the token: see MONITOR_TOKEN, or tracking.token')
  if (status < 200 || status > 299) throw failed(`it answers ${status}: ${text.slice(0, 200)}`)
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    throw failed('its answer is not JSON: is this a run-archiver?')
  }
  if (typeof answer !== 'object' || answer === null)
    throw failed('its answer is not an object: is this a run-archiver?')
  return { ...answer }
}

/**
 * Writes rows through a service. A row that was written before changes nothing, so all of them may be sent again after an error. Rows that the
 * service will never take are handed to `onRefused`.
 */
export const openHttpStore = (
  place: ServicePlace,
  onRefused: (row: Row, error: Error) => void,
): TrackStore => {
  const asked = new Set<string>()
  const closed = new AbortController()
  const service = { ...place, until: closed.signal }
  const send = async (rows: readonly Row[], lines: readonly string[]): Promise<void> => {
    const answer = await sendToService(service, 'POST', '/reports', `{"rows":[${lines.join(',')}]}`)
    if (typeof answer?.['written'] !== 'number')
      throw new ArchiverError('LEDGER_UNAVAILABLE', `${place.url}: there is no run-archiver at this address`)
    const { refused, cancel_requested: cancelled } = answer
    for (const one of list(refused)) {
      const { row: at, why } = one as { readonly row?: unknown; readonly why?: unknown }
      const row = typeof at === 'number' ? rows[at] : undefined
      if (row) onRefused(row, new Error(String(why)))
    }
    for (const runId of list(cancelled)) asked.add(String(runId))
  }
  return {
    database: undefined,
    writeNow: undefined,
    write: async (rows) => {
      for (const { part, lines } of parts(rows)) await send(part, lines)
    },
    cancelAsked: (runId) => Promise.resolve(asked.has(runId)),
    giveUp: (why) => closed.abort(why),
    close: () => {
      // A request that goes on would keep the process alive.
      closed.abort(new Error('no answer in time'))
      return Promise.resolve()
    },
  }
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Rows in requests that a service takes, each with its lines. */
function* parts(
  rows: readonly Row[],
): Generator<{ readonly part: readonly Row[]; readonly lines: string[] }> {
  let part: Row[] = []
  let lines: string[] = []
  let size = 0
  for (const row of rows) {
    const line = JSON.stringify({ t: row.table, c: row.cells })
    if (part.length >= MOST_ROWS || (part.length > 0 && size + line.length > LARGEST_BODY)) {
      yield { part, lines }
      ;[part, lines, size] = [[], [], 0]
    }
    part.push(row)
    lines.push(line)
    size += line.length
  }
  if (part.length > 0) yield { part, lines }
}
