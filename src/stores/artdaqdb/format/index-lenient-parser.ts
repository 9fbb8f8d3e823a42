import { isArray, JsonObject, type JsonValue } from '../../../fhicl/json/model.ts'
import { readJson } from '../../../fhicl/json/parser.ts'
import { escapeText } from '../../../fhicl/json/printer.ts'
import { CollectionIndex, everySection, SECTIONS, type Names } from './search-index.ts'
import { SortedList } from './sorted-list.ts'

/**
 * Reads an index in any layout of JSON that artdaq's reader takes: the one-line form of an empty index, an index that
 * people formatted, names with escapes. Throws `SyntaxError`, or what `readJson` throws.
 */
export function parseLooseIndex(bytes: Buffer): CollectionIndex {
  const top = readJson(bytes.toString('latin1'))
  const known = new Set<string>(['ouid', ...SECTIONS])
  const strange = top.keys.find((key) => !known.has(key))
  if (strange !== undefined) throw new SyntaxError(`"${strange}" is no section of an index`)
  return new CollectionIndex(
    listOf(top.get('ouid'), 'ouid'),
    everySection((section) => namesOf(top.get(section), section)),
  )
}

function namesOf(value: JsonValue | undefined, section: string): Names {
  if (!(value instanceof JsonObject)) throw new SyntaxError(`"${section}" is no object`)
  const names = new Map<string, SortedList>()
  for (const [key, list] of value.members()) {
    const name = escapeText(key)
    const more = listOf(list, section).items
    names.set(name, names.get(name)?.with(more) ?? SortedList.of(more))
  }
  return names
}

function listOf(value: JsonValue | undefined, where: string): SortedList {
  if (!isArray(value)) throw new SyntaxError(`"${where}" holds no list`)
  return SortedList.of(
    value.map((item) => {
      if (typeof item !== 'string') throw new SyntaxError(`"${where}" holds what is no string`)
      return escapeText(item)
    }),
  )
}
