import { replaceFile } from '../platform/atomic-file.ts'
import { textIfThere } from './safe-open.ts'

/** A run that is archived, but whose record may still change: it had no stop line, or was archived a short while ago. */
export interface Watched {
  /** Of the record as it was archived. */
  readonly signature: string
  readonly ended: boolean
  /** Epoch milliseconds. */
  readonly archivedAt: number
}

/**
 * The runs whose records are looked at again in each pass. A cache: it can be had again from the manifests in artdaqDB, so an absent or damaged
 * file reads as `undefined`, which asks for that.
 */
export class WatchList {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** Throws STATE_UNREADABLE where the system does not give what stands there: that is not known, and must not be replaced. */
  async read(): Promise<Map<number, Watched> | undefined> {
    const text = await textIfThere(this.#path)
    if (text === undefined) return undefined
    try {
      const { version, runs } = JSON.parse(text) as { version: unknown; runs: unknown }
      return version === 1 && Array.isArray(runs) && runs.every(isWatched) ? new Map(runs) : undefined
    } catch {
      return undefined
    }
  }

  /** Only for the holder of the lock. */
  async write(runs: ReadonlyMap<number, Watched>): Promise<void> {
    await replaceFile(this.#path, `${JSON.stringify({ version: 1, runs: [...runs] })}\n`)
  }
}

const isWatched = (entry: unknown): entry is [number, Watched] => {
  const [run, watched] = entry as [unknown, Partial<Watched>]
  const { signature, ended, archivedAt } = watched
  return (
    Number.isSafeInteger(run) &&
    typeof signature === 'string' &&
    typeof ended === 'boolean' &&
    Number.isFinite(archivedAt)
  )
}
