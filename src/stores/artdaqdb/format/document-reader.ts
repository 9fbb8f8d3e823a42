import { objectIn, objectsIn, textIn, textsIn } from '../../../fhicl/json/access.ts'
import { isArray, type JsonObject, type JsonValue } from '../../../fhicl/json/model.ts'
import { type JsonOutline, membersFrom, outlineOf } from '../../../fhicl/json/lazy-parser.ts'
import { readJson } from '../../../fhicl/json/parser.ts'
import { writeJsonBytes } from '../../../fhicl/json/printer.ts'
import type { PrintedParts } from '../../../fhicl/to-json.ts'
import { ArchiverError, messageOf } from '../../../errors.ts'
import type { Members } from './document-members.ts'
import type { RecordManifest } from '../../run-record.ts'
import { isManifest, readAttachments, toPlain, type Attachments, type Plain } from './attachments.ts'
import type { IndexFacts } from '../../store.ts'
import { readOriginals, type Originals } from './originals.ts'
import { factsOf, factsOfNames } from './document-facts.ts'
import { indexName } from './index-names.ts'
import { isSeal, membersBehind, sealFits, sealPlace } from './seal.ts'
import { sealedParts, type SealedParts } from './sealed-parts.ts'

/** A document as it stands in a collection, taken apart as far as it is asked for. Asking throws STORE_CORRUPT where that part is damaged. */
export class Stored {
  readonly path: string
  readonly facts: IndexFacts
  /** The file's. */
  readonly bytes: Buffer
  /** Whether the bytes fit the seal in them; undefined where none stands in its place. */
  readonly fitsSeal: boolean | undefined
  readonly #members: Members
  readonly #whole: () => JsonObject
  readonly #apart: Attachments | undefined
  readonly #sealed: SealedParts | undefined
  #kept: readonly string[] | undefined

  /** `whole` reads the document to its end; it throws STORE_CORRUPT. */
  constructor(members: Members, whole: () => JsonObject, file: DocumentFile) {
    const { bytes, oid, path, fitsSeal, apart, sealed } = file
    this.path = path
    this.bytes = bytes
    this.fitsSeal = fitsSeal
    this.#apart = apart
    this.#sealed = sealed
    this.#members = members
    this.#whole = whole
    this.facts = sealed ? factsOfNames(sealed.names, oid) : factsOf(members, oid)
  }

  /** All of it. */
  get json(): JsonObject {
    return this.#whole()
  }

