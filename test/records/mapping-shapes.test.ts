import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { MappingError } from '../../src/records/mapping/mapping-error.ts'
import { readMapping } from '../../src/records/mapping/read-mapping.ts'
import { problemsOf } from './problems-of.ts'

const mapping = (more: string, column = '{ from: /r/@v, type: text }'): string => `version: 1
record: { root: r, key: /r/@id }
tables:
  - table: t
    key: [id]
    columns:
      id: $key
      v: ${column}
${more}
`

describe('a part of a mapping that has another shape than it should', () => {
  it.each([
    ['enums: { e: [A, B] }', '9:13: enum e: must be a map of codes and values, as { NEW: 1 }'],
    ['enums: { e: A }', '9:13: enum e: must be a map of codes and values'],
    ['bits: { b: }', '9:12: bits b: must be a map of codes and values'],
    [
      'enums: { e: { ignore_case: true, otherwise: 9 } }',
      '9:15: enum e: ignore_case needs values beside it, as { ignore_case: ..., values: { NEW: 1 } }',
    ],
    ['enums: { e: { NEW: 1, otherwise: 9 } }', '9:23: enum e: otherwise needs values beside it'],
    ['enums: { e: { quiet: true, NEW: 1 } }', '9:15: enum e: quiet needs values beside it'],
    ['enums: { e: { ignore_case: true, values: [A] } }', '9:34: enum e: values must be a map of codes'],
    ['lists: { l: { require: { "@k": [A] } } }', '9:13: list l: each is missing'],
    ['lists: { l: { each: null } }', '9:13: list l: each is missing'],
    [
      'lists: { l: { each: /r/p, require: { "@k": [[A], B] } } }',
      '9:45: list l: require @k: must be "present" or a list of values',
    ],
    [
      'lists: { l: { each: /r/p, require: { "@k": } } }',
      'list l: require @k: must be "present" or a list of values',
    ],
    [
      'lists: { l: { each: /r/p, require: { "@k": { A: 1 } } } }',
      '9:44: list l: require @k: must be "present" or a list of values',
    ],
    [
      'lists: { l: { each: /r/p, require: } }',
      '9:27: list l: require has no value; give one or leave it out',
    ],
    [
      'lists: { l: { each: /r/p, unique: { by: "@id", prefer: { "@k": [A], "@j": [B] } } } }',
      '9:56: unique: prefer must name one path with its values, as { "@kind": [HOME, WORK] }',
    ],
    [
      'lists: { l: { each: /r/p, unique: { by: "@id", prefer: { "@k": present } } } }',
      '9:56: unique: prefer @k needs an order: give its values as { "@k": [...] }',
    ],
    [
      'lists: { l: { each: /r/p, unique: { by: "@id", prefer: ["@k"] } } }',
      '9:56: unique: prefer must be a path, or one path with its values',
    ],
    ['namespaces: { p: [x] }', '9:18: namespaces: p must be a text, the namespace of the prefix'],
    ['namespaces: { p: "" }', '9:18: namespaces: p must be a text'],
    ['null_words: [a, *b]', '9:17: no anchor &b stands before *b'],
    ['enums: { e: { [A]: 1, B: 2 } }', '9:15: a name must be a text'],
    [
      '  - { table: u, key: [a], rows: [{ set: { a: 1, b: 2 }, needs: { above_zero: a, b: 1 } }] }',
      '9:64: table u, row 1: needs must name columns of the row',
    ],
  ])('has a problem with its place: %s', (more, message) => {
    const problems = problemsOf(mapping(more))
    expect(problems).toEqual([expect.stringContaining(message) as string])
    expect(problems[0]).toMatch(/^m\.yaml:9:\d+: /)
  })

  it.each([
    ['', 'has no value; write null where none is meant'],
    ['{ value: [1] }', 'value must be one value'],
    ['{ value: { a: 1 } }', 'value must be one value'],
    ['{ from: , type: text }', 'from has no value; give one or leave it out'],
    ['{ from: null }', 'from is null; write value: null where no value is meant'],
    ['{ from: /r/@v, required: }', 'required has no value; give one or leave it out'],
    ['{ expr: "1", take: first }', 'take needs from with a path'],
    ['{ value: 1, warn_repeated: true }', 'warn_repeated needs from with a path'],
    ['{ from: /r/@v, names_at: /r/a }', 'names_at needs expr'],
    ['{ from: /r/@v, names_at: [/r/a] }', 'names_at must be a text'],
    ['{ from: { list: /r/a, value: "@b" }, take: first }', 'take stands inside from, beside its list'],
    ['{ from: /r/@v, else: { from: /r/@w, enum: e, bit: b } }', 'else: has enum and bit: one is needed'],
    ['{ from: /r/@v, type: text, null_words: [[none]] }', 'null_words must be a list of texts'],
  ])('has a problem with its place in the column "%s"', (column, message) => {
    const problems = problemsOf(mapping('enums: { e: { A: 1 } }\nbits: { b: { A: 1 } }', column))
    expect(problems.join('\n')).toContain(message)
    expect(problems[0]).toMatch(/^m\.yaml:8:\d+: /)
  })

  it.each(['', '# nothing\n'])('has a problem where nothing is in the file', (text) => {
    expect(problemsOf(text)).toEqual(['m.yaml:1:1: the file is empty'])
  })

  it('names a wrong setting of a table once', () => {
    expect(problemsOf(mapping('    kye: [id]'))).toEqual(['m.yaml:9:5: table t: kye is no setting here'])
  })
})

