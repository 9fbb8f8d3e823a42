import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { backoff } from '../../../common/backoff.ts'
import type { Listing, Archive } from '../../store.ts'
import { RunSet } from '../../../common/run-set.ts'
import type { Secret } from '../../../common/secret.ts'
import { runOfBlob } from '../blob/blob.ts'
import { ArchiverError } from '../../../errors.ts'
import { sha256Of } from '../checksum-file.ts'
import { DigestSession } from './digest-auth.ts'
import { Transport } from './http.ts'
import { checkedName, keyOf, KeyTally } from '../keys.ts'
import { Uncertain } from './network-errors.ts'
import { type Pause, patiently, putVerified } from './verified-put.ts'
import { newestUpdate } from './newest-update.ts'
import { UconClient } from './client.ts'

export interface UconArchiveOptions {
  /** `https://host:port/instance/app`. */
  readonly serverUrl: string
  readonly folder: string
  readonly object: string
  readonly user?: string | undefined
  readonly password?: Secret | undefined
  /** What counts as proof of a put: the checksum of what the server received, or the blob as it is read back. */
  readonly verify: 'checksum' | 'content'
  /** The longest silence of the server, and the longest time to connect, milliseconds. */
  readonly timeoutMs: number
  /** The longest time for one request, milliseconds; more for large blobs. Ten times the silence, at least a minute, unless set. */
  readonly totalTimeoutMs?: number
  /** At the same time. The server has five workers for everybody. */
  readonly connections: number
  /** Certificates (PEM text) that are trusted besides the usual ones. */
  readonly ca?: string | undefined
  /** The environment's NODE_TLS_REJECT_UNAUTHORIZED. */
  readonly tlsRejectUnauthorized?: string | undefined
  /** The one run whose key may be taken from another record. UconDB keeps that record, without a key. */
  readonly overrideConflict?: number | undefined
  /** Whether runs are known to have been archived here: then an empty object is an error. */
  readonly expectExisting?: boolean
  /** Ends listings and fingerprints, which take no signal of their own: there is nothing in hand when one is made. */
  readonly stop?: AbortSignal | undefined
  /** Attempts of one call whose outcome is not known; 3 unless set. */
  readonly attempts?: number
  /** Before the second attempt, milliseconds; 500 unless set, doubled for the third. */
  readonly retryDelayMs?: number
  /** The largest blob that is fetched, bytes. */
  readonly largestBlob?: number
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number
  /** 0 ≤ x < 1. */
  readonly random: () => number
}

/** A version's record time is when its upload began: uploads that ended meanwhile may be older than the newest, seconds. */
const LONGEST_UPLOAD = 600

/** The archive as an object of a UconDB web service: what `https://host:port/instance/app` names. */
export class UconArchive implements Archive {
  readonly #options: UconArchiveOptions
  readonly #transport: Transport
  readonly #client: UconClient
  #checked: Promise<void> | undefined
  #expected: boolean

