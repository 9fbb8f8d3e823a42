import { createHash } from 'node:crypto'
import { readdir, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { nameOf } from '../../common/file-name-encoding.ts'
import { ArchiverError, errnoOf, messageOf } from '../../errors.ts'
import {
  createFile,
  makeDurableFolder,
  replaceFile,
  step,
  sweepTemporaries,
  syncDirectory,
} from '../../platform/atomic-file.ts'
import { readFile } from '../../platform/read-file.ts'
import type { Format } from './row-lines.ts'

/** Where rows go that are archived in files. */
export interface ArchiveFiles {
  /** The folder that the configuration names. */
  readonly folder: string
  readonly format: Format
}

/** An archive as the log tables name it. */
export const urlOf = ({ folder }: ArchiveFiles): string => `file://${folder}`

/** Nobody changes what is archived, and it is for its owner. */
const MODE = 0o400

/**
 * The archive files of one live table. A file is named in the log by its execution and its name there, such as `12-6f1c2d04/34-1-9f86….jsonl`, with
 * the sha256 of its content; until its batch has committed it stands in `pending`. Each function throws ROWS_FAILED where the system refuses.
 */
export class ArchiveFolder {
  readonly format: Format
  readonly #path: string
  #execution = ''

  /** `table` is the live table with its database or schema. */
  constructor({ folder, format }: ArchiveFiles, table: string) {
    this.format = format
    this.#path = join(folder, nameOf(Buffer.from(table)).replaceAll('/', '%2F'))
  }

  get path(): string {
    return this.#path
  }

  /** Makes the folder of an execution, with a text about its columns, and removes what a killed writer had not named yet. For the holder of the table's lock. */
  async begin(id: number, runId: string, about: string): Promise<void> {
    this.#execution = `${id}-${runId.slice(0, 8)}`
    await this.#namingPath(this.#path, async () => {
      await makeDurableFolder(this.#pending)
      await makeDurableFolder(join(this.#path, this.#execution))
      await replaceFile(join(this.#path, this.#execution, 'columns.json'), about, { mode: 0o600 })
      await sweepTemporaries(this.#pending, [])
    })
  }

  /**
   * Writes the content of a batch's file, and gives its name once the bytes and the name are on the disk, in `pending`. A crash before leaves
   * nothing that has a name. Where an earlier try wrote the same content, that file is taken.
   */
  async write(batch: string, content: Buffer): Promise<string> {
    const name = `${this.#execution}/${batch}-${sumOf(content)}.${this.format}`
    const path = this.pendingPath(name)
    await this.#namingPath(path, async () => {
      await createFile(path, content, { mode: MODE })
      await syncDirectory(this.#pending)
    })
    step('rows-files: written')
    return name
  }

  /** The content of a file, wherever it stands; undefined where there is none. Throws VERIFY_MISMATCH where its sha256 is not the one in its name. */
  async content(name: string): Promise<Buffer | undefined> {
    for (const path of [join(this.#path, name), this.pendingPath(name)]) {
      const content = await this.#namingPath(path, () => readFile(path).catch(undefinedIfAbsent))
      if (!content) continue
      if (sumOf(content) === sumIn(name)) return content
      throw new ArchiverError('VERIFY_MISMATCH', `${path} does not have the sha256 that its name holds`, {
        hint: 'the file was changed or the disk is failing; restore it from a backup',
      })
    }
    return undefined
  }

  /** Whether a file is there, pending or in its place. */
  async has(name: string): Promise<boolean> {
    for (const path of [join(this.#path, name), this.pendingPath(name)])
      if (await this.#namingPath(path, () => stat(path).catch(undefinedIfAbsent))) return true
    return false
  }

  /** Gives a pending file its place. A crash leaves it in `pending` or there, never in neither. */
  async publish(name: string): Promise<void> {
    const place = join(this.#path, name)
    await this.#namingPath(place, async () => {
      await makeDurableFolder(dirname(place)) // somebody may have removed it
      await rename(this.pendingPath(name), place)
      step('rows-files: in place')
      await syncDirectory(dirname(place))
      await syncDirectory(this.#pending)
    })
  }

  /** Removes a pending file for good: a power cut does not bring it back. Only for rows that are sure to be live. */
  removePending(name: string): Promise<void> {
    const path = this.pendingPath(name)
    return this.#namingPath(path, async () => {
      await unlink(path)
      await syncDirectory(this.#pending)
    })
  }

  /** Whether the table's folder is there: not where nothing was archived, or its disk is not mounted. */
  isThere(): Promise<boolean> {
    return this.#namingPath(
      this.#path,
      async () => (await readdir(this.#path).catch(undefinedIfAbsent)) !== undefined,
    )
  }

  /** The names of files in `pending`. */
  async pending(): Promise<readonly string[]> {
    const found = await this.#list(this.#pending)
    return found.filter((entry) => !entry.startsWith('.')).map((entry) => entry.replace('~', '/'))
  }

  /** The names of files that have their place. */
  async *placed(): AsyncGenerator<string> {
    for (const execution of await this.#list(this.#path)) {
      if (execution === 'pending') continue
      for (const name of await this.#list(join(this.#path, execution)))
        if (sumIn(name) !== undefined) yield `${execution}/${name}`
    }
  }

  pendingPath(name: string): string {
    return join(this.#pending, name.replace('/', '~'))
  }

  get #pending(): string {
    return join(this.#path, 'pending')
  }

  #list(path: string): Promise<readonly string[]> {
    return this.#namingPath(path, async () => (await readdir(path).catch(undefinedIfAbsent)) ?? [])
  }

  /** Does something with a path. Throws ROWS_FAILED, which names the path, where the system does not do it. */
  async #namingPath<Answer>(path: string, act: () => Promise<Answer>): Promise<Answer> {
    try {
      return await act()
    } catch (cause) {
      // Without a cause: another batch would meet the same.
      throw new ArchiverError('ROWS_FAILED', `${path}: ${messageOf(cause)}`, {
        hint: 'the archive of files does not take rows; nothing of this batch was moved',
      })
    }
  }
}

const sumOf = (content: Buffer): string => createHash('sha256').update(content).digest('hex')

/** The sha256 in the name of an archive file; undefined: it is none. */
const sumIn = (name: string): string | undefined =>
  /-(?<sum>[0-9a-f]{64})\.(?:jsonl|csv)$/.exec(name)?.groups?.['sum']

const undefinedIfAbsent = (error: unknown): undefined => {
  if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error
  return undefined
}
