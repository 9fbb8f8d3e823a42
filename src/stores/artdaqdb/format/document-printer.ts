import { artdaqStamp } from './timestamp.ts'
import { writeJsonBytes } from '../../../fhicl/json/printer.ts'
import type { PrintedParts } from '../../../fhicl/to-json.ts'
import { freeingMemory } from '../../../platform/free-memory.ts'
import { toJson, type Plain } from './attachments.ts'
import type { IndexFacts } from '../../store.ts'
import { frameOf } from './document-frame.ts'
import { indexName } from './index-names.ts'
import { BLANK_SEAL, sealed } from './seal.ts'

/** Everything a stored document says besides its FHiCL. */
export interface DocumentFacts {
  readonly oid: string
  readonly collection: string
  readonly entity: string
  /** `<run>/<config>`. */
  readonly configuration: string
  readonly version: string
  readonly run: string
  /** Epoch milliseconds, for every stamp of the document. */
  readonly time: number
  readonly rawdata: readonly string[]
  readonly attachments: readonly Plain[]
}

/**
 * A document's bytes as artdaq's `store` makes them, key for key, in pieces; without originals, byte for byte. One that keeps
 * an original gets a seal over all of its bytes.
 */
export const documentText = (parts: PrintedParts, { time, ...facts }: DocumentFacts): DocumentPieces =>
  documentTextAt(parts, { ...facts, stamp: artdaqStamp(time) })

/** The time as artdaq writes it. */
type Stamped = Omit<DocumentFacts, 'time'> & { readonly stamp: string }

/** The same with the time as it stands in a document. */
export const documentTextAt = (parts: PrintedParts, facts: Stamped): DocumentPieces =>
  facts.rawdata.length === 0
    ? unsealedText(parts, facts)
    : sealed(unsealedText(parts, { ...facts, rawdata: [BLANK_SEAL, ...facts.rawdata] }))

/** The same without a seal. */
export function unsealedText(
  { beginning }: PrintedParts,
  { rawdata, attachments, ...names }: Stamped,
): DocumentPieces {
  const { beforeRawdata, beforeAttachments, end } = frameOf(names)
  return new DocumentPieces(
    [beginning, Buffer.from(beforeRawdata)],
    writeJsonBytes(rawdata),
    Buffer.from(attachments.length > 0 ? beforeAttachments : beforeAttachments + end),
    attachments,
    attachments.length > 0 ? Buffer.from(end) : undefined,
  )
}

/**
 * A document's bytes in pieces, which are the same each time that they are gone through. Attachments may be many times as large as all else, so
 * they are printed one by one, when their turn comes, and never held together.
 */
export class DocumentPieces implements Iterable<Buffer> {
  /** The list `origin.rawdata`, which holds the seal's place. */
  readonly rawdata: Buffer
  readonly #before: readonly Buffer[]
  readonly #behind: Buffer
  readonly #attachments: readonly Plain[]
  readonly #end: Buffer | undefined

  constructor(
    before: readonly Buffer[],
    rawdata: Buffer,
    behind: Buffer,
    attachments: readonly Plain[],
    end: Buffer | undefined,
  ) {
    this.#before = before
    this.rawdata = rawdata
    this.#behind = behind
    this.#attachments = attachments
    this.#end = end
  }

  *[Symbol.iterator](): Iterator<Buffer> {
    yield* this.#before
    yield this.rawdata
    yield this.#behind
    const free = freeingMemory()
    for (const [position, attachment] of this.#attachments.entries()) {
      if (position > 0) yield BETWEEN
      const printed = writeJsonBytes(toJson(attachment))
      yield printed
      free(printed.length)
    }
    if (this.#end) yield this.#end
  }
}

const BETWEEN = Buffer.from(',\n')

/** What the index repeats of such a document: just what reading it back would find. */
export function factsOf({ oid, version, configuration, entity, run, time }: DocumentFacts): IndexFacts {
  return {
    oid,
    version: indexName(version),
    configurations: [{ name: indexName(configuration), assigned: indexName(artdaqStamp(time)) }],
    entities: [indexName(entity)],
    aliases: [],
    runs: [indexName(run)],
  }
}
