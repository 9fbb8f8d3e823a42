import { parse } from 'csv-parse'
import type { FileHandle } from 'node:fs/promises'
import { fieldsOf, OTHER_BLANK, withEmptyTexts } from './csv-fields.ts'

/** A record of a CSV file, with the number of the line that it ends in, from 1. */
export interface CsvRecord {
  readonly line: number
  readonly fields: readonly string[]
}

/** Lines without quotes as they stand, some of them blank, with how many stand before them; or records that were parsed. */
export type CsvBlock =
  { readonly texts: readonly string[]; readonly before: number } | { readonly records: readonly CsvRecord[] }

type Take = (chunk: Buffer) => void

/** Bytes that are read together, and the longest line. */
const CHUNK = 65_536
const LONGEST = 1_048_576
const [QUOTE, CR, LF] = [0x22, 0x0d, 0x0a]

export const recordsOf = (block: CsvBlock): readonly CsvRecord[] =>
  'records' in block ? block.records : plainRecords(block.texts, block.before)

/**
 * What is in a file, many lines at a time, from its first byte to its last. `take` is given every byte once. Lines without a quote are cut here,
 * which takes a tenth of csv-parse's time; from the first line with a quote or a stray carriage return on, csv-parse reads. Both give the same
 * records: a test compares them. Throws csv-parse's errors.
 */
export async function* csvBlocks(handle: FileHandle, take: Take): AsyncGenerator<CsvBlock> {
  const first = await readAt(handle, 0, take)
  const lineEnd = lineEndOf(first)
  let at = first.length
  if (lineEnd === undefined) {
    yield* parsedRecords(handle, take, { pending: first, at, lines: 0, lineEnd })
    return
  }
  let lines = 0
  let block = hasMark(first) ? first.subarray(3) : first
  for (let isLast = false; ;) {
    const whole = isLast ? block.length : block.lastIndexOf(LF) + 1
    const odd = oddByte(block.subarray(0, whole), lineEnd)
    const end = odd < 0 ? whole : block.subarray(0, odd).lastIndexOf(LF) + 1
    const texts = block.toString('utf8', 0, end).split(lineEnd)
    // What follows the last line end is no line.
    if (texts.at(-1) === '') texts.pop()
    yield { texts, before: lines }
    lines += texts.length
    const rest = block.subarray(end)
    if (odd >= 0 || rest.length > LONGEST) {
      yield* parsedRecords(handle, take, { pending: rest, at, lines, lineEnd })
      return
    }
    if (isLast) return
    const chunk = await readAt(handle, at, take)
    at += chunk.length
    isLast = chunk.length === 0
    block = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
  }
}

const readAt = async (handle: FileHandle, at: number, take: Take): Promise<Buffer> => {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, at)
  const chunk = buffer.subarray(0, bytesRead)
  if (bytesRead > 0) take(chunk)
  return chunk
}

const hasMark = (bytes: Buffer): boolean => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf

const isWide = (bytes: Buffer): boolean => bytes[0] === 0xff && bytes[1] === 0xfe

/** How the first line ends; undefined: it is long, or has a quote, or is not UTF-8, or ends as those of old Macs do. */
const lineEndOf = (first: Buffer): string | undefined => {
  const feed = first.indexOf(LF)
  const line = first.subarray(0, feed + 1)
  if (feed < 0 || line.includes(QUOTE) || isWide(first)) return undefined
  const back = line.indexOf(CR)
  if (back < 0) return '\n'
  return back === feed - 1 ? '\r\n' : undefined
}

/** The place of the first byte that makes a line more than texts between commas; below 0: there is none. */
const oddByte = (bytes: Buffer, lineEnd: string): number => {
  const quote = bytes.indexOf(QUOTE)
  const other = lineEnd === '\n' ? bytes.indexOf(CR) : unevenEnd(bytes)
  if (quote < 0 || other < 0) return Math.max(quote, other)
  return Math.min(quote, other)
}

/** The first carriage return or line feed without the other. */
const unevenEnd = (bytes: Buffer): number => {
  let from = 0
  for (let feed = bytes.indexOf(LF); feed >= 0; feed = bytes.indexOf(LF, from)) {
    const back = bytes.indexOf(CR, from)
    if (back !== feed - 1) return back >= 0 ? Math.min(back, feed) : feed
    from = feed + 1
  }
  return bytes.indexOf(CR, from)
}

