import { ArchiverError } from '../../../errors.ts'
import { CollectionIndex, everySection, SECTIONS, type Names, type Section } from './search-index.ts'
import { parseLooseIndex } from './index-lenient-parser.ts'
import { SortedList } from './sorted-list.ts'

const NEWLINE = 0x0a
const QUOTE = 0x22
const COMMA = 0x2c
const CLOSE_LIST = 0x5d
const BACKSLASH = 0x5c

/**
 * Reads `index.json`. artdaq's own layout, a line for each item, is taken in one walk over the bytes
 * that checks every one of them; any other layout is read by the general JSON reader. All text stays byte strings
 * (latin1), in the escaped form of the file, so that what is not understood is written back as it was.
 * Throws STORE_CORRUPT, naming `path`, for an index that is cut, empty, or no index.
 */
export function parseIndex(bytes: Buffer, path: string): CollectionIndex {
  try {
    return parseLines(bytes) ?? parseLooseIndex(bytes)
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof ArchiverError)) throw error
    throw new ArchiverError('STORE_CORRUPT', `${path} is damaged: ${error.message}`, {
      cause: error,
      hint: 'run-archiver artdaq repair writes it again from the documents; the damaged one is kept',
    })
  }
}

/** What artdaq makes of an index that is missing; the first addition gives it the usual layout. */
export const EMPTY_INDEX =
  '{"ouid":[], "version":{},"configurations.name":{}, "entities.name":{},"aliases.active.name":{}, "runs.name":{},"configurations.assigned":{} }'

/** The text of an index, in artdaq's layout, in pieces: a large one never stands in memory twice. */
export function* indexText(index: CollectionIndex): Generator<Buffer | string> {
  yield '{\n"ouid" : [\n'
  yield index.ouid.lines
  yield '\n]'
  for (const section of SECTIONS) {
    yield `,\n"${section}" : {\n`
    let first = true
    for (const [name, list] of index.section(section)) {
      yield `${first ? '' : ',\n'}"${name}" : [\n`
      yield list.lines
      yield '\n]'
      first = false
    }
    yield '\n}'
  }
  yield '\n}'
}

/** Undefined when the text is laid out in any other way, or is damaged. */
function parseLines(bytes: Buffer): CollectionIndex | undefined {
  const lines = new Lines(bytes)
  if (!lines.take('{\n"ouid" : [\n')) return undefined
  const ouid = lines.list()
  if (!ouid) return undefined
  const sections = new Map<Section, Names>()
  for (const section of SECTIONS) {
    if (!lines.take(`,\n"${section}" : {\n`)) return undefined
    const names = lines.names()
    if (!names) return undefined
    sections.set(section, names)
  }
  if (!lines.take('\n}') || !lines.atEnd) return undefined
  return new CollectionIndex(
    ouid,
    everySection((section) => sections.get(section) ?? new Map<string, SortedList>()),
  )
}

class Lines {
  readonly #bytes: Buffer
  #at = 0
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  take(text: string): boolean {
    if (this.#bytes.toString('latin1', this.#at, this.#at + text.length) !== text) return false
    this.#at += text.length
    return true
  }

  /** The items up to and including `\n]`. */
  list(): SortedList | undefined {
    const from = this.#at
    let size = 0
    if (this.take('\n]')) return SortedList.EMPTY
    for (;;) {
      if (!this.#string()) return undefined
      size++
      const end = this.#at
      const next = this.#bytes[this.#at++]
      if (next === COMMA) {
        if (this.#bytes[this.#at++] !== NEWLINE) return undefined
      } else {
        if (next !== NEWLINE || this.#bytes[this.#at++] !== CLOSE_LIST) return undefined
        return SortedList.ofLines(this.#bytes, from, end, size)
      }
    }
  }

  /** The members of a section up to and including `\n}`. */
  names(): Names | undefined {
    const names = new Map<string, SortedList>()
    if (this.take('\n}')) return names
    for (;;) {
      const from = this.#at + 1
      if (!this.#string()) return undefined
      const name = this.#bytes.toString('latin1', from, this.#at - 1)
      if (names.has(name) || !this.take(' : [\n')) return undefined
      const list = this.list()
      if (!list) return undefined
      names.set(name, list)
      if (this.take('\n}')) return names
      if (!this.take(',\n')) return undefined
    }
  }

  /** Steps over a string without escapes and control characters, the only kind that names of runs and documents need. */
  #string(): boolean {
    const bytes = this.#bytes
    let at = this.#at
    if (bytes[at++] !== QUOTE) return false
    for (; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      if (byte === QUOTE) {
        this.#at = at + 1
        return true
      }
      if (byte < 0x20 || byte === BACKSLASH) return false
    }
    return false
  }
}
