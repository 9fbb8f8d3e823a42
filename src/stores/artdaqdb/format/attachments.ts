import { isArray, JsonNumber, JsonObject, type JsonValue } from '../../../fhicl/json/model.ts'
import { ArchiverError } from '../../../errors.ts'
import type { RecordFile, RecordManifest, RunDocuments, SkippedEntry } from '../../run-record.ts'
import { freeingMemory } from '../../../platform/free-memory.ts'
import { PART, PartsOfFile } from './file-parts.ts'
import { decode, encode, octal } from './originals.ts'

/** JSON as artdaq's reader takes it: no null, whole numbers only. */
export type Plain = string | number | boolean | readonly Plain[] | { readonly [key: string]: Plain }

/** What the `schema` document of a run keeps in its attachments. */
export interface Attachments {
  readonly manifest: RecordManifest | undefined
  readonly attached: readonly RecordFile[]
  /** `<collection>/<entity>` of every document that makes the run whole. */
  readonly documents: readonly string[]
  /** Those of them that had no seal when the manifest was written; undefined where the manifest is older than seals. */
  readonly unsealed: readonly string[] | undefined
}

const MANIFEST = 'run-archiver manifest'
const FILE = 'run-archiver file'

/**
 * The attachments that keep a run's manifest and the files that no document carries (docs/FORMATS.md). `unsealed`: documents of the run that
 * stay as they are, and have no seal.
 */
export function attachmentsOf(
  run: RunDocuments,
  attached: readonly RecordFile[],
  unsealed: readonly string[] = [],
): readonly Plain[] {
  const { manifest, documents } = run
  const first = manifest ? [manifestObject(manifest, documents.map(documentName), unsealed)] : []
  return [...first, ...attached.flatMap(fileParts)]
}

/** Reads what `attachmentsOf` made; attachments of other programs are passed over. Throws STORE_CORRUPT naming `where`. */
export function readAttachments(values: Iterable<Plain>, where: string): Attachments {
  const reading = new AttachmentReader(where)
  for (const value of values) reading.add(value)
  return reading.whole()
}

/** The same of attachments that come one by one. */
export class AttachmentReader {
  readonly #where: string
  readonly #free = freeingMemory()
  readonly #files = new Map<string, { mode: number; parts: PartsOfFile; read: number; of: number }>()
  #kept: Omit<Attachments, 'attached'> = { manifest: undefined, documents: [], unsealed: undefined }

  constructor(where: string) {
    this.#where = where
  }