  /** When it was made (`bookkeeping.created`); empty where it does not say. */
  get created(): string {
    return textIn(objectIn(this.#members.get('bookkeeping'))?.get('created'))
  }

  /** Names that artdaq's tools have taken from it: its updates say so, and an index keeps them. */
  removed(event: 'removeEntity' | 'removeConfiguration' | 'removeAlias'): readonly string[] {
    if (this.fitsSeal === true) return [] // nobody has changed it since it was stored
    return objectsIn(objectIn(this.#members.get('bookkeeping'))?.get('updates'))
      .filter((update) => update.get('event') === event)
      .map((update) => indexName(textIn(objectIn(update.get('value'))?.get('name'))))
  }

  /** The oid it gives itself, which should be its file's name. */
  get ownOid(): string {
    return this.#sealed?.names.oid ?? textIn(objectIn(this.#members.get('_id'))?.get('$oid'))
  }

  /** The collection it gives itself. */
  get ownCollection(): string {
    return this.#sealed?.names.collection ?? textIn(this.#members.get('collection'))
  }

  /** Parameters and comments, as artdaq's JSON: equal texts are equal documents, whenever and by whom they were stored. */
  get content(): string {
    const { json } = this
    const [data, metadata] = [this.#part(json, 'data'), this.#part(json, 'metadata')]
    return contentOf({ data: writeJsonBytes(data), metadata: writeJsonBytes(metadata) })
  }

  /** The strings of `origin.rawdata`, without the seal. */
  get rawdata(): readonly string[] {
    return this.#strings.filter((text) => !isSeal(text))
  }

  /** The string that is its seal, wherever it stands. */
  get seal(): string | undefined {
    return this.#strings.find(isSeal)
  }

  /** Whether it holds a seal. */
  get hasSeal(): boolean {
    return this.#sealed !== undefined || this.seal !== undefined
  }

  /** Whether the two lists are there that every document has, and that ours keep originals and manifest in. */
  get hasRoom(): boolean {
    return isArray(this.#rawdata) && isArray(this.#members.get('attachments'))
  }

  get #rawdata(): JsonValue | undefined {
    return objectIn(this.#members.get('origin'))?.get('rawdata')
  }

  /** Kept, unless they are large: several parts of a proof ask. */
  get #strings(): readonly string[] {
    if (this.#kept) return this.#kept
    const strings = this.#sealed ? this.#sealed.strings() : textsIn(this.#rawdata)
    if (this.bytes.length <= LARGE) this.#kept = strings
    return strings
  }

  get attachments(): readonly Plain[] {
    const value = this.#members.get('attachments')
    return isArray(value) ? value.map(toPlain) : []
  }

  /** The record's file that it was made from, where we stored it. Throws STORE_CORRUPT where that is damaged. */
  get originals(): Originals {
    return readOriginals(this.rawdata, this.path)
  }

  /** The manifest and the files that it carries for its run, where we stored it. Throws STORE_CORRUPT likewise. */
  get kept(): Attachments {
    return this.#apart ?? readAttachments(this.#eachAttachment(), this.path)
  }

  /** The manifest alone, without the files beside it. Throws STORE_CORRUPT likewise. */
  get manifest(): RecordManifest | undefined {
    if (this.#apart) return this.#apart.manifest
    for (const value of this.#eachAttachment()) {
      const { manifest } = isManifest(value) ? readAttachments([value], this.path) : { manifest: undefined }
      if (manifest) return manifest
    }
    return undefined
  }

  /** The same document without its attachments, which may be many times as large as all else: for who has read them. */
  withoutAttachments(): Stored {
    const bytes = this.#members.bytesWith?.('attachments', '[\n\n]')
    return bytes ? readStored(bytes, this.facts.oid, this.path) : this
  }

  /** One after the other, so that those of a large document are never there together. */
  *#eachAttachment(): Generator<Plain> {
    for (const value of this.#members.items?.('attachments') ?? []) yield toPlain(value)
    if (!this.#members.items) yield* this.attachments
  }

  /** Throws STORE_CORRUPT, naming the file, where originals or manifest are damaged. */
  checkOriginals(): void {
    readOriginals(this.rawdata, this.path)
    readAttachments(this.#eachAttachment(), this.path)
  }

  /** Reads it to its end. Throws STORE_CORRUPT, naming the file, where any of it is no document. */
  checkWhole(): void {
    this.#whole()
  }

  #part(json: JsonObject, name: 'data' | 'metadata'): JsonObject {
    const part = objectIn(objectIn(json.get('document'))?.get(name))
    if (part) return part
    throw new ArchiverError('STORE_CORRUPT', `${this.path} has no document.${name}`)
  }
}

/** Of a document that is larger, nothing is held besides its bytes. */
const LARGE = 1 << 20

interface DocumentFile {
  readonly bytes: Buffer
  readonly oid: string
  readonly path: string
  readonly fitsSeal: boolean | undefined
  /** Its attachments, where the bytes are without them. */
  readonly apart: Attachments | undefined
  /** Where it fits its seal and stands in this program's layout. */
  readonly sealed: SealedParts | undefined
}

/**
 * Takes a document from its file's bytes. The parameters, nine tenths of it, are read when they are asked for, as are
 * originals and attachments; what is damaged there shows then, or at `checkWhole`. Throws STORE_CORRUPT, naming the file,
 * where it is no document. `apart`: what a large document keeps, which is not in these bytes (`readInPieces`).
 */
export function readStored(bytes: Buffer, oid: string, path: string, apart?: Attachments): Stored {
  const whole = (): JsonObject =>
    naming(path, () => {
      const json = readJson(bytes.toString('utf8'))
      if (!objectIn(json.get('document'))) throw new ArchiverError('STORE_CORRUPT', 'it holds no document')
      return json
    })
  const sealAt = sealPlace(bytes)
  // What was taken apart was proved before.
  const fitsSeal = apart ? true : sealFits(bytes, sealAt)
  const known = fitsSeal === true && sealAt !== undefined ? sealAt : undefined
  const sealed = known === undefined ? undefined : sealedParts(bytes, known)
  const file = { bytes, oid, path, fitsSeal, apart, sealed }
  // The parameters of a document that fits its seal need not be gone through to find what stands behind them.
  const behind = known === undefined ? undefined : membersBehind(bytes, known)
  const outlined = once(() => (behind === undefined ? outlineOf(bytes) : membersFrom(bytes, behind)))
  const isOutlined = (): boolean =>
    outlined() !== undefined && (behind !== undefined || outlined()?.holdsObject('document') === true)
  return new Stored(sealed || isOutlined() ? membersOf(outlined, whole) : whole(), whole, file)
}

/** Members each of which is read when it is asked for; where it cannot be, `whole` says what is wrong. */
const membersOf = (outlined: () => JsonOutline | undefined, whole: () => JsonObject): Members => ({
  get: (key) => {
    try {
      return (outlined() ?? whole()).get(key)
    } catch {
      return whole().get(key) // throws, and names the place in the file
    }
  },
  items: function* (key) {
    try {
      const value = outlined() ? undefined : whole().get(key)
      yield* outlined()?.items(key) ?? (isArray(value) ? value : [])
    } catch (error) {
      whole() // throws, and names the place in the file
      throw error
    }
  },
  bytesWith: (key, text) => outlined()?.bytesWith(key, text),
})

const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

function naming<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new ArchiverError('STORE_CORRUPT', `${path} is damaged: ${messageOf(error)}`, { cause: error })
  }
}

/** What two equal documents have in common. */
export const contentOf = ({ data, metadata }: Pick<PrintedParts, 'data' | 'metadata'>): string =>
  `${data.toString()}\n${metadata.toString()}`
