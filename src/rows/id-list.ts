import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { ArchiverError, errnoOf, messageOf } from '../errors.ts'
import { csvBlocks, recordsOf, unpadded, type CsvBlock } from './csv-records.ts'
import { keyReader, readKey } from './key-values.ts'
import type { Key, KeyColumn } from './table.ts'

export interface IdListOptions {
  readonly key: readonly KeyColumn[]
  /** Columns of the file, by name or by number from 1, in the order of the key. Empty: by the key's names, else the first ones. */
  readonly columns: readonly string[]
  readonly header: 'auto' | 'yes' | 'no'
  readonly badLines: 'stop' | 'skip'
}

/** An id with the line of the file that it stands in. */
export interface Listed {
  readonly line: number
  readonly key: Key
}

/** What one reading of the whole file found. */
export interface Survey {
  readonly sha256: string
  readonly ids: number
  /** Lines that are no key, where they are skipped. */
  readonly bad: number
  readonly bytes: number
  /** When it was last written to, epoch milliseconds, where its last line has no end; else undefined. */
  readonly openSince: number | undefined
}

/** A CSV file of ids, read as a stream: memory does not grow with it. The file is opened once; renaming it meanwhile changes nothing. */
export class IdList {
  readonly path: string
  readonly #options: IdListOptions
  readonly #handle: FileHandle
  readonly #stamp: string

  private constructor(path: string, options: IdListOptions, handle: FileHandle, stamp: string) {
    this.path = path
    this.#options = options
    this.#handle = handle
    this.#stamp = stamp
  }

  /** Throws IDS_INVALID where the file cannot be opened. */
  static async open(path: string, options: IdListOptions): Promise<IdList> {
    try {
      // A pipe without a writer would hold the opening up for ever.
      const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
      try {
        if (!(await handle.stat()).isFile()) throw new Error('it is not a file, and ids are read twice')
        return new IdList(path, options, handle, await stampOf(handle))
      } catch (error) {
        await handle.close()
        throw error
      }
    } catch (cause) {
      throw new ArchiverError(
        'IDS_INVALID',
        `${path} cannot be read (${errnoOf(cause) ?? messageOf(cause)})`,
        { cause },
      )
    }
  }

