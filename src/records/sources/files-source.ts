import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ArchiverError, errnoOf, messageOf } from '../../errors.ts'
import { keyCell } from '../map/map-record.ts'
import type { KeyType } from '../mapping/model.ts'
import type { KeyOptions, RecordSource } from './source.ts'

/** Files with payloads: `<key>.xml`, `<key>.json`, also packed as `.gz`. */
const NAME = /^(.+?)\.(?:xml|json)(?:\.gz)?$/i

/** Payloads of a folder; a file's name without its ending is its key. */
export class FilesSource implements RecordSource {
  readonly #folder: string
  readonly #keyType: KeyType
  readonly #files = new Map<string, string>()

  constructor(folder: string, keyType: KeyType) {
    this.#folder = folder
    this.#keyType = keyType
  }

  async *keys({ batchSize, from, to }: KeyOptions): AsyncGenerator<readonly string[]> {
    for (const name of await this.#names()) {
      const stem = NAME.exec(name)?.[1]
      if (stem === undefined) continue
      const key = keyCell(stem, this.#keyType)
      const text = key === undefined ? stem : String(key)
      const other = this.#files.get(text)
      if (other !== undefined)
        throw new ArchiverError(
          'SOURCE_UNAVAILABLE',
          `${this.#folder}: ${other} and ${name} are files of one key`,
        )
      this.#files.set(text, name)
    }
    const order = this.#keyType === 'bigint' ? byNumber : byText
    const keys = [...this.#files.keys()]
      .sort(order)
      .filter(
        (key) => (from === undefined || order(key, from) >= 0) && (to === undefined || order(key, to) <= 0),
      )
    for (let at = 0; at < keys.length; at += batchSize) yield keys.slice(at, at + batchSize)
  }

  async read(key: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.#folder, this.#files.get(key) ?? `${key}.xml`))
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw new ArchiverError('SOURCE_UNAVAILABLE', `cannot read a payload: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
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

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const byNumber = (a: string, b: string): number => {
  const isNumber = /^-?\d+$/
  if (!isNumber.test(a) || !isNumber.test(b)) return byText(a, b)
  const [left, right] = [BigInt(a), BigInt(b)]
  return left < right ? -1 : left > right ? 1 : 0
}
