import { createHash, hash } from 'node:crypto'
import { isArray, JsonObject, type JsonValue } from '../../../fhicl/json/model.ts'
import { writeJsonBytes } from '../../../fhicl/json/printer.ts'

/** How the string of `origin.rawdata` begins that holds a document's seal (docs/FORMATS.md, "The seal"). */
const HEAD = 'seal sha256 - -\n'
const DIGITS = 64
const ZEROS = Buffer.alloc(DIGITS, '0')

/** What the seal is while it is computed: it stands before all other strings of `origin.rawdata`. */
export const BLANK_SEAL = `${HEAD}${ZEROS.toString()}`

/** Whether a string of `origin.rawdata` is a seal. */
export const isSeal = (text: string): boolean => text.startsWith(HEAD)

/** The digits of a seal, as they stand in a document's bytes; undefined for a string that is not whole. */
export const sealOf = (text: string): Buffer | undefined =>
  isSeal(text) && /^[0-9a-f]{64}$/.test(text.slice(HEAD.length))
    ? Buffer.concat([PLACE, Buffer.from(text.slice(HEAD.length))])
    : undefined

/** From the first string of `origin.rawdata` to the digits of the seal in it. */
const BEFORE_SEAL = `"${HEAD.replace('\n', '\\n')}`

/** No string holds this: a quote or a line end inside one is escaped. */
const PLACE = Buffer.from(`"rawdata" : [\n${BEFORE_SEAL}`)

/** Where the first string of `origin.rawdata` begins, which is the seal. */
export const rawdataFrom = (sealAt: number): number => sealAt - BEFORE_SEAL.length

/** Where the seal's digits stand in a document's bytes, behind its FHiCL; undefined where none stands in the place that this program gives it. */
export const sealPlace = (bytes: Buffer): number | undefined => {
  const at = bytes.lastIndexOf(PLACE)
  return at < 0 ? undefined : at + PLACE.length
}

/** A document's bytes, in pieces of which `rawdata` has a blank seal as its first string, with the seal of all of them in its place. */
export const sealed = <Pieces extends Iterable<Buffer> & { readonly rawdata: Buffer }>(
  pieces: Pieces,
): Pieces => {
  const digest = createHash('sha256')
  for (const piece of pieces) digest.update(piece)
  pieces.rawdata.write(digest.digest('hex'), BEFORE_DIGITS, 'latin1')
  return pieces
}

/** From the beginning of a list of strings to what follows the head of the first. */
const BEFORE_DIGITS = `[\n"${HEAD.replace('\n', '\\n')}`.length

/** Whether a document's bytes are those that its seal was made of; undefined where it has no seal in its place (`sealPlace`). */
export const sealFits = (bytes: Buffer, at = sealPlace(bytes)): boolean | undefined => {
  if (at === undefined || at + DIGITS > bytes.length) return at === undefined ? undefined : false
  const digits = bytes.toString('latin1', at, at + DIGITS)
  // Blanked for a moment: one digest of the whole is quicker than one of three pieces.
  ZEROS.copy(bytes, at)
  const digest = hash('sha256', bytes)
  bytes.write(digits, at, 'latin1')
  return digest === digits
}

/** The same of a document that comes in pieces. */
export class SealCheck {
  readonly #digits: string
  readonly #place: number
  readonly #hash = createHash('sha256')
  #offset = 0

  /** `digits`: the seal; `place`: where it stands in the document. */
  constructor(digits: Buffer, place: number) {
    this.#digits = digits.toString('latin1')
    this.#place = place
  }

  take(piece: Buffer): void {
    const from = Math.min(Math.max(this.#place - this.#offset, 0), piece.length)
    const to = Math.min(Math.max(this.#place + DIGITS - this.#offset, 0), piece.length)
    this.#hash
      .update(piece.subarray(0, from))
      .update(ZEROS.subarray(0, to - from))
      .update(piece.subarray(to))
    this.#offset += piece.length
  }

  fits(): boolean {
    return this.#hash.digest('hex') === this.#digits
  }
}

/** The seal of a document and where it stands in its bytes; undefined where none stands in the place that this program gives it. */
export const sealIn = (bytes: Buffer): { readonly digits: Buffer; readonly at: number } | undefined => {
  const at = sealPlace(bytes)
  return at === undefined ? undefined : { digits: bytes.subarray(at, at + DIGITS), at }
}

/**
 * Where the members begin that stand behind the FHiCL, in bytes that fit their seal (`sealAt`): those are what this program wrote, in its own layout, in
 * which no string holds a line end. Undefined for what is not in that layout.
 */
export const membersBehind = (bytes: Buffer, sealAt: number): number | undefined => {
  const origin = bytes.lastIndexOf(ORIGIN, sealAt)
  return origin < 0 ? undefined : origin + 1
}
const ORIGIN = Buffer.from('\n"origin" : {\n')

/** How many updates `bookkeeping` lists of a document that nobody has changed since it was stored. */
const FIRST_UPDATES = 5

/**
 * A document as it was stored, made of one that artdaq's tools have changed since, or that was laid out anew: they add names, aliases and updates,
 * remove them, and set the two flags of `bookkeeping`; the first updates say what stood there. Of a document without further updates nothing is left out.
 */
export const asStored = (document: JsonObject): JsonObject => {
  const bookkeeping = document.get('bookkeeping')
  const updates = bookkeeping instanceof JsonObject ? bookkeeping.get('updates') : undefined
  if (!(bookkeeping instanceof JsonObject) || !isArray(updates) || updates.length <= FIRST_UPDATES)
    return document
  const [configuration, , , entity, run] = updates.map((update) =>
    update instanceof JsonObject ? update.get('value') : undefined,
  )
  const only = (value: JsonValue | undefined): JsonValue => (value === undefined ? [] : [value])
  return document
    .with('entities', only(entity))
    .with('configurations', only(configuration))
    .with('runs', only(run))
    .with('aliases', JsonObject.of(['active', []], ['history', []]))
    .with(
      'bookkeeping',
      bookkeeping
        .with('isdeleted', false)
        .with('isreadonly', false)
        .with('updates', updates.slice(0, FIRST_UPDATES)),
    )
}

/** Whether a document that was changed by artdaq's tools, or laid out anew, still says all that its seal was made of. */
export const sealFitsContent = (document: JsonObject): boolean =>
  sealFits(writeJsonBytes(asStored(document))) ?? false
