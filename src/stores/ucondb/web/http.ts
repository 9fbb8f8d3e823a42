import { X509Certificate } from 'node:crypto'
import type { Readable } from 'node:stream'
import { rootCertificates } from 'node:tls'
import { type Dispatcher, Pool } from 'undici'
import { ArchiverError } from '../../../errors.ts'
import { Deadline } from './deadline.ts'
import { gather, type HttpReply, timeFor } from './request.ts'
import { networkError, oversized } from './network-errors.ts'
import { Slots } from './semaphore.ts'

/** How long is waited, in milliseconds. */
export interface Deadlines {
  readonly connect: number
  /** The longest silence of the server. */
  readonly idle: number
  /** From the first byte of a request to the last of its reply; bytes that are sent or fetched add to it. */
  readonly total: number
}

export interface TransportOptions {
  /** `https://host:port/prefix`; paths of requests are put behind it. */
  readonly serverUrl: string
  readonly deadlines: Deadlines
  /** Certificates (PEM) that are trusted besides the usual ones. */
  readonly ca?: string
  readonly connections: number
  /** The value of NODE_TLS_REJECT_UNAUTHORIZED: `0` is refused, because it would switch every check off. */
  readonly tlsRejectUnauthorized?: string | undefined
}

export interface Call {
  readonly method: 'GET' | 'POST'
  /** Behind the prefix, with the query. */
  readonly path: string
  readonly body?: Buffer
  /** Made when the connection is free, so that a nonce's counts arrive in order. */
  readonly authorization?: (uri: string) => string | undefined
  /** The most bytes that the reply's body may have. */
  readonly limit: number
  /** The same where the reply's headers say more of it. */
  readonly limitOf?: (headers: HttpReply['headers']) => number
  /** Milliseconds in place of the usual total deadline. */
  readonly total?: number
}

export interface HttpStream extends Omit<HttpReply, 'body'> {
  readonly body: AsyncIterable<Buffer>
}

/**
 * Speaks HTTP with one server: its origin and no other, whatever it answers. Redirects are not followed, compressed replies
 * not taken, bodies not longer than was said, certificates verified, TLS at least 1.2. Every wait has an end.
 * Network errors come out as `Uncertain` (the request may have been carried out) or STORE_UNAVAILABLE.
 */
export class Transport {
  readonly #pool: Pool
  readonly #prefix: string
  readonly #origin: string
  readonly #deadlines: Deadlines
  readonly #slots: Slots

  constructor(options: TransportOptions) {
    const url = new URL(options.serverUrl)
    if (options.tlsRejectUnauthorized === '0')
      throw new ArchiverError('CONFIG_INVALID', 'NODE_TLS_REJECT_UNAUTHORIZED=0 would accept any server', {
        hint: 'Unset it. A certificate of your own is trusted by naming it in ucon_db.ca_file.',
      })
    this.#prefix = url.pathname.replace(/\/+$/, '')
    this.#origin = url.origin
    this.#deadlines = options.deadlines
    this.#slots = new Slots(options.connections)
    const { connect, idle } = options.deadlines
    this.#pool = new Pool(url.origin, {
      connections: options.connections,
      pipelining: 1,
      headersTimeout: idle,
      bodyTimeout: idle,
      connect: {
        timeout: connect,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
        ...(options.ca === undefined ? {} : { ca: trusted(options.ca) }),
      },
    })
  }

  get origin(): string {
    return this.#origin
  }

  /** One request, its reply whole. */
  async call(call: Call, signal: AbortSignal): Promise<HttpReply> {
    return this.#during(call, signal, async (deadline) => {
      const reply = await gather(
        this.#pool,
        this.#request(call),
        (headers) => call.limitOf?.(headers) ?? call.limit,
        deadline,
      )
      refuseCompressed(reply.headers)
      return reply
    })
  }

  /** One request, its reply given to `read` as it arrives. The connection is freed when `read` has returned. */
  async stream<T>(call: Call, signal: AbortSignal, read: (reply: HttpStream) => Promise<T>): Promise<T> {
    return this.#during(call, signal, async (deadline) => {
      const controller = new AbortController()
      deadline.onEnd((reason) => controller.abort(reason))
      const request = { ...this.#request(call), signal: controller.signal }
      const { statusCode: status, headers, body } = await this.#pool.request(request)
      body.on('error', () => undefined) // whoever reads it gets the error; nobody may be reading
      try {
        refuseCompressed(headers)
        return await read({
          status,
          headers,
          body: limited(body, call.limitOf?.(headers) ?? call.limit, deadline),
        })
      } finally {
        body.destroy()
      }
    })
  }

  /** Closes every connection at once. */
  async close(): Promise<void> {
    await this.#pool.destroy()
  }

  async #during<T>(call: Call, signal: AbortSignal, work: (deadline: Deadline) => Promise<T>): Promise<T> {
    return this.#slots.run(async () => {
      signal.throwIfAborted() // it may have waited for its turn; a signal that has aborted calls no listener again
      const total = call.total ?? this.#deadlines.total + timeFor(call.body?.length ?? 0)
      const deadline = new Deadline(signal, total)
      try {
        return await work(deadline)
      } catch (error) {
        signal.throwIfAborted()
        throw networkError(deadline.reason ?? error, this.#origin)
      } finally {
        deadline.clear()
      }
    })
  }

  #request({ method, path, body, authorization }: Call): Dispatcher.DispatchOptions {
    const uri = `${this.#prefix}${path}`
    const signed = authorization?.(uri)
    return {
      method,
      path: uri,
      // With a Buffer, undici sends Content-Length; a chunked body UconDB would store as an empty one.
      body: body ?? null,
      headers: { accept: '*/*', ...(signed === undefined ? {} : { authorization: signed }) },
      headersTimeout: this.#deadlines.idle + timeFor(body?.length ?? 0),
    }
  }
}

const refuseCompressed = ({ 'content-encoding': encoding = 'identity' }: HttpReply['headers']): void => {
  if (encoding !== 'identity') throw new SyntaxError(`the reply is compressed (${String(encoding)}), unasked`)
}

async function* limited(body: Readable, limit: number, deadline: Deadline): AsyncGenerator<Buffer> {
  let size = 0
  for await (const part of body as AsyncIterable<Buffer>) {
    size += part.length
    if (size > limit) throw oversized(limit)
    deadline.extend(timeFor(part.length))
    yield part
  }
}

/** The usual certificates and these. Throws CONFIG_INVALID where they are none. */
const trusted = (ca: string): string[] => {
  try {
    const certificates = ca.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g)
    if (!certificates) throw new Error('there is no "BEGIN CERTIFICATE" in it')
    for (const certificate of certificates) new X509Certificate(certificate)
    return [...rootCertificates, ca]
  } catch (cause) {
    throw new ArchiverError('CONFIG_INVALID', 'ucon_db.ca_file holds no certificates in PEM', { cause })
  }
}
