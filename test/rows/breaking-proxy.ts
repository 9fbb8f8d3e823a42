import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy that lets a statement through to the server, and then breaks the connection, or goes silent, before its answer comes back. */
export class BreakingProxy {
  broken = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  /**
   * Breaks at the `nth` time that `word` is sent, in `longest` bytes at most. `arrives` false: the statement itself is lost as well.
   * `isSilent`: nothing is broken, and no byte passes over that connection any more.
   */
  static async before(
    port: number,
    word: string | RegExp,
    nth: number,
    arrives = true,
    longest = 100,
    isSilent = false,
  ): Promise<BreakingProxy> {
    let seen = 0
    const server = createServer((client) => {
      const upstream = connect(port, '127.0.0.1')
      let mute = false
      proxy.#sockets.add(client).add(upstream)
      client.on('data', (chunk) => {
        const text = chunk.toString('latin1')
        const isIt = typeof word === 'string' ? text.includes(word) : word.test(text)
        if (isIt && chunk.length < longest && ++seen === nth) {
          mute = true
          proxy.broken += 1
          if (arrives) upstream.write(chunk)
          if (!isSilent)
            setTimeout(() => {
              client.destroy()
              upstream.destroy()
            }, 200)
        }
        if (!mute) upstream.write(chunk)
      })
      upstream.on('data', (chunk) => {
        if (!mute) client.write(chunk)
      })
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const)
        one.on('close', () => other.destroy()).on('error', () => other.destroy())
    })
    const proxy = new BreakingProxy(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}
