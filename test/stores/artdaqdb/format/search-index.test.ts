import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { IndexFacts } from '../../../../src/stores/store.ts'
import { parseIndex } from '../../../../src/stores/artdaqdb/format/index-codec.ts'
import { indexText } from '../../../../src/stores/artdaqdb/format/index-text.ts'
import { SECTIONS, type Section } from '../../../../src/stores/index-data.ts'
import { CollectionIndex } from '../../../../src/stores/artdaqdb/format/search-index.ts'
import { StringTable } from '../../../../src/stores/artdaqdb/format/string-table.ts'
import { sized } from '../../../sized.ts'

/** The same index in plain sets and maps: what it must say. */
class Plain {
  readonly ouid = new Set<string>()
  readonly sections = new Map(SECTIONS.map((section) => [section, new Map<string, Set<string>>()]))

  add({ oid, version, configurations, entities, aliases, runs }: IndexFacts): void {
    this.ouid.add(oid)
    this.#put('version', version, oid)
    for (const { name, assigned } of configurations) {
      this.#put('configurations.name', name, oid)
      this.#put('configurations.assigned', name, assigned)
    }
    for (const name of entities) this.#put('entities.name', name, oid)
    for (const name of aliases) this.#put('aliases.active.name', name, oid)
    for (const name of runs) this.#put('runs.name', name, oid)
  }

  remove(oids: ReadonlySet<string>): void {
    for (const oid of oids) this.ouid.delete(oid)
    for (const [section, names] of this.sections)
      for (const [name, items] of names) {
        if (section === 'configurations.assigned') continue
        for (const oid of oids) items.delete(oid)
        if (items.size === 0) names.delete(name)
      }
    const stamps = this.sections.get('configurations.assigned')!
    for (const name of stamps.keys())
      if (!this.sections.get('configurations.name')?.has(name)) stamps.delete(name)
  }

  #put(section: Section, name: string, item: string): void {
    const names = this.sections.get(section)!
    names.set(name, (names.get(name) ?? new Set()).add(item))
  }
}

const listsOf = (index: CollectionIndex): unknown => [
  index.ouid.items,
  ...SECTIONS.map((section) => [...index.section(section)].map(([name, list]) => [name, list.items])),
]
const plainListsOf = (plain: Plain): unknown => [
  [...plain.ouid].sort(),
  ...SECTIONS.map((section) =>
    [...plain.sections.get(section)!].map(([name, items]) => [name, [...items].sort()]),
  ),
]

const read = (text: string): CollectionIndex => parseIndex(Buffer.from(text, 'latin1'), 'index.json')
const textOf = (index: CollectionIndex): string => Buffer.concat([...indexText(index)]).toString('latin1')

// Bytes as they stand in a file: also such as UTF-8 is made of, and names of which one begins another.
const name = fc.constantFrom('1', '10', '1/a', '10/a', '10/ab', '9/a', 'a', '', 'Ã¼', '~', '1/av1')
const oid = fc.oneof(
  fc.nat(40).map((n) => n.toString(16).padStart(24, 'f')),
  fc.constantFrom('short', 'Ã¼', ''),
)
const names = fc.array(name, { maxLength: 2 })
const facts: fc.Arbitrary<IndexFacts> = fc.record({
  oid,
  version: name,
  configurations: fc.array(fc.record({ name, assigned: fc.constantFrom('2026', '2027', 'x', '') }), {
    maxLength: 2,
  }),
  entities: names,
  aliases: names,
  runs: names,
})
const change = fc.oneof(
  { weight: 3, arbitrary: fc.record({ add: fc.array(facts, { maxLength: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ remove: fc.array(oid, { maxLength: 6 }) }) },
  { weight: 1, arbitrary: fc.constantFrom('read again', 'given to another thread') },
)

describe('an index that grows, shrinks, is read again and is given to another thread', () => {
  it('says what plain sets and maps say', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const plain = new Plain()
        let index = CollectionIndex.EMPTY
        for (const one of changes) {
          const before = listsOf(index)
          const old = index
          if (one === 'read again') index = read(textOf(index))
          else if (one === 'given to another thread')
            index = CollectionIndex.ofData(structuredClone(index.data))
          else if (typeof one !== 'string' && 'add' in one) {
            for (const document of one.add) plain.add(document)
            index = index.plus(one.add)
          } else if (typeof one !== 'string') {
            plain.remove(new Set(one.remove))
            index = index.minus(new Set(one.remove))
          }
          expect(listsOf(index)).toEqual(plainListsOf(plain))
          expect(listsOf(old)).toEqual(before)
        }
        for (const section of SECTIONS)
          for (const [name, items] of plain.sections.get(section)!) {
            expect(index.section(section).has(name)).toBe(true)
            for (const item of items) expect(index.list(section, name).has(item)).toBe(true)
            expect(index.list(section, name).has('never')).toBe(false)
          }
        expect(index.section('version').has('never')).toBe(false)
      }),
      { numRuns: sized(80, 300) },
    )
  })

  it('finds the names that begin with a text', () => {
    fc.assert(
      fc.property(fc.array(facts), fc.constantFrom('', '1', '1/', '10/', 'b'), (documents, text) => {
        const section = CollectionIndex.EMPTY.plus(documents).section('configurations.name')
        const expected = [...section.keys()].filter((name) => name.startsWith(text)).sort()
        expect([...section.beginningWith(text)]).toEqual(expected)
      }),
    )
  })
})

describe('an index whose lists are not as artdaq leaves them', () => {
  const index = CollectionIndex.EMPTY.plus([
    { oid: 'b', version: 'v', configurations: [{ name: 'c', assigned: 't' }], entities: ['e'], aliases: [], runs: [] },
    { oid: 'a', version: 'v', configurations: [], entities: ['e'], aliases: [], runs: [] },
  ]) // prettier-ignore
  const changed = (from: string, to: string): CollectionIndex => {
    expect(textOf(index)).toContain(from)
    return read(textOf(index).replace(from, to))
  }

  it('is read as if they were sorted and single', () => {
    const before = '"v" : [\n"a",\n"b"\n]'
    for (const list of ['"v" : [\n"b",\n"a"\n]', '"v" : [\n"b",\n"a",\n"b"\n]'])
      expect(listsOf(changed(before, list))).toEqual(listsOf(index))
  })
  it('keeps a document that only a list names', () => {
    const found = changed('"e" : [\n"a",\n"b"', '"e" : [\n"a",\n"aa",\n"b"')
    expect(found.list('entities.name', 'e').items).toEqual(['a', 'aa', 'b'])
    expect(found.ouid.items).toEqual(['a', 'b'])
    expect(found.ouid.has('aa')).toBe(false)
  })
})

describe('a table of strings', () => {
  it('is a sorted set, and finds what is in it', () => {
    const strings = fc.array(fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('ab', 'cd', 'Ã¼')))
    fc.assert(
      fc.property(strings, strings, (first, second) => {
        const before = StringTable.EMPTY.with(first).table
        const { table, moved } = before.with(second)
        const all = [...new Set([...first, ...second])].sort()
        expect(Array.from({ length: table.size }, (_, number) => table.at(number))).toEqual(all)
        for (const [number, text] of all.entries()) expect(table.find(text)).toBe(number)
        for (let number = 0; number < before.size; number++)
          expect(table.at(moved[number] ?? -1)).toBe(before.at(number))
        expect(table.find('never')).toBeUndefined()
        expect(table.find('łł')).toBeUndefined()
      }),
    )
  })
})
