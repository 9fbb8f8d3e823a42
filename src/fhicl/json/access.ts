import { isArray, JsonObject, type JsonValue } from './model.ts'

/** The value where it is an object. */
export const objectIn = (value: JsonValue | undefined): JsonObject | undefined =>
  value instanceof JsonObject ? value : undefined

/** The objects of an array; none where it is something else. */
export const objectsIn = (value: JsonValue | undefined): readonly JsonObject[] =>
  isArray(value) ? value.filter((entry) => entry instanceof JsonObject) : []

/** The value where it is text; empty text otherwise. */
export const textIn = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '')

/** The texts of an array; none where it is something else. */
export const textsIn = (value: JsonValue | undefined): readonly string[] =>
  isArray(value) ? value.filter((entry) => typeof entry === 'string') : []
