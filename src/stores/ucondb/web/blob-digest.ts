import { createHash } from 'node:crypto'

/** What a blob is known by without its bytes. */
export interface Digest {
  /** Bytes. */
  readonly size: number
  readonly sha256: string
}

/** The digest of bytes that come in pieces, none of which is kept. */
export const digestOf = async (pieces: AsyncIterable<Buffer>): Promise<Digest> => {
  const hash = createHash('sha256')
  let size = 0
  for await (const piece of pieces) {
    hash.update(piece)
    size += piece.length
  }
  return { size, sha256: hash.digest('hex') }
}
