import { adler32 } from '../../../common/adler32.ts'
import { type Digest, digestOf } from './blob-digest.ts'
import { ArchiverError } from '../../../errors.ts'
import { challengeIn, type DigestSession } from './digest-auth.ts'
import { blobLimit, type HttpReply } from './request.ts'
import type { Call, Transport } from './http.ts'
import { keysIn, lookupOf } from './lookup.ts'
import { Uncertain } from './network-errors.ts'
import {
  lookAlike,
  messageIn,
  passwordAsked,
  refusal,
  saysEmptyObject,
  saysNoVersion,
  saysTaken,
  startOf,
  sumOf,
} from './error-replies.ts'
import { type ListedVersion, versionsIn } from './version-list-parser.ts'

export interface UconClientOptions {
  readonly transport: Transport
  readonly folder: string
  readonly object: string
  /** Undefined where the site's server asks for no password. */
  readonly session: DigestSession | undefined
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number
  /** The largest blob that is fetched, bytes. */
  readonly largestBlob: number
}

/** What UconDB says it received: proof of the transport, not of the content (Adler-32 is weak). */
export interface Receipt {
  readonly size: number
  readonly adler32: number
}

/** Bytes of a reply that is text: an error page, a version's metadata. */
const TEXT_LIMIT = 1_000_000
/** Bytes of a listing: twenty million versions. */
const LISTING_LIMIT = 4_000_000_000
const LISTING_DEADLINE = 3_600_000
/** How often a password is tried again that was refused without a reason: some front ends lose a header now and then. */
const REFUSED_TRIES = 3

/**
 * The calls of the UconDB web service that an archive needs (docs/ARCHITECTURE.md, "UconDB client"), one object in one
 * folder. No status alone is taken for success: replies are checked for what UconDB would have said. Outcomes that are
 * not known are thrown as `Uncertain`, all others as what they are.
 */
export class UconClient {
  readonly #transport: Transport
  readonly #session: DigestSession | undefined
  readonly #now: () => number
  readonly #largestBlob: number
  readonly #data: string
  readonly #versions: string

  constructor({ transport, folder, object, session, now, largestBlob }: UconClientOptions) {
    this.#transport = transport
    this.#session = session
    this.#now = now
    this.#largestBlob = largestBlob
    this.#data = `/data/${folder}/${object}`
    this.#versions = `/versions?folder=${encodeURIComponent(folder)}&object=${encodeURIComponent(object)}`
  }

  /**
   * Whether the server is UconDB, has its database, and takes our writes; changes nothing. The last is asked by a put that
   * cannot succeed, `tv=probe`: only after folder and password were accepted does the server look at `tv`.
   */
  async check(signal: AbortSignal): Promise<void> {
    const version = await this.#read('/version', signal)
    if (version.status !== 200 || !/^\s*\d+\.\d/.test(version.body.toString('utf8')))
      throw this.#strange(version, 'asking for its version')
    const probe = await this.#read('/probe', signal)
    if (probe.status !== 200 || messageIn(probe) !== 'OK')
      throw probe.status === 200
        ? new Uncertain(`UconDB cannot reach its database: ${messageIn(probe)}`)
        : this.#strange(probe, 'asking whether its database is there')
    await this.checkWriting(signal)
  }

  /** The last of these: folder and password. Also gets the challenge, so that no blob is sent for nothing. */
  async checkWriting(signal: AbortSignal): Promise<void> {
    const reply = await this.#write(`${this.#data}?tv=probe`, Buffer.alloc(0), signal)
    if (reply.status === 500 && messageIn(reply).includes('could not convert string to float')) return
    throw this.#strange(reply, 'trying whether it takes a put')
  }