/** A field without the spaces and tabs at its ends. Other blanks, such as U+00A0, are part of an id: `x` and `x` with one are two rows. */
export const unpadded = (text: string): string => {
  let from = 0
  let to = text.length
  while (from < to && isPad(text.charCodeAt(from))) from += 1
  while (to > from && isPad(text.charCodeAt(to - 1))) to -= 1
  return from === 0 && to === text.length ? text : text.slice(from, to)
}

const isPad = (code: number): boolean => code === 0x20 || code === 0x09

const plainRecords = (texts: readonly string[], before: number): readonly CsvRecord[] => {
  const records: CsvRecord[] = []
  for (const [at, text] of texts.entries()) {
    const fields = text.includes(',') ? text.split(',').map(unpadded) : [unpadded(text)]
    if (fields.some((field) => field !== '')) records.push({ line: before + at + 1, fields })
  }
  return records
}

/** Where csv-parse takes over: bytes that were read already, the lines before them, and how lines end (undefined: it finds out). */
interface Rest {
  readonly pending: Buffer
  readonly at: number
  readonly lines: number
  readonly lineEnd: string | undefined
}

/** Records that are handed on together. */
const GROUP = 1000

async function* parsedRecords(
  handle: FileHandle,
  take: Take,
  { pending, at, lines, lineEnd }: Rest,
): AsyncGenerator<CsvBlock> {
  const parser = parse({
    bom: lineEnd === undefined,
    trim: true,
    info: true,
    relax_column_count: true,
    max_record_size: LONGEST,
    ...(lineEnd === undefined ? {} : { record_delimiter: lineEnd }),
  })
  const raw = new RawText(pending, lineEnd === undefined)
  const feed = async (): Promise<void> => {
    let next = at
    for (let chunk = pending; !parser.destroyed; chunk = await readAt(handle, next, take)) {
      if (chunk.length === 0 && chunk !== pending) break
      if (chunk !== pending) {
        next += chunk.length
        raw.add(chunk)
      }
      if (!parser.write(chunk)) await drained(parser)
    }
    parser.end()
  }
  const fed = feed().catch((error: unknown) => {
    parser.destroy(error instanceof Error ? error : new Error(String(error)))
  })
  let group: CsvRecord[] = []
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[]
      info: { lines: number; bytes: number }
    }>) {
      const line = lines + info.lines
      const text = raw.until(info.bytes)
      const fields = OTHER_BLANK.test(text) ? fieldsOf(text, line) : record
      if (fields.some((field) => unpadded(field) !== ''))
        group.push({ line, fields: text.includes('""') ? withEmptyTexts(fields, text) : fields })
      if (group.length < GROUP) continue
      yield { records: group }
      group = []
    }
    await fed
    // csv-parse gives no record for a last line of such blanks alone.
    if (OTHER_BLANK.test(raw.until(Infinity))) throw new Error('the last line has blanks alone')
    if (group.length > 0) yield { records: group }
  } finally {
    parser.destroy()
  }
}

/** The text of each record, as the file has it. The field `raw` of csv-parse lacks the blanks that were trimmed. */
class RawText {
  readonly #encoding: BufferEncoding
  #kept: Buffer
  /** Where `kept` begins, in bytes that the parser was given. */
  #from = 0

  constructor(first: Buffer, mayHaveMark: boolean) {
    this.#kept = first
    this.#encoding = mayHaveMark && isWide(first) ? 'utf16le' : 'utf8'
    if (mayHaveMark) this.#drop(isWide(first) ? 2 : hasMark(first) ? 3 : 0)
  }

  add(chunk: Buffer): void {
    this.#kept = Buffer.concat([this.#kept, chunk])
  }

  /** From the end of the last record to this one's; Infinity: to the end of what was read. */
  until(end: number): string {
    const length = end - this.#from
    const text = this.#kept.toString(this.#encoding, 0, length)
    this.#drop(length)
    return text
  }

  #drop(length: number): void {
    this.#kept = this.#kept.subarray(length)
    this.#from += length
  }
}

const drained = (parser: NodeJS.WritableStream): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      parser.off('drain', done).off('close', done).off('error', done)
      resolve()
    }
    parser.on('drain', done).on('close', done).on('error', done)
  })
