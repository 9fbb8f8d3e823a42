import { createReadStream } from 'node:fs'

// What a person or another program gives, of any length: a path, a FIFO, standard input. No more of it is held than is asked for.

/** A path, or `-` for standard input. */
const streamOf = (file: string): AsyncIterable<Buffer> =>
  (file === '-' ? process.stdin : createReadStream(file)) as AsyncIterable<Buffer>

/** The whole of a file, or of standard input (`-`); `large` where it has more than `most` bytes, and no more is read. Throws the system's errors. */
export const readInput = async (file: string, most: number): Promise<Buffer | 'large'> => {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of streamOf(file)) {
    size += piece.length
    if (size > most) return 'large'
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** The last bytes of a file, or of standard input (`-`), which is read to its end: `most` at the most. Throws the system's errors. */
export const readEnd = async (file: string, most: number): Promise<Buffer> => {
  let end: Buffer[] = []
  let size = 0
  for await (const piece of streamOf(file)) {
    end.push(piece)
    size += piece.length
    if (size < 2 * most) continue
    end = [Buffer.from(Buffer.concat(end).subarray(-most))]
    size = most
  }
  return Buffer.concat(end).subarray(-most)
}

const NEWLINE = 0x0a

/**
 * The lines of a stream, as they come, without their ends (`\n` or `\r\n`); the last one need not have one. Undefined for a line of more than `most`
 * bytes, of which no more than that is held.
 */
export async function* boundedLines(
  stream: AsyncIterable<Buffer>,
  most: number,
): AsyncGenerator<string | undefined> {
  let begun: Buffer[] = []
  let size = 0
  const add = (piece: Buffer): void => {
    size += piece.length
    if (size <= most) begun.push(piece)
    else begun = []
  }
  const line = (): string | undefined => {
    const text = size > most ? undefined : Buffer.concat(begun).toString('utf8').replace(/\r$/, '')
    begun = []
    size = 0
    return text
  }
  for await (const piece of stream) {
    let at = 0
    for (let end; (end = piece.indexOf(NEWLINE, at)) >= 0; at = end + 1) {
      add(piece.subarray(at, end))
      yield line()
    }
    add(piece.subarray(at))
  }
  if (size > 0) yield line()
}
