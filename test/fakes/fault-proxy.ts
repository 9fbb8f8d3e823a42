import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** What happens to the next connections, on the wire. */
export type WireFault =
  | { readonly kind: 'none' }
  /** Reset as soon as it is made. */
  | { readonly kind: 'refuse' }
  /** Accepted, and never answered. */
  | { readonly kind: 'silence' }
  /** Reset after so many bytes of the request went through. */
  | { readonly kind: 'reset upload'; readonly after: number }
  /** Reset, or closed as if all were well, after so many bytes of the reply went through; 0: none of it. */
  | { readonly kind: 'reset reply' | 'close reply'; readonly after: number }
  /** Everything arrives so much later, milliseconds. */
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** Replies go through no faster than so. */
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** This, whatever is asked, and the connection is closed. */
  | { readonly kind: 'answer'; readonly text: string }

/** A TCP proxy before a server, for what happens to connections rather than to requests. */
export class FaultProxy {
  /** How many connections were made. */
  connections = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #faults: WireFault[] = []
  #always: WireFault = { kind: 'none' }

  private constructor(private readonly behind: number) {
    this.#server = createServer((client) => this.#connected(client))
  }

  static async before(server: { readonly port: number }, address = '127.0.0.1'): Promise<FaultProxy> {
    const proxy = new FaultProxy(server.port)
    await new Promise<void>((resolve) => proxy.#server.listen(0, address, resolve))
    return proxy
  }

  /** Where the proxy stands in for a server at `url`. */
  urlFor(server: { readonly url: string }): string {
    const url = new URL(server.url)
    url.port = String(this.port)
    return url.href
  }

  /** Befalls the next connection; several calls, the next several in this order. */
  next(...faults: readonly WireFault[]): void {
    this.#faults.push(...faults)
  }

  /** Befalls every connection from here on that nothing else befalls. */
  always(fault: WireFault): void {
    this.#always = fault
  }

  /** Resets every connection that is open. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** No byte of an open connection passes for so long, milliseconds: nobody is told. */
  async freeze(milliseconds: number): Promise<void> {
    const frozen = [...this.#sockets]
    for (const socket of frozen) socket.pause()
    await new Promise((resolve) => setTimeout(resolve, milliseconds))
    for (const socket of frozen) socket.resume()
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #connected(client: Socket): void {
    this.connections++
    this.#keep(client)
    const fault = this.#faults.shift() ?? this.#always
    switch (fault.kind) {
      case 'refuse':
        client.resetAndDestroy()
        return
      case 'silence':
        client.resume()
        return
      case 'answer':
        client.once('data', () => client.end(fault.text))
        return
      default:
        this.#forward(client, fault)
    }
  }

  #forward(client: Socket, fault: WireFault): void {
    const server = this.#keep(connect(this.behind, '127.0.0.1'))
    const delay = fault.kind === 'delay' ? fault.milliseconds : 0
    let up = 0
    let down = 0
    const began = performance.now()
    // Timers that are due in the same millisecond may go off in any order: each gives what stands first in the line.
    const line: (() => void)[] = []
    const due = (bytes: number): number =>
      fault.kind === 'slow'
        ? Math.max(1, began + (bytes / fault.bytesPerSecond) * 1000 - performance.now())
        : delay
    client.on('data', (bytes) => {
      const room = fault.kind === 'reset upload' ? fault.after - up : Infinity
      up += bytes.length
      later(delay, () => server.write(bytes.subarray(0, room)))
      if (bytes.length >= room) later(5, () => (client.resetAndDestroy(), server.resetAndDestroy()))
    })
    server.on('data', (bytes) => {
      if (fault.kind === 'slow') {
        down += bytes.length
        line.push(() => client.write(bytes))
        later(due(down), () => line.shift()?.())
        return
      }
      const cut = fault.kind === 'reset reply' || fault.kind === 'close reply'
      const room = cut ? fault.after - down : Infinity
      down += bytes.length
      if (bytes.length < room) later(delay, () => client.write(bytes))
      else if (fault.kind === 'close reply') client.end(bytes.subarray(0, room))
      else client.write(bytes.subarray(0, room), () => client.resetAndDestroy())
    })
    client.on('end', () => server.end()).on('close', () => server.destroy())
    server.on('end', () => {
      line.push(() => client.end())
      later(due(down), () => line.shift()?.())
    })
    server.on('close', (failed) => failed && client.resetAndDestroy())
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket)
    return socket.on('close', () => this.#sockets.delete(socket)).on('error', () => undefined)
  }
}

const later = (milliseconds: number, work: () => unknown): void => {
  if (milliseconds === 0) work()
  else setTimeout(work, milliseconds)
}