  /** Reads it whole once. Throws IDS_INVALID with the line for the first that is no key, unless bad lines are skipped. */
  async survey(signal: AbortSignal): Promise<Survey> {
    const hash = createHash('sha256')
    let bytes = 0
    let ids = 0
    let end = Buffer.alloc(0)
    const counts = { bad: 0 }
    const take = (chunk: Buffer): void => {
      hash.update(chunk)
      bytes += chunk.length
      end = Buffer.concat([end, chunk.subarray(-2)]).subarray(-2)
    }
    for await (const found of this.#blocks(take, counts, () => undefined)) {
      ids += found
      if (signal.aborted) throw new ArchiverError('INTERRUPTED', `reading ${this.path} was stopped`)
    }
    await this.assertUnchanged()
    const openSince = ids === 0 || endsLine(end) ? undefined : (await this.#handle.stat()).mtimeMs
    return { sha256: hash.digest('hex'), ids, bad: counts.bad, bytes, openSince }
  }

  /** The ids in the order of the file, many at a time. */
  async *groups(): AsyncGenerator<readonly Listed[]> {
    let group: Listed[] = []
    const visit = (line: number, key: Key): void => {
      group.push({ line, key })
    }
    for await (const found of this.#blocks(() => undefined, { bad: 0 }, visit)) {
      if (found > 0) yield group
      group = []
    }
  }

  /** Throws IDS_INVALID when somebody wrote to the file since it was opened. */
  async assertUnchanged(): Promise<void> {
    if ((await stampOf(this.#handle)) !== this.#stamp)
      throw new ArchiverError('IDS_INVALID', `${this.path} changed while it was being read`, {
        hint: 'run again when it is complete: batches that are finished are skipped',
      })
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  /** Visits every id, and gives how many were in each block. */
  async *#blocks(
    take: (chunk: Buffer) => void,
    counts: { bad: number },
    visit: Visit,
  ): AsyncGenerator<number> {
    const { key: columns, badLines } = this.#options
    const read = keyReader(columns)
    let places: readonly number[] | undefined
    let found = 0
    const add = (line: number, key: Key | string): void => {
      if (typeof key !== 'string') {
        found += 1
        visit(line, key)
      } else if (badLines === 'skip') counts.bad += 1
      else throw this.#bad(line, key)
    }
    try {
      for await (const block of csvBlocks(this.#handle, take)) {
        found = 0
        if (isSingle(places) && 'texts' in block)
          singles(block, (line, fields) => add(line, read([0], fields)))
        else
          for (const { line, fields } of recordsOf(block)) {
            if (places === undefined) {
              const head = this.#head(fields)
              places = head.places
              if (head.isHeader) continue
            }
            add(line, read(places, fields))
          }
        yield found
      }
    } catch (cause) {
      throw cause instanceof ArchiverError
        ? cause
        : new ArchiverError('IDS_INVALID', `${this.path}: ${messageOf(cause)}`, { cause })
    }
  }

  /** Whether the first record is a header, and in which columns the key stands. */
  #head(record: readonly string[]): { places: readonly number[]; isHeader: boolean } {
    const { key, columns, header } = this.#options
    const names = record.map((name) => name.trim().toLowerCase())
    const wanted = columns.length > 0 ? columns : key.map(({ name }) => name)
    const byName = wanted.map((name) =>
      /^[1-9]\d*$/.test(name) ? Number(name) - 1 : names.indexOf(name.toLowerCase()),
    )
    const found = byName.every((place) => place >= 0)
    const first = columns.length > 0 && found ? byName : key.map((_column, at) => at)
    const fields = first.map((place) => record[place] ?? '')
    const isHeader =
      header === 'yes' ||
      (header === 'auto' &&
        ((found && !columns.every((name) => /^\d+$/.test(name))) ||
          named(fields, key) ||
          looksLikeName(readKey(fields, key), record)))
    if (columns.length > 0 && !found)
      throw new ArchiverError(
        'IDS_INVALID',
        `${this.path}: line 1 has no column "${wanted[byName.indexOf(-1)] ?? ''}"`,
        {
          hint: 'set rows.columns to the names in its header, or to numbers from 1',
        },
      )
    if (isHeader && found) return { places: byName, isHeader }
    if (isHeader && key.length > 1)
      throw new ArchiverError(
        'IDS_INVALID',
        `${this.path}: line 1 does not name the key's columns ${wanted.join(', ')}`,
        {
          hint: 'set rows.columns to the names in its header, or to numbers from 1',
        },
      )
    return { places: first, isHeader }
  }

  #bad(line: number, reason: string): ArchiverError {
    return new ArchiverError('IDS_INVALID', `${this.path}: line ${line}: ${reason}`, {
      hint: 'correct the line, or set rows.bad_lines: skip. Nothing of this file was moved',
    })
  }
}

type Visit = (line: number, key: Key) => void

const isSingle = (places: readonly number[] | undefined): boolean => places?.length === 1 && places[0] === 0

/** The first field of each line that is not blank, without a list of all records: that would cost more than reading them. */
const singles = (
  { texts, before }: Extract<CsvBlock, { texts: unknown }>,
  visit: (line: number, fields: readonly string[]) => void,
): void => {
  for (const [at, text] of texts.entries()) {
    const comma = text.indexOf(',')
    const field = unpadded(comma < 0 ? text : text.slice(0, comma))
    if (field !== '' || (comma >= 0 && /[^, \t]/.test(text))) visit(before + at + 1, [field])
  }
}

const named = (fields: readonly string[], key: readonly KeyColumn[]): boolean =>
  fields.every((field, at) => field.trim().toLowerCase() === key[at]?.name.toLowerCase())

/** A first line that is no key is a header only where it reads as names: `12x` is a bad id, and is said to be one. */
const looksLikeName = (key: Key | string, record: readonly string[]): boolean =>
  typeof key === 'string' && record.every((field) => /^[A-Za-z_][\w .-]*$/.test(field.trim()))

/** Whether a file with these last bytes, of UTF-8 or UTF-16, ends with the end of a line. */
const endsLine = (end: Buffer): boolean => /[\r\n]\0?$/.test(end.toString('latin1'))

const stampOf = async (handle: FileHandle): Promise<string> => {
  const { size, mtimeNs, ino } = await handle.stat({ bigint: true })
  return `${size} ${mtimeNs} ${ino}`
}