  add(value: Plain): void {
    const object = new Reader(value, this.#where)
    if (object.type === MANIFEST) {
      if (this.#kept.manifest) throw object.damaged('it has two manifests')
      const manifest = readManifest(object)
      const documents = object.texts('documents')
      const unsealed = object.number('version') === 1 ? undefined : object.texts('unsealed')
      this.#kept = { manifest, documents, unsealed }
    } else if (object.type === FILE) this.#addPart(object)
    else if (mayBeAttached(value)) throw object.damaged('its type')
  }

  whole(): Attachments {
    const attached = [...this.#files].map(([name, { mode, parts, read, of }]) => {
      if (read !== of)
        throw new ArchiverError('STORE_CORRUPT', `${this.#where}: only ${read} of ${of} parts of ${name}`)
      return { name, mode, content: parts.whole() }
    })
    return { ...this.#kept, attached }
  }

  #addPart(object: Reader): void {
    const name = object.text('name')
    const size = this.#kept.manifest?.files.find((file) => file.name === name)?.size
    const of = object.number('parts')
    const file = this.#files.get(name) ?? {
      mode: object.mode(),
      parts: new PartsOfFile(size, of),
      read: 0,
      of,
    }
    if (file.read++ !== object.number('part')) throw object.damaged(`a part of ${name} is missing`)
    const part = decode(object.text('encoding'), object.text('content'), this.#where)
    file.parts.add(part)
    this.#free(part.length)
    this.#files.set(name, file)
  }
}

export const documentName = ({ collection, entity }: { collection: string; entity: string }): string =>
  `${collection}/${entity}`

/** Whether an attachment is a manifest of ours. */
export const isManifest = (value: Plain): boolean =>
  typeof value === 'object' && !isList(value) && value['type'] === MANIFEST

/** Whether an attachment is ours, or was before a few of its bits were lost. */
export const mayBeAttached = (value: Plain): boolean => {
  if (typeof value !== 'object' || isList(value)) return false
  const { type = '' } = value
  const isNamed = /run-|archi|iver|manifest/.test(typeof type === 'string' ? type : '')
  return isNamed || KEYS.filter((key) => key in value).length > 1
}
const KEYS = ['directory', 'signature', 'documents', 'files', 'parts', 'part', 'encoding', 'content']

const manifestObject = (
  manifest: RecordManifest,
  documents: readonly string[],
  unsealed: readonly string[],
): Plain => ({
  type: MANIFEST,
  version: 2,
  run: manifest.run,
  directory: manifest.directory,
  mode: octal(manifest.directoryMode),
  ended: manifest.ended,
  signature: manifest.signature,
  folders: manifest.folders.map(({ name, mode }) => ({ name, mode: octal(mode) })),
  skipped: manifest.skipped.map(({ name, kind }) => ({ name, kind })),
  files: manifest.files.map(({ name, mode, size, sha256 }) => ({ name, mode: octal(mode), size, sha256 })),
  documents,
  unsealed,
})

const readManifest = (object: Reader): RecordManifest => ({
  run: object.number('run'),
  directory: object.text('directory'),
  directoryMode: object.mode(),
  ended: object.flag('ended'),
  signature: object.text('signature'),
  folders: object.objects('folders').map((folder) => ({ name: folder.text('name'), mode: folder.mode() })),
  skipped: object.objects('skipped').map((entry) => ({ name: entry.text('name'), kind: entry.kind() })),
  files: object.objects('files').map((file) => ({
    name: file.text('name'),
    mode: file.mode(),
    size: file.number('size'),
    sha256: file.text('sha256'),
  })),
})

function fileParts({ name, mode, content }: RecordFile): readonly Plain[] {
  const parts = Math.max(1, Math.ceil(content.length / PART))
  const about = { type: FILE, name, mode: octal(mode) }
  if (parts === 1) return [{ ...about, part: 0, parts, ...encode(content) }]
  // Encoded each time that a part is asked for: a large file is never there in whole beside its own bytes.
  return Array.from({ length: parts }, (_, part) => {
    const piece = content.subarray(part * PART, (part + 1) * PART)
    let encoding: 'utf8' | 'base64' | undefined
    return {
      ...about,
      part,
      parts,
      get encoding() {
        return (encoding ??= encode(piece).encoding)
      },
      get content() {
        return piece.toString((encoding ??= encode(piece).encoding))
      },
    }
  })
}

/** Takes an object apart and says where it is not what it should be. */
class Reader {
  readonly #value: Readonly<Record<string, Plain>>
  readonly #where: string
  constructor(value: Plain | undefined, where: string) {
    this.#value =
      typeof value === 'object' && !Array.isArray(value) ? (value as Readonly<Record<string, Plain>>) : {}
    this.#where = where
  }

  get type(): Plain | undefined {
    return this.#value['type']
  }

  damaged(what: string): ArchiverError {
    return new ArchiverError(
      'STORE_CORRUPT',
      `${this.#where}: what was kept of the record is damaged: ${what}`,
    )
  }

  text(key: string): string {
    const value = this.#value[key]
    if (typeof value !== 'string') throw this.damaged(`"${key}" is not text`)
    return value
  }

  number(key: string): number {
    const value = this.#value[key]
    if (typeof value !== 'number') throw this.damaged(`"${key}" is not a number`)
    return value
  }

  flag(key: string): boolean {
    return this.#value[key] === true
  }

  mode(): number {
    const mode = parseInt(this.text('mode'), 8)
    if (!(mode >= 0 && mode <= 0o7777)) throw this.damaged('"mode" is not a file mode')
    return mode
  }

  kind(): SkippedEntry['kind'] {
    const kind = this.text('kind')
    return kind === 'link' || kind === 'fifo' || kind === 'socket' || kind === 'device' ? kind : 'unknown'
  }

  texts(key: string): readonly string[] {
    return this.list(key).map((value) => {
      if (typeof value === 'string') return value
      throw this.damaged(`"${key}" holds something that is not text`)
    })
  }

  list(key: string): readonly Plain[] {
    const value = this.#value[key]
    if (!Array.isArray(value)) throw this.damaged(`"${key}" is not a list`)
    return value as readonly Plain[]
  }

  objects(key: string): readonly Reader[] {
    return this.list(key).map((value) => new Reader(value, this.#where))
  }
}

export function toJson(value: Plain): JsonValue {
  if (typeof value === 'number') return new JsonNumber(value)
  if (typeof value !== 'object') return value
  if (isList(value)) return value.map(toJson)
  return JsonObject.from(Object.entries(value).map(([key, member]) => [key, toJson(member)]))
}

/** Foreign attachments may hold anything; of ours nothing is lost on this way, for no key of ours comes twice. */
export function toPlain(value: JsonValue): Plain {
  if (value instanceof JsonNumber) return value.toNumber()
  if (value instanceof JsonObject)
    return Object.fromEntries([...value.members()].map(([key, member]) => [key, toPlain(member)]))
  return isArray(value) ? value.map(toPlain) : value
}

const isList = (value: Plain): value is readonly Plain[] => Array.isArray(value)
