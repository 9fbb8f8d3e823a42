import { constants } from 'node:buffer'
import { isArray, JsonObject, type JsonValue } from '../../../fhicl/json/model.ts'
import { readJson } from '../../../fhicl/json/parser.ts'
import { escapeText } from '../../../fhicl/json/printer.ts'
import { IndexParts } from './index-parts.ts'
import { type CollectionIndex } from './search-index.ts'
import { SECTIONS } from '../../index-data.ts'
import { StringTable } from './string-table.ts'

/**
 * Reads an index in any layout of JSON that artdaq's reader takes: the one-line form of an empty index, an index that
 * people formatted, names with escapes. Throws `SyntaxError`, or what `readJson` throws.
 */
export function parseLooseIndex(bytes: Buffer): CollectionIndex {
  if (bytes.length > constants.MAX_STRING_LENGTH)
    throw new SyntaxError(
      `it has ${bytes.length} bytes, and is not in the layout that artdaq gives an index of this size`,
    )
  const top = readJson(bytes.toString('latin1'))
  const known = new Set<string>(['ouid', ...SECTIONS])
  const strange = top.keys.find((key) => !known.has(key))
  if (strange !== undefined) throw new SyntaxError(`"${strange}" is no section of an index`)
  const parts = new IndexParts(StringTable.EMPTY.with(listOf(top.get('ouid'), 'ouid')).table)
  for (const section of SECTIONS)
    for (const [name, items] of namesOf(top.get(section), section)) {
      for (const item of items) parts.add(section, Buffer.from(item, 'latin1'), 0, item.length)
      parts.end(section, name)
    }
  return parts.index()
}

function namesOf(value: JsonValue | undefined, section: string): ReadonlyMap<string, readonly string[]> {
  if (!(value instanceof JsonObject)) throw new SyntaxError(`"${section}" is no object`)
  const names = new Map<string, readonly string[]>()
  for (const [key, list] of value.members()) {
    const name = escapeText(key)
    names.set(name, [...(names.get(name) ?? []), ...listOf(list, section)])
  }
  return names
}

function listOf(value: JsonValue | undefined, where: string): readonly string[] {
  if (!isArray(value)) throw new SyntaxError(`"${where}" holds no list`)
  return value.map((item) => {
    if (typeof item !== 'string') throw new SyntaxError(`"${where}" holds what is no string`)
    return escapeText(item)
  })
}
