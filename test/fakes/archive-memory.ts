import { sameRecord } from '../../src/stores/ucondb/blob/blob.ts'
import type { Listing, Archive } from '../../src/stores/store.ts'
import { ArchiverError } from '../../src/errors.ts'
import { sha256Of } from '../../src/stores/ucondb/checksum-file.ts'
import { KeyTally, keyOf } from '../../src/stores/ucondb/keys.ts'

/** An archive that forgets. It passes the suite of all archives, so that tests of stages and commands may trust it. */
export class MemoryArchive implements Archive {
  readonly blobs = new Map<string, Buffer>()
  /** Set to make every call fail as it does when a server is gone. */
  unavailable = false

  async list(): Promise<Listing> {
    await this.#answer()
    const tally = new KeyTally()
    for (const key of this.blobs.keys()) tally.add(key)
    return tally.listing()
  }

  async put(run: number, update: number, blob: Buffer, signal: AbortSignal): Promise<'stored' | 'present'> {
    signal.throwIfAborted()
    await this.#answer()
    const held = this.blobs.get(keyOf(run, update))
    if (held && !sameRecord(held, blob))
      throw new ArchiverError(
        'CONFLICT',
        `key ${keyOf(run, update)} holds ${sha256Of(held)}, not ${sha256Of(blob)}`,
        {
          run,
        },
      )
    if (held) return 'present'
    this.blobs.set(keyOf(run, update), Buffer.from(blob))
    return 'stored'
  }

  async get(run: number, update: number | 'newest', signal: AbortSignal): Promise<Buffer> {
    signal.throwIfAborted()
    const newest = (await this.list()).updates.get(run) ?? 0
    const blob = this.blobs.get(keyOf(run, update === 'newest' ? newest : update))
    if (!blob) throw new ArchiverError('NOT_FOUND', `the archive does not hold run ${run}`, { run })
    return Buffer.from(blob)
  }

  async fingerprint(): Promise<string> {
    await this.#answer()
    return [...this.blobs.keys()].join(' ')
  }

  async probe(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await this.#answer()
  }

  async #answer(): Promise<void> {
    await Promise.resolve()
    if (this.unavailable) throw new ArchiverError('STORE_UNAVAILABLE', 'the archive does not answer')
  }
}
