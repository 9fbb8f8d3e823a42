/** Where payloads come from. Nothing is ever written to it. */
export interface RecordSource {
  /** Keys in order, a batch at a time; the payloads are not held. Ends only where there are no more keys. */
  keys(options: KeyOptions): AsyncIterable<readonly string[]>
  /** The payload of a key; undefined where the row is gone, null where it has no payload. */
  read(key: string): Promise<string | Uint8Array | null | undefined>
  close(): Promise<void>
}

export interface KeyOptions {
  readonly batchSize: number
  /** First and last key, both included. */
  readonly from: string | undefined
  readonly to: string | undefined
}