describe('what looks alike and is meant', () => {
  it.each([
    'enums: { volume: { quiet: 1, loud: 2 } }',
    'bits: { volume: { quiet: true, loud: false } }',
    'enums: { e: { values: 1 } }',
    'enums: { e: { otherwise: 9, values: { otherwise: 1, ignore_case: 2, quiet: 3 } } }',
    'enums: { e: { otherwise: 9, values: {} } }',
    'enums: { e: { null: 1, "": 0 } }',
    'lists: { l: { each: /r/p, require: { "@k": A, "@j": [present], "@i": "" } } }',
    'lists: { l: { each: /r/p, unique: { by: "@id", prefer: { "@k": A } } } }',
    'lists: { l: { each: /r/p, min: null, unique: ~ } }',
    'enums: null',
    '  - { table: u, key: a, rows: [{ set: { a: 1, b: null }, needs: { above_zero: a } }] }',
    'namespaces: { p: "urn:x" }',
    'null_words: [null, none]',
  ])('stays as it is: %s', (more) => {
    expect(problemsOf(mapping(more))).toEqual([])
  })
})

type Value = string | number | boolean | null | readonly Value[] | { readonly [name: string]: Value }

/** Has every setting, so that each has its node to replace. */
const WHOLE = parse(`
version: 1
namespaces: { p: "urn:p" }
attribute_case: ignore
date_formats: [M/D/YYYY, ISO]
repeated_names: last
source: { table: s, key: k, payload: x, format: json }
record: { root: r, key: /r/@id, key_type: text }
limits: { bytes: 1MiB, depth: 50, nodes: 1000, attributes: 20 }
null_words: [none, nil]
required: [/r/a, /r/b]
lists:
  people:
    each: /r/p
    require: { "@id": present, "@role": [MAIN, OTHER], "@state": LIVE }
    ignore_case: true
    otherwise: fail
    any_of: ["@name", "@mail"]
    unique: { by: ["@id", "@role"], prefer: "@role", then: first }
    min: 1
    max: 3
  places:
    each: people/place
    unique: { by: "@id", prefer: { "@kind": [HOME, WORK] } }
tables:
  - table: t
    key: [id]
    shared: true
    skip_when_empty: true
    columns:
      id: $key
      fixed: 5
      chosen: { from: { list: /r/p/a, where: { "@k": [X], "@j": present }, ignore_case: true, prefer: { "@kind": [HOME, WORK] }, take: first, value: { list: b, where: { "@l": [Y] }, value: "@town" } } }
      path: { from: /r/@v, take: last, warn_repeated: true, type: text, length: 5, required: true, default: 7, default_aside: true, null_words: [x], on_long: cut, trim: false, strip: "-" }
      number: { from: /r/@n, type: decimal, precision: 9, scale: 2, round: half_up, digits: true, grouping: ",", on_bad: "null" }
      date: { from: /r/@d, type: date, formats: [M/D/YYYY, ISO], else: $now }
      enum: { from: /r/@e, enum: states, on_unknown: "null", else: { expr: "a.b", names_at: /r/a, enum: plain } }
      bit: { from: /r/@b, bit: yn }
      sum: { expr: "a.b + 1", names_at: /r/a }
      constant: { value: abc }
  - table: u
    each: people
    key: [id, n]
    rows:
      - { set: { id: "@id", n: 1, m: 2 }, when: "r.a > 1", needs: [m, { above_zero: n }] }
      - { set: { id: "@id", n: 2, m: 2 } }
enums: { states: { ignore_case: true, otherwise: 9, quiet: true, values: { NEW: 1, "": 0 } }, plain: { A: 1, B: x } }
bits: { yn: { Y: true, N: 0 } }
`) as Value

