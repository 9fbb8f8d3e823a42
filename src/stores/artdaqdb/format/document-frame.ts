import { JsonObject, type JsonArray } from '../../../fhicl/json/model.ts'
import { escapeText, writeJson } from '../../../fhicl/json/printer.ts'
import { originOf } from '../../../fhicl/to-json.ts'

/** The names and the time that the frame of a document holds, each in several places. */
export interface FrameNames {
  readonly oid: string
  readonly collection: string
  readonly entity: string
  /** `<run>/<config>`. */
  readonly configuration: string
  readonly version: string
  readonly run: string
  /** The time as artdaq writes it, for every stamp of the document. */
  readonly stamp: string
}

/** The text round `origin.rawdata` and `attachments`, behind the FHiCL. */
export interface Frame {
  readonly beforeRawdata: string
  /** Up to the first attachment. */
  readonly beforeAttachments: string
  /** From the last attachment to the end. */
  readonly end: string
}

/** The members behind the FHiCL, with the names of `FrameNames` in their places. It is printed once: each document is that text, filled in. */
const frame = (): JsonObject => {
  const named = (slot: Slot): JsonObject => JsonObject.of(['name', mark(slot)], ['assigned', mark('stamp')])
  const event = (name: string, slot: Slot): JsonObject =>
    JsonObject.of(['event', name], ['timestamp', mark('stamp')], ['value', named(slot)])
  const updates = [
    event('addConfiguration', 'configuration'),
    event('setVersion', 'version'),
    event('setCollection', 'collection'),
    event('addEntity', 'entity'),
    event('addRun', 'run'),
  ]
  const origin = originOf({ name: mark('entity'), stamp: mark('stamp') })
  return JsonObject.of(
    ['origin', origin.plus('created', mark('stamp')).plus('rawdata', mark('rawdata'))],
    ['version', mark('version')],
    ['entities', [named('entity')]],
    ['configurations', [named('configuration')]],
    ['changelog', 'notprovided'],
    [
      'bookkeeping',
      JsonObject.of(
        ['isdeleted', false],
        ['isreadonly', false],
        ['updates', updates],
        ['created', mark('stamp')],
      ),
    ],
    ['_id', JsonObject.of(['$oid', mark('oid')])],
    ['collection', mark('collection')],
    ['aliases', JsonObject.of(['active', EMPTY], ['history', EMPTY])],
    ['runs', [named('run')]],
    ['attachments', [mark('attachments')]],
    ['configtype', 'notprovided'],
  )
}
const EMPTY: JsonArray = []

type Slot = keyof FrameNames | 'rawdata' | 'attachments'
const mark = (slot: Slot): string => `@${slot}@`

/** A text, and the name that stands behind it. */
interface Piece {
  readonly text: string
  readonly slot: keyof FrameNames | undefined
}

const pieces = (): readonly (readonly Piece[])[] =>
  writeJson(frame())
    .replace('{\n', ',\n') // other members stand before them
    .split(/"@(?:rawdata|attachments)@"/)
    .map((text) => [...text.matchAll(/([^]*?)(?:"@(\w+)@"|$)/g)])
    .map((found) => found.map(([, text = '', slot]) => ({ text, slot: slot as Piece['slot'] })))
const [RAWDATA = [], ATTACHMENTS = [], END = []] = pieces()

export const frameOf = (names: FrameNames): Frame => {
  const filled = (pieces: readonly Piece[]): string => {
    let whole = ''
    for (const { text, slot } of pieces)
      whole += slot === undefined ? text : `${text}"${escapeText(names[slot])}"`
    return whole
  }
  return { beforeRawdata: filled(RAWDATA), beforeAttachments: filled(ATTACHMENTS), end: filled(END) }
}

/**
 * The names in the part of a frame that begins behind `origin.rawdata`: the way back from `frameOf`. Undefined where any of it is laid out in another
 * way or says one name in two ways, and where a name is not plain ASCII without escapes.
 */
export const namesBehind = (text: string): FrameNames | undefined => {
  BEHIND.lastIndex = 0
  return BEHIND.exec(text)?.groups as FrameNames | undefined
}

/** The text between the two lists: each name where it stands first, and the same again wherever it stands later. */
const BEHIND = ((): RegExp => {
  const met = new Set<Piece['slot']>()
  const patternOf = ({ text, slot }: Piece): string => {
    const literal = text.replace(/[[\]{}()*+?.^$|]/g, '\\$&')
    if (slot === undefined) return literal
    const isFirst = !met.has(slot)
    met.add(slot)
    return `${literal}"${isFirst ? `(?<${slot}>[ !#-[\\]-~]*)` : `\\k<${slot}>`}"`
  }
  return new RegExp(ATTACHMENTS.map(patternOf).join(''), 'y')
})()
