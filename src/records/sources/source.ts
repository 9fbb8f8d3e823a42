import { ItemError } from '../item-error.ts'

/** Where payloads come from. Nothing is ever written to it. */
export interface RecordSource {
  /** Keys in order, a batch at a time; the payloads are not held. Ends only where there are no more keys. */
  keys(options: KeyOptions): AsyncIterable<readonly string[]>
  /**
   * The payload of a key; undefined where the row is gone, null where it has no payload. Throws an ItemError where this payload alone cannot be read, and
   * SOURCE_UNAVAILABLE where the source cannot.
   */
  read(key: string): Promise<string | Uint8Array | null | undefined>
  close(): Promise<void>
}

export interface KeyOptions {
  readonly batchSize: number
  /** First and last key, both included. */
  readonly from: string | undefined
  readonly to: string | undefined
}

/** The payload of a key, for who only looks: one that cannot be read is as one that is gone. */
export const readIfReadable = async (
  source: Pick<RecordSource, 'read'>,
  key: string,
): Promise<string | Uint8Array | null | undefined> => {
  try {
    return await source.read(key)
  } catch (error) {
    if (error instanceof ItemError) return undefined
    throw error
  }
}
