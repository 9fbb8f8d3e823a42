import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from './ucon-server-faults.ts'

export interface Request {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  /** Epoch seconds. */
  readonly began: number
  readonly fault: Fault | undefined
  body(): Promise<Buffer>
}

/** A reply that ends the work on a request. Status 0: the connection is reset instead. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    text: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(text)
  }
}

export interface Target {
  readonly endpoint: string
  /** What follows the endpoint, as it is: not percent-decoded. */
  readonly pieces: readonly string[]
  readonly query: ReadonlyMap<string, string[]>
}

const OPEN_ENDPOINTS = ['version', 'probe', 'hello', 'index']
const DATA_ENDPOINTS = ['data', 'get', 'put']

/** Takes a path with its query apart, refusing the characters that the server refuses. */
export const parseTarget = (path: string): Target => {
  const [before = '', after = ''] = path.split(/\?(.*)/s)
  const [, endpoint = '', ...rest] = before.split('/')
  const query = new Map<string, string[]>()
  const add = (name: string, value: string): void => void query.set(name, [...(query.get(name) ?? []), value])
  for (const part of after.split('&').filter((text) => text !== '')) {
    const [name = '', value] = part.split(/=(.*)/s)
    if (value === undefined && DATA_ENDPOINTS.includes(endpoint)) throw new Error(`Invalid argument ${name}`)
    add(name, decodeURIComponent((value ?? '').replaceAll('+', ' ')))
  }
  if (!OPEN_ENDPOINTS.includes(endpoint)) {
    if (/[<>'\\|]/.test(rest.join('/'))) throw new Refusal(400, 'Invalid value for %28relpath%29')
    for (const [name, values] of query)
      if (values.some((value) => /[<>'\\|]/.test(value))) throw new Refusal(400, `Invalid value for ${name}`)
  }
  const pieces: string[] = []
  for (const piece of rest.filter((text) => text !== '')) {
    if (!DATA_ENDPOINTS.includes(endpoint)) continue
    if (/[<>'\\|;"]/.test(piece)) throw new Error('Invalid path element')
    const [name = '', value] = piece.split(/=(.*)/s)
    if (value === undefined) pieces.push(piece)
    else if (query.has(name)) throw new Error(`Value for ${name} specified twice in the URL`)
    else add(name, value)
  }
  if (pieces.length > 2) throw new Error('Value for object specified twice in the URL')
  if (DATA_ENDPOINTS.includes(endpoint) && [...query.values()].flat().some((value) => value.includes(';')))
    throw new Error('Invalid argument value')
  return { endpoint, pieces, query }
}

/** What is sent back: a status, headers and a body in pieces, bent by a fault. */
export class Reply {
  #status = 200
  #headers: Record<string, string> = {}
  #pieces: Iterable<string | Buffer> = []
  #length: number | undefined

  constructor(
    private readonly response: ServerResponse,
    private readonly fault: Fault | undefined,
    private readonly keepAlive: boolean,
    private readonly headOnly: boolean,
  ) {}

  text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): this {
    this.#status = status
    this.#headers = { 'Content-Type': 'text/html; charset=UTF-8', ...headers }
    this.#pieces = [body]
    this.#length = Buffer.byteLength(body)
    return this
  }

  json(body: string): this {
    return this.text(200, body, { 'Content-Type': 'text/json; charset=UTF-8' })
  }

  page(status: number, line: string): this {
    return this.text(status, `<html><body><h2>Error</h2>\n${line}\n</body></html>\n`)
  }

  /** The catch-all: HTML with the message, not escaped, and a traceback. */
  error(message: string): this {
    const trace = `<pre>Traceback (most recent call last):\n  File "server.py", line 1, in h\n</pre>`
    return this.text(
      500,
      `<html><body><h2>Application error</h2>\n<h3>${message}</h3>\n${trace}</body></html>`,
    )
  }

  /** Data and listings say no length: the end of the connection is their end. */
  stream(
    type: string,
    pieces: Iterable<string | Buffer>,
    headers: Readonly<Record<string, string>> = {},
  ): this {
    this.#headers = { 'Content-Type': type, 'X-Server-Application-Version': 'UConDB 3.9.7', ...headers }
    this.#pieces = pieces
    return this
  }

  async send(): Promise<void> {
    const { response, fault } = this
    const socket = response.socket
    if (!socket) return
    if (fault?.kind === 'raw' || fault?.kind === 'overrun') {
      socket.end(fault.kind === 'raw' ? fault.text : 'HTTP/1.1 503 Service unavailable\n\n')
      return
    }
    if (this.#status === 0) {
      socket.resetAndDestroy()
      return
    }
    if (fault?.kind === 'status') this.text(fault.status, fault.body ?? '', fault.headers)
    if (fault?.kind === 'error') this.error(fault.message)
    if (fault?.kind === 'stall' && fault.after === undefined) return
    if (this.keepAlive) this.#gather()
    response.useChunkedEncodingByDefault = false
    response.shouldKeepAlive = this.keepAlive && fault?.kind !== 'cut'
    const reason = this.#status === 500 ? 'Application Error' : undefined
    const length = this.#length === undefined ? {} : { 'Content-Length': String(this.#length) }
    response.writeHead(this.#status, ...(reason ? [reason] : []), {
      'X-WebPie-Request-Id': '1',
      ...length,
      ...this.#headers,
    } as never)
    if (!this.headOnly) await this.#write()
    if (fault?.kind !== 'stall') response.end()
  }

  #gather(): void {
    const body = Buffer.concat([...this.#pieces].map((piece) => Buffer.from(piece)))
    this.#pieces = [body]
    this.#length = body.length
  }

  async #write(): Promise<void> {
    const { response, fault } = this
    let left = fault?.kind === 'cut' || fault?.kind === 'stall' ? (fault.after ?? Infinity) : Infinity
    for (const piece of batched(this.#pieces)) {
      if (response.destroyed || left <= 0) return
      const bytes = piece.subarray(0, left)
      left -= bytes.length
      if (fault?.kind === 'trickle')
        for (const byte of bytes) {
          response.write(Buffer.of(byte))
          await sleep(fault.milliseconds)
        }
      else if (!response.write(bytes)) await drained(response)
    }
  }
}

/** Until a response takes more or is closed; listens for neither any longer then. */
const drained = async (response: ServerResponse): Promise<void> => {
  const either = new AbortController()
  const waits = ['drain', 'close'].map((event) => once(response, event, { signal: either.signal }))
  await Promise.race(waits).finally(() => either.abort())
  await Promise.allSettled(waits)
}

/** Pieces gathered to some 64 kB, so that a listing is not a system call for each version. */
function* batched(pieces: Iterable<string | Buffer>): Generator<Buffer> {
  let text = ''
  for (const piece of pieces) {
    if (typeof piece !== 'string') {
      yield piece
      continue
    }
    text += piece
    if (text.length < 65_536) continue
    yield Buffer.from(text)
    text = ''
  }
  if (text !== '') yield Buffer.from(text)
}
