import { sameRecord } from '../blob/blob.ts'
import { adler32 } from '../../../common/adler32.ts'
import { ArchiverError } from '../../../errors.ts'
import { sha256Of } from '../checksum-file.ts'
import type { Digest } from './blob-digest.ts'
import { Uncertain } from './network-errors.ts'
import type { Receipt, UconClient } from './client.ts'

export interface PutRequest {
  readonly run: number
  readonly key: string
  readonly blob: Buffer
  readonly verify: 'checksum' | 'content'
  /** Whether a key that holds another record may be taken from it; UconDB keeps the other, without a key. */
  readonly override: boolean
  /** How often the blob is sent at most. */
  readonly attempts: number
}

/** Waits before attempt `attempt + 1`, longer where the server said so (milliseconds). Rejects when the signal aborts. */
export type Pause = (attempt: number, retryAfter: number | undefined) => Promise<void>

/** Calls again what is safe to call again, until its outcome is certain or the attempts are used up. */
export const patiently = async <T>(attempts: number, pause: Pause, work: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Uncertain) || attempt >= attempts) throw error
      await pause(attempt, error.retryAfter)
    }
  }
}

/**
 * Puts a blob and proves that it is there (docs/ARCHITECTURE.md, "UconDB client", has the states). Whatever happens to a reply, what
 * counts is what the key holds afterwards. `present`: it held the same record already. Throws CONFLICT with both digests,
 * VERIFY_MISMATCH, and what the client throws. Safe to repeat after a crash anywhere in it.
 */
export const putVerified = async (
  client: Pick<UconClient, 'put' | 'fetch' | 'digest'>,
  request: PutRequest,
  pause: Pause,
  signal: AbortSignal,
): Promise<'stored' | 'present'> => {
  const { run, key, blob, attempts } = request
  // Before it is sent: what is compared later is what was given, whatever becomes of the buffer meanwhile.
  const given = { adler32: adler32(blob), sha256: request.verify === 'content' ? sha256Of(blob) : undefined }
  let lost = false
  let override = false
  for (let attempt = 1; ; attempt++) {
    const outcome = await client.put(key, `${run}`, blob, override, signal).catch(uncertain)
    if (typeof outcome === 'object' && !(outcome instanceof Uncertain)) {
      await prove(client, request, given, outcome, pause, signal)
      return 'stored'
    }
    lost ||= outcome !== 'taken'
    const held = await patiently(attempts, pause, () => client.fetch(key, signal))
    if (held && sameRecord(held, blob)) return lost && held.equals(blob) ? 'stored' : 'present'
    if (held && !request.override) throw conflict(request, held)
    const error = outcome === 'taken' ? notFound(request) : outcome
    if (attempt >= attempts + (request.override ? 1 : 0)) throw error
    if (held) override = true
    else await pause(attempt, error instanceof Uncertain ? error.retryAfter : undefined)
  }
}

/** Compares what the server received, and what it gives back, with what was sent. */
const prove = async (
  client: Pick<UconClient, 'fetch' | 'digest'>,
  { run, key, blob, verify, attempts }: PutRequest,
  given: { readonly adler32: number; readonly sha256: string | undefined },
  receipt: Receipt,
  pause: Pause,
  signal: AbortSignal,
): Promise<void> => {
  const mismatch = (detail: string): ArchiverError =>
    new ArchiverError(
      'VERIFY_MISMATCH',
      `key ${key}: sent were ${blob.length} bytes, sha256 ${given.sha256 ?? sha256Of(blob)}; ${detail}`,
      { run },
    )
  if (receipt.size !== blob.length || receipt.adler32 !== given.adler32)
    throw mismatch(
      `UconDB received ${receipt.size} bytes, Adler-32 ${receipt.adler32} instead of ${given.adler32}`,
    )
  if (verify === 'checksum') return
  const most = blob.length + MARGIN
  const held = await patiently(attempts, pause, () =>
    // A small one is fetched faster in whole.
    blob.length > LARGE ? client.digest(key, signal, most) : fetchDigest(client, key, signal, most),
  )
  if (!held) throw mismatch('UconDB said that it had stored them, and does not have the key')
  if (held.sha256 !== given.sha256) throw mismatch(`UconDB holds ${held.size} bytes, sha256 ${held.sha256}`)
}

/** Bytes from which what is read back is not there in whole beside what was sent. */
const LARGE = 1_000_000

const fetchDigest = async (
  client: Pick<UconClient, 'fetch'>,
  key: string,
  signal: AbortSignal,
  most: number,
): Promise<Digest | undefined> => {
  const held = await client.fetch(key, signal, { compared: true, most })
  return held && { size: held.length, sha256: sha256Of(held) }
}

/** How many bytes more than were sent are read back: enough to see that the blob is longer. */
const MARGIN = 65_536

const uncertain = (error: unknown): Uncertain => {
  if (error instanceof Uncertain) return error
  throw error
}

const conflict = ({ run, key, blob }: PutRequest, held: Buffer): ArchiverError =>
  new ArchiverError(
    'CONFLICT',
    `key ${key} holds another record: sha256 ${sha256Of(held)} (${held.length} bytes), ` +
      `to be stored was ${sha256Of(blob)} (${blob.length} bytes)`,
    {
      run,
      hint: `Compare them with "run-archiver diff ${run}". If the new one is right: "run-archiver --migrate-only --override-conflict ${run}".`,
    },
  )

/** UconDB holds rows that are marked as deleted: their keys are taken, and may not be found. */
const notFound = ({ run, key }: PutRequest): ArchiverError =>
  new ArchiverError('STORE_REFUSED', `UconDB says that key ${key} is taken, and does not find it`, {
    run,
    doubtful: true,
    hint: 'Its administrator can see whether a version of this key is marked as deleted.',
  })
