import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { LiveHub, Reader } from './live.ts'
import type { LogPiece, LogPlace } from './log-file.ts'
import { ReaderQueue } from './reader-queue.ts'

const HEARTBEAT = 15_000
/** Signs of life that a reader may leave untaken, one after the other, before its place is for another. */
const UNTAKEN_AT_MOST = 4

interface Reading {
  readonly path: string
  readonly mayAct: boolean
  readonly log: LogPlace | undefined
}

/**
 * The stream of one reader of `/events`. A reader that is behind misses what comes, and is sent the page as it is then when it has taken
 * what waited. One that takes nothing for a minute loses its connection.
 */
export const eventReply = (context: Context, hub: LiveHub, { path, mayAct, log }: Reading): Response => {
  // Nobody takes the body of a HEAD: its reader would stay for ever.
  if (context.req.method === 'HEAD')
    return context.body(null, 200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  return streamSSE(context, async (stream) => {
    let sequence = 0
    let place = log
    let leave: (() => void) | undefined
    const goOut = (): void => leave?.()
    const aborted = new Promise<void>((resolve) => stream.onAbort(resolve))
    const queue = new ReaderQueue({
      write: (text) => stream.write(text).catch(() => undefined),
      caughtUp: () => {
        goOut()
        if (!stream.aborted) leave = hub.enter({ ...reader, log: place })
      },
    })
    const reader: Reader = {
      path,
      mayAct,
      log,
      send: (event, data) => {
        if (queue.isBehind) return
        if (event === 'log') place = (data as LogPiece).place
        queue.send(`event: ${event}\ndata: ${JSON.stringify(data)}\nid: ${String(++sequence)}\n\n`)
      },
    }
    leave = hub.enter(reader)
    if (!leave) {
      await stream.writeSSE({ event: 'full', data: '{}' })
      return
    }
    let untaken = 0
    const heart = setInterval(() => {
      untaken = queue.isTaking() ? 0 : untaken + 1
      if (untaken >= UNTAKEN_AT_MOST) {
        stream.abort()
        connectionOf(context)?.destroy()
      } else queue.send(': alive\n\n')
    }, HEARTBEAT)
    try {
      await aborted
    } finally {
      clearInterval(heart)
      goOut()
    }
  })
}

/** The connection that a request came by: the stream alone leaves what was written to it already. */
const connectionOf = (context: Context): { destroy(): unknown } | undefined =>
  (context.env as { readonly outgoing?: { destroy(): unknown } }).outgoing
