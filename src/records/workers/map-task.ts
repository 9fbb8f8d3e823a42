import { ItemError, type ItemCode, type ItemPlace } from '../item-error.ts'
import type { MappedRecord } from '../map/map-record.ts'
import type { Mapping } from '../mapping/model.ts'
import { mapPayload, type PayloadOptions } from '../map-payload.ts'

/** What a thread is given when it starts: the text of the mapping and the file that has it. */
export interface MapThreadStart {
  readonly text: string
  readonly file: string
}

/** A payload that a thread is to map. */
export interface MapTask {
  readonly payload: string | Uint8Array
  readonly options: PayloadOptions
}

interface CrossingFailure {
  readonly code: ItemCode
  readonly message: string
  readonly place: ItemPlace
  readonly others: readonly CrossingFailure[]
}

/** What a thread answers: data alone, since an error would lose its code on the way. */
export type MapAnswer = { readonly record: MappedRecord } | { readonly failure: CrossingFailure }

/**
 * Maps a payload. Throws an ItemError for all that is wrong with it. An error of ours in mapping it is that item's failure as well, POISON,
 * so that no other item waits for the cure; its message may hold values and is not kept.
 */
export const mapSafely = (
  payload: string | Uint8Array,
  mapping: Mapping,
  options: PayloadOptions,
): MappedRecord => {
  try {
    return mapPayload(payload, mapping, options)
  } catch (error) {
    if (error instanceof ItemError) throw error
    const name = error instanceof Error ? error.name : 'an error'
    throw new ItemError('POISON', `mapping it met a bug of this program (${name}); please report it`)
  }
}

/** Does a task, in whatever thread. Never throws. */
export const answerOf = ({ payload, options }: MapTask, mapping: Mapping): MapAnswer => {
  try {
    return { record: mapSafely(payload, mapping, options) }
  } catch (error) {
    if (error instanceof ItemError) return { failure: packed(error) }
    throw error
  }
}

/** The record of an answer; throws its ItemError. */
export const takeAnswer = (answer: MapAnswer): MappedRecord => {
  if ('failure' in answer) throw unpacked(answer.failure)
  return answer.record
}

const packed = ({ code, message, place, others }: ItemError): CrossingFailure => ({
  code,
  message,
  place,
  others: others.map(packed),
})

const unpacked = ({ code, message, place, others }: CrossingFailure): ItemError =>
  new ItemError(code, message, place, others.map(unpacked))
