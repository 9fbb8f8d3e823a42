import { access, constants, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ArchiverError, errnoOf, messageOf } from '../../errors.ts'
import { isOfOneFile, readSmallFile } from '../../platform/read-file.ts'
import { ItemError } from '../item-error.ts'
import { keyCell } from '../map/map-record.ts'
import type { KeyType } from '../mapping/model.ts'
import type { KeyOptions, RecordSource } from './source.ts'

/** Files with payloads: `<key>.xml`, `<key>.json`, also packed as `.gz`. */
const NAME = /^(.+?)\.(?:xml|json)(?:\.gz)?$/i

/** Bytes from which a file is no payload. */
const LARGEST = 1_000_000_000

/** Payloads of a folder; a file's name without its ending is its key. */
export class FilesSource implements RecordSource {
  readonly #folder: string
  readonly #keyType: KeyType
  /** Names of files by key, as the folder was when it was last listed. */
  #files: ReadonlyMap<string, string> = new Map()

  constructor(folder: string, keyType: KeyType) {
    this.#folder = folder
    this.#keyType = keyType
  }

  async *keys({ batchSize, from, to }: KeyOptions): AsyncGenerator<readonly string[]> {
    await this.#list()
    const order = this.#keyType === 'bigint' ? byNumber : byText
    const keys = [...this.#files.keys()]
      .sort(order)
      .filter(
        (key) => (from === undefined || order(key, from) >= 0) && (to === undefined || order(key, to) <= 0),
      )
    for (let at = 0; at < keys.length; at += batchSize) yield keys.slice(at, at + batchSize)
  }

  async read(key: string): Promise<Uint8Array | undefined> {
    const known = await this.#content(key)
    if (known) return known
    // Keys may come from a backlog that another process fills, and a file may get another ending.
    await this.#list()
    return this.#content(key)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async #content(key: string): Promise<Uint8Array | undefined> {
    const name = this.#files.get(key)
    if (name === undefined) return undefined
    try {
      const content = await readSmallFile(join(this.#folder, name), LARGEST)
      if (content !== 'large') return content
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      if (!isOfOneFile(error) || !(await isOpen(this.#folder))) throw this.#away(error)
      const reason = errnoOf(error) === 'EACCES' ? 'this user may not read it' : 'it is not a regular file'
      throw new ItemError('SOURCE_UNREADABLE', `cannot read the item's file ${name}: ${reason}`)
    }
    throw new ItemError('SOURCE_UNREADABLE', `the file of the item has ${LARGEST / 1e9} GB or more`)
  }

  #away(error: unknown): ArchiverError {
    return new ArchiverError('SOURCE_UNAVAILABLE', `cannot read a payload: ${messageOf(error)}`, {
      cause: error,
    })
  }

  async #list(): Promise<void> {
    const files = new Map<string, string>()
    for (const name of await this.#names()) {
      const stem = NAME.exec(name)?.[1]
      if (stem === undefined) continue
      const key = String(keyCell(stem, this.#keyType) ?? stem)
      const other = files.get(key)
      if (other !== undefined)
        throw new ArchiverError(
          'SOURCE_UNAVAILABLE',
          `${this.#folder}: ${other} and ${name} are files of one key`,
        )
      files.set(key, name)
    }
    this.#files = files
  }

  async #names(): Promise<string[]> {
    try {
      if (!(await stat(this.#folder)).isDirectory()) throw new Error('it is no folder')
      return await readdir(this.#folder)
    } catch (error) {
      throw new ArchiverError('SOURCE_UNAVAILABLE', `cannot list ${this.#folder}: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }
}

/** Whether files in a folder can be looked at: else what is wrong is not the file's. */
const isOpen = (folder: string): Promise<boolean> =>
  access(folder, constants.X_OK).then(
    () => true,
    () => false,
  )

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Numbers by their value, before all names that are none. */
const byNumber = (a: string, b: string): number => {
  const [isLeft, isRight] = [isNumber(a), isNumber(b)]
  if (!isLeft || !isRight) return isLeft === isRight ? byText(a, b) : isLeft ? -1 : 1
  const [left, right] = [BigInt(a), BigInt(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

const isNumber = (name: string): boolean => /^-?\d+$/.test(name)