  /** All versions, or those recorded after a time (epoch seconds); batches in the server's order. None where the object is new. */
  async list(
    since: number | undefined,
    each: (versions: readonly ListedVersion[]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const path = since === undefined ? this.#versions : `${this.#versions}&tr_since=${since.toFixed(6)}`
    const call: Call = { method: 'GET', path, limit: LISTING_LIMIT, total: LISTING_DEADLINE }
    await this.#transport.stream(call, signal, async ({ status, headers, body }) => {
      if (status === 200) {
        for await (const versions of versionsIn(body)) each(versions)
        return
      }
      const reply = { status, headers, body: await startOf(body, TEXT_LIMIT) }
      if (!saysEmptyObject(reply)) throw this.#strange(reply, 'listing its versions')
    })
  }

  /** The newest version's id and record time (epoch seconds); undefined where the object is new. */
  async newest(signal: AbortSignal): Promise<{ id: number; tr: number } | undefined> {
    const reply = await this.#read(`${this.#data}?meta_only=yes`, signal)
    if (saysNoVersion(reply)) return undefined
    const { id, tr } = this.#metadata(reply, 'asking for its newest version')
    if (typeof id !== 'number' || typeof tr !== 'number')
      throw lookAlike(reply, 'asking for its newest version')
    return { id, tr }
  }

  /**
   * Puts a blob under a new key. `taken`: the key was there, with whatever content. Throws `Uncertain` when the reply was
   * lost, or is none that UconDB gives: then the blob may have been stored.
   */
  async put(
    key: string,
    tag: string,
    blob: Buffer,
    override: boolean,
    signal: AbortSignal,
  ): Promise<Receipt | 'taken'> {
    const query = `full_meta=yes&tag=${encodeURIComponent(tag)}&key=${encodeURIComponent(key)}`
    const path = `${this.#data}?${query}&override=${override ? 'yes' : 'no'}`
    const reply = await this.#write(path, blob, signal)
    if (saysTaken(reply)) return 'taken'
    const { key: stored, data_size: size, uadler32 } = this.#metadata(reply, `storing key ${key}`)
    if (stored !== key || typeof size !== 'number' || typeof uadler32 !== 'number')
      throw lookAlike(reply, `storing key ${key}`)
    return { size, adler32: uadler32 }
  }

  /**
   * A key's blob, whole: its length and checksum are those of its own reply. Undefined where the key is not there. Throws
   * `Uncertain` for a cut or foreign reply, STORE_CORRUPT where the bytes are all there and their checksum is another (which
   * is left out for who compares them with a better one).
   */
  async fetch(
    key: string,
    signal: AbortSignal,
    { compared = false, most = this.#largestBlob } = {},
  ): Promise<Buffer | undefined> {
    const doing = fetching(key)
    const reply = await this.#transport.call(this.#fetchOf(key, most), signal)
    if (saysNoVersion(reply)) return undefined
    if (reply.status !== 200) throw this.#strange(reply, doing)
    const { body } = reply
    const sum = sumOf(reply, body.length, doing)
    if (!compared && adler32(body) !== sum)
      throw new ArchiverError(
        'STORE_CORRUPT',
        `UconDB: ${doing}: Adler-32 is ${adler32(body)}, the server's is ${sum}`,
      )
    return body
  }

  /** Size and sha256 of a key's blob, which is never there in whole; else as `fetch`. */
  async digest(key: string, signal: AbortSignal, most: number): Promise<Digest | undefined> {
    const doing = fetching(key)
    return this.#transport.stream(this.#fetchOf(key, most), signal, async ({ status, headers, body }) => {
      if (status !== 200 || headers['x-ucondb-data-size'] === undefined) {
        const reply = { status, headers, body: await startOf(body, TEXT_LIMIT) }
        if (saysNoVersion(reply)) return undefined
        throw this.#strange(reply, doing)
      }
      const found = await digestOf(body)
      sumOf({ status, headers, body: NOTHING }, found.size, doing)
      return found
    })
  }

  #fetchOf(key: string, most: number): Call {
    return {
      method: 'GET',
      path: `${this.#data}?key=${encodeURIComponent(key)}`,
      limit: TEXT_LIMIT,
      limitOf: (headers) => blobLimit(headers['x-ucondb-data-size'], most, TEXT_LIMIT),
    }
  }

  /** Whether a key is there, without its blob. */
  async has(key: string, signal: AbortSignal): Promise<boolean> {
    const reply = await this.#read(`${this.#data}?key=${encodeURIComponent(key)}&meta_only=yes`, signal)
    if (saysNoVersion(reply)) return false
    return this.#metadata(reply, `looking for key ${key}`)['key'] === key
  }

  /** Of these keys, those that are taken, by versions that are marked as deleted too. Some may be left out (`keysIn`). */
  async taken(keys: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>> {
    return keysIn(await this.#transport.call(lookupOf(this.#versions, keys), signal), keys)
  }

  #read(path: string, signal: AbortSignal): Promise<HttpReply> {
    return this.#transport.call({ method: 'GET', path, limit: TEXT_LIMIT }, signal)
  }

  /** Sends a body with the authorization that was asked for; answers a fresh challenge. Throws when the password is refused. */
  async #write(path: string, body: Buffer, signal: AbortSignal): Promise<HttpReply> {
    for (let tries = 1; ; tries++) {
      let signed = false
      const authorization = (uri: string): string | undefined => {
        const header = this.#session?.authorization('POST', uri)
        signed = header !== undefined
        return header
      }
      const reply = await this.#transport.call(
        { method: 'POST', path, body, authorization, limit: TEXT_LIMIT },
        signal,
      )
      if (reply.status !== 401) return reply
      const challenge = challengeIn(reply.headers['www-authenticate'])
      if (challenge) this.#session?.accept(challenge)
      else this.#session?.refused()
      if (!(challenge ?? signed) || !this.#session || tries >= REFUSED_TRIES)
        throw this.#session ? refusal(reply, 'signing in', this.#now()) : passwordAsked()
    }
  }

  #metadata(reply: HttpReply, doing: string): Record<string, unknown> {
    if (reply.status !== 200) throw this.#strange(reply, doing)
    try {
      const parsed: unknown = JSON.parse(reply.body.toString('utf8'))
      if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>
    } catch {
      // reported below
    }
    throw lookAlike(reply, doing)
  }

  #strange(reply: HttpReply, doing: string): ArchiverError {
    return reply.status >= 200 && reply.status < 300
      ? lookAlike(reply, doing)
      : refusal(reply, doing, this.#now())
  }
}

const NOTHING = Buffer.alloc(0)

const fetching = (key: string): string => `fetching key ${key}`