  /** Connects to nothing. Throws CONFIG_INVALID. */
  constructor(options: UconArchiveOptions) {
    const { timeoutMs, user, password, ca } = options
    this.#options = options
    this.#expected = options.expectExisting ?? false
    this.#transport = new Transport({
      serverUrl: options.serverUrl,
      deadlines: {
        connect: timeoutMs,
        idle: timeoutMs,
        total: options.totalTimeoutMs ?? Math.max(60_000, timeoutMs * 10),
      },
      connections: options.connections,
      tlsRejectUnauthorized: options.tlsRejectUnauthorized,
      ...(ca === undefined ? {} : { ca }),
    })
    const cnonce = (): string => randomBytes(8).toString('hex')
    this.#client = new UconClient({
      transport: this.#transport,
      folder: checkedName('ucon_db.folder_name', options.folder),
      object: checkedName('ucon_db.object_name', options.object),
      session:
        user === undefined || password === undefined ? undefined : new DigestSession(user, password, cnonce),
      now: options.now,
      largestBlob: options.largestBlob ?? 1_073_741_824,
    })
  }

  /** All versions of the object. Versions without a key are none of ours. */
  async list(): Promise<Listing> {
    const { tally, isEmpty } = await this.#untilStopped(async (signal) => {
      const tally = new KeyTally()
      let isEmpty = true
      await this.#client.list(
        undefined,
        (versions) => {
          for (const { key } of versions) if (key !== null) tally.add(key)
          isEmpty &&= versions.length === 0
        },
        signal,
      )
      return { tally, isEmpty }
    })
    if (!isEmpty) this.#expected = true
    else if (this.#expected) throw this.#emptied()
    return tally.listing()
  }

  async unlisted(wanted: ReadonlyMap<number, number>): Promise<RunSet> {
    const runs = new Map([...wanted].map(([run, update]) => [keyOf(run, update), run]))
    const taken = await this.#untilStopped((signal) => this.#client.taken([...runs.keys()], signal))
    return RunSet.of([...runs].filter(([key]) => taken.has(key)).map(([, run]) => run))
  }

  async put(run: number, update: number, blob: Buffer, signal: AbortSignal): Promise<'stored' | 'present'> {
    await this.#check(signal)
    const { verify, overrideConflict } = this.#options
    const request = { run, key: keyOf(run, update), blob, verify, override: overrideConflict === run }
    try {
      const attempts = this.#attempts
      const result = await putVerified(this.#client, { ...request, attempts }, this.#pause(signal), signal)
      this.#expected = true
      return result
    } catch (error) {
      throw error instanceof Uncertain && error.answered ? await this.#blame(run, error, signal) : error
    }
  }

  async get(run: number, update: number | 'newest', signal: AbortSignal): Promise<Buffer> {
    return this.#patiently(signal, async () => {
      const key = keyOf(run, update === 'newest' ? await newestUpdate(this.#client, run, signal) : update)
      const blob = await this.#client.fetch(key, signal)
      if (!blob) throw new ArchiverError('NOT_FOUND', `the archive has no key ${key}`, { run })
      const named = runOfBlob(blob)
      if (named !== undefined && named !== run)
        throw new ArchiverError('STORE_CORRUPT', `key ${key} holds the blob of run ${named}`, { run })
      return blob
    })
  }

  /** Two calls: what is newest, and what was stored around it. */
  async fingerprint(): Promise<string | undefined> {
    return this.#untilStopped(async (signal) => {
      const newest = await this.#client.newest(signal)
      if (!newest) return 'empty'
      const around: string[] = []
      await this.#client.list(
        newest.tr - LONGEST_UPLOAD,
        (versions) => around.push(...versions.map(({ key, tr }) => `${key ?? ''}@${tr}`)),
        signal,
      )
      return sha256Of(Buffer.from(`${newest.id} ${around.sort().join(' ')}`))
    })
  }

  /** One try: the server answers, has its database, and takes our writes. */
  async probe(signal: AbortSignal): Promise<void> {
    await this.#client.check(signal)
  }

  /** Closes the connections. What is under way then fails. */
  async close(): Promise<void> {
    await this.#transport.close()
  }

  /** Before the first put: no blob is sent to a server that would not take it. */
  async #check(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#checked ??= this.#patiently(signal, () => this.#client.check(signal))
    await this.#checked.catch((error: unknown) => {
      this.#checked = undefined
      throw error
    })
  }

  /**
   * UconDB has one answer, 500, for bad luck of every kind. When it is well otherwise, the blob may be to blame: the next runs show it, so that one
   * bad run does not block the rest.
   */
  async #blame(run: number, error: Uncertain, signal: AbortSignal): Promise<ArchiverError> {
    await this.#client.check(signal)
    const hint = 'The server takes other requests; its log says more.'
    return new ArchiverError('STORE_REFUSED', error.message, { cause: error, run, hint, doubtful: true })
  }

  #emptied(): ArchiverError {
    const { object, folder } = this.#options
    const hint =
      'Check folder_name and object_name. Where the archive is to begin anew, move migrator_state.json away.'
    return new ArchiverError(
      'STORE_UNAVAILABLE',
      `object ${object} of folder ${folder} holds nothing, and runs were archived in it`,
      { hint },
    )
  }

  get #attempts(): number {
    return this.#options.attempts ?? 3
  }

  #patiently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return patiently(this.#attempts, this.#pause(signal), work)
  }

  /** Throws INTERRUPTED at the stop. */
  async #untilStopped<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { stop = new AbortController().signal } = this.#options
    try {
      return await this.#patiently(stop, () => work(stop))
    } catch (error) {
      if (!stop.aborted) throw error
      const message = `${String(stop.reason)}: the listing of UconDB was not waited for`
      throw new ArchiverError('INTERRUPTED', message, { cause: error })
    }
  }

  #pause(signal: AbortSignal): Pause {
    const { retryDelayMs = 500, random } = this.#options
    return (attempt, retryAfter = 0) =>
      sleep(Math.max(backoff(attempt, retryDelayMs, random), retryAfter), undefined, { signal })
  }
}