interface Place {
  readonly path: readonly (string | number)[]
  readonly value: Value
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value)
const shapeOf = (value: Value): 'list' | 'map' | 'scalar' =>
  isList(value) ? 'list' : typeof value === 'object' && value !== null ? 'map' : 'scalar'

const placesIn = (value: Value, path: readonly (string | number)[] = []): Place[] => [
  { path, value },
  ...(isList(value)
    ? value.flatMap((item, index) => placesIn(item, [...path, index]))
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, item]) => placesIn(item, [...path, name]))
      : []),
]

const replaced = (value: Value, [step, ...rest]: readonly (string | number)[], by: Value): Value => {
  if (step === undefined) return by
  if (isList(value)) return value.map((item, index) => (index === step ? replaced(item, rest, by) : item))
  return Object.fromEntries(
    Object.entries(value as object).map(([name, item]: [string, Value]) => [
      name,
      name === step ? replaced(item, rest, by) : item,
    ]),
  )
}

/** What a mapping was read as, without places. */
const readingOf = (text: string): string | undefined => {
  try {
    return JSON.stringify(readMapping(text, 'm.yaml'), (name, value: unknown) => {
      if (name === 'at') return undefined
      if (typeof value === 'bigint') return `${value}n`
      return value instanceof Map || value instanceof Set ? [...value] : value
    })
  } catch (error) {
    if (error instanceof MappingError && error.problems.length > 0) return undefined
    throw error
  }
}

/** Without the part at a path of names. */
const without = (value: Value, [step, ...rest]: readonly (string | number)[]): Value => {
  if (isList(value))
    return value.flatMap((item, index) =>
      index !== step ? [item] : rest.length === 0 ? [] : [without(item, rest)],
    )
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, item]: [string, Value]) =>
      name !== step ? [[name, item]] : rest.length === 0 ? [] : [[name, without(item, rest)]],
    ),
  )
}

const yamlOf = (value: Value): string => stringify(value, { nullStr: '' })

const OTHERS = {
  list: (value: Value): Value => [value],
  map: (value: Value): Value => ({ name: value }),
  scalar: (): Value => 7,
  nothing: (): Value => null,
} as const

/** Another shape that is another way to write a mapping: what it says is meant. */
const isMeant = ({ path, value }: Place, shape: keyof typeof OTHERS): boolean => {
  const [last, before] = [path.at(-1), path.at(-2)]
  // One text may stand for a list of them.
  if (shapeOf(value) === 'list' && shape === 'scalar')
    return last === 'null_words' || before === 'require' || before === 'where' || before === 'prefer'
  // One value may be preferred to all others.
  if (shapeOf(value) === 'scalar' && shape === 'map') return last === 'prefer'
  // In a list of values "present" is a value.
  if (value === 'present' && shape === 'list') return true
  // A column with a fixed value.
  return shapeOf(value) === 'map' && shape === 'scalar' && (before === 'columns' || before === 'set')
}

const SHAPES = Object.keys(OTHERS) as (keyof typeof OTHERS)[]

/** The parts that were read as something else without a problem. */
const misread = (whole: Value, places: readonly Place[]): string[] => {
  const sound = readingOf(yamlOf(whole))
  return places.flatMap((place) =>
    SHAPES.filter((shape) => {
      if (shapeOf(place.value) === shape || isMeant(place, shape)) return false
      const reading = readingOf(yamlOf(replaced(whole, place.path, OTHERS[shape](place.value))))
      return reading !== undefined && reading !== sound
    }).map((shape) => `${place.path.join('.')}: ${shape}`),
  )
}

describe('a mapping with one part in another shape', () => {
  const everywhere = placesIn(WHOLE)
  it('is read the same as before or has a problem, where it has every setting', () => {
    expect(problemsOf(yamlOf(WHOLE))).toEqual([])
    expect(misread(WHOLE, everywhere)).toEqual([])
  })
  it('is read the same as before or has a problem, where it has some settings', () => {
    const some = fc
      .subarray(everywhere.slice(1), { maxLength: 6 })
      .map((gone) => gone.reduce((value, { path }) => without(value, path), WHOLE))
      .filter((mapping) => readingOf(yamlOf(mapping)) !== undefined)
    fc.assert(
      fc.property(
        some.chain((whole) => fc.tuple(fc.constant(whole), fc.constantFrom(...placesIn(whole)))),
        ([whole, place]) => {
          expect(misread(whole, [place])).toEqual([])
        },
      ),
      { numRuns: 50 },
    )
  })
})
