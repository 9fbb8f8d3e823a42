import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/** What connections carry, and that of them which is counted. */
type Counted = Pick<Socket, 'bytesRead' | 'bytesWritten' | 'once' | 'destroyed'>

/** What went over the HTTP and SQL connections of this process so far, and how many of them go to a database now. */
export interface NetworkCounters {
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly databases: number
}

const open = new Map<Counted, 'http' | 'database'>()
let [received, sent] = [0, 0]

/** Counts all bytes of a connection until it ends. Whoever opens one calls this; a second call changes nothing. */
export const countConnection = (socket: Counted | undefined, to: 'http' | 'database'): void => {
  if (!socket || socket.destroyed || open.has(socket)) return
  open.set(socket, to)
  socket.once('close', () => {
    open.delete(socket)
    received += socket.bytesRead
    sent += socket.bytesWritten
  })
}

export const networkCounters = (): NetworkCounters => {
  let [receivedBytes, sentBytes, databases] = [received, sent, 0]
  for (const [socket, to] of open) {
    receivedBytes += socket.bytesRead
    sentBytes += socket.bytesWritten
    if (to === 'database') databases += 1
  }
  return { receivedBytes, sentBytes, databases }
}

// undici, and Node's fetch which is made of it, name each connection here.
subscribe('undici:client:connected', (message) => {
  if (typeof message === 'object' && message !== null && 'socket' in message)
    countConnection(message.socket as Counted, 'http')
})
