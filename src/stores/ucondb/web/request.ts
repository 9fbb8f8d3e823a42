import type { Dispatcher } from 'undici'
import type { Deadline } from './deadline.ts'
import { oversized } from './network-errors.ts'
import { ReplyBody } from './reply-body.ts'

export interface HttpReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** The slowest link that is waited for, bytes a second: what is sent or fetched adds so much to the time that a request is given. */
const SLOWEST = 100_000

/** How long so many bytes may take, milliseconds. */
export const timeFor = (bytes: number): number => (bytes / SLOWEST) * 1000

/** What a reply may have beyond what its server says that it sends. */
const MARGIN = 65_536

/** The most bytes that are read of a blob's body: what the server says that it sends and a margin, never more than `most`; a message's where it says nothing. */
export const blobLimit = (declared: unknown, most: number, message: number): number => {
  const size = typeof declared === 'string' && /^\d+$/.test(declared) ? Number(declared) + MARGIN : message
  return Math.min(most, size)
}

/**
 * Sends one request and gathers its reply, of which the body may have `limitOf` bytes. Rejects with whatever undici says, or the
 * deadline's reason. (`request` of undici would make a stream of the reply, which costs more than a put of 60 kB.)
 */
export const gather = (
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  limitOf: (headers: HttpReply['headers']) => number,
  deadline: Deadline,
): Promise<HttpReply> =>
  new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined
    let status = 0
    let headers: HttpReply['headers'] = {}
    let reply = new ReplyBody(undefined, 0)
    let limit = 0
    let left = 0
    deadline.onEnd((reason) => {
      controller?.abort(reason)
      reject(reason)
    })
    dispatcher.dispatch(options, {
      onRequestStart: (given) => {
        controller = given
        if (deadline.reason) given.abort(deadline.reason) // it was waiting for its connection when it ended
      },
      onResponseStart: (_controller, code, found) => {
        status = code
        headers = found
        left = limit = limitOf(found)
        reply = new ReplyBody(found['x-ucondb-data-size'] ?? found['content-length'], limit)
      },
      onResponseData: (given, part) => {
        left -= part.length
        if (left < 0) given.abort(oversized(limit))
        else {
          reply.add(part)
          deadline.extend(timeFor(part.length))
        }
      },
      onResponseEnd: () => resolve({ status, headers, body: reply.whole() }),
      onResponseError: (_controller, error) => reject(error),
    })
  })
