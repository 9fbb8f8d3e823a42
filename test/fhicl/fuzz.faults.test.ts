import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isArray, JsonObject, type JsonValue } from '../../src/fhicl/json/model.ts'
import { readJson } from '../../src/fhicl/json/parser.ts'
import { writeJson } from '../../src/fhicl/json/printer.ts'
import type { FhiclDocument } from '../../src/fhicl/document.ts'
import { FhiclError } from '../../src/fhicl/error.ts'
import { fhiclFromJson } from '../../src/fhicl/from-json.ts'
import { parseFhicl } from '../../src/fhicl/parser.ts'
import { fhiclToJson } from '../../src/fhicl/to-json.ts'

/** How many inputs, and from which seed: a failure is had again with the seed that was printed. */
const inputs = Number(process.env['FUZZ_INPUTS'] ?? 100_000)
// The same inputs every time, so that a failure is a change's; `npm run fuzz` takes others.
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121)
/** One input may take so many milliseconds, on a machine that does other things too. */
const patience = 5000

const root = resolve('../shared/fixtures/artdaqdb/fhicl')
if (!existsSync(root))
  console.warn(`the conformance data are not at ${root}: only built-in texts are mutated`)

const BUILT_IN = [
  'BEGIN_PROLOG\n p: { a: 1 # c\n } \nEND_PROLOG\nb: @local::p\n',
  't: { x @protect_ignore: [1, (1,2), "s\\"q", \'r\'] y: { z: @nil } } // tail\n',
  'a.b.c: -1.5e3 d: 0xFF e: [ {f: true}, [[], {}] ]\r\n# end',
]
const filesOf = (kind: string): string[] =>
  existsSync(root)
    ? readdirSync(join(root, kind)).map((name) => readFileSync(join(root, kind, name, 'in.fcl'), 'latin1'))
    : []
const corpus = [...BUILT_IN, ...filesOf('convert'), ...filesOf('reject')]

const TOKENS = [
  ...['a', 'b1', '_c', 'a.b', ':', ': ', ' @protect_ignore: ', ' @protect_error: ', '{', '}', '[', ']', ','],
  ...[
    '1',
    '-2.5',
    '1e5',
    '0x1F',
    '0b1',
    '(1,2)',
    '( 1, 2 )',
    '+infinity',
    '@nil',
    'true',
    'false',
    'word',
    '1w',
  ],
  ...['"', "'", '\\', '\\"', '""', "''", '"s p"', "'q'", '"x # y"', '@local::a.b', '@table::t', '!erase'],
  ...['# c\n', '// d\n', '#', '//', '/', '\n', '\r', '\r\n', '\t', ' ', '\0', '\u0001', '\u007f', '\u00e9'],
  ...['BEGIN_PROLOG', 'END_PROLOG', '#include "x.fcl"\n', '#include ', '#include', '.', '=', ';', '-', '+'],
]

/** Equal seeds give equal numbers (mulberry32). */
const randomFrom = (start: number): ((below: number) => number) => {
  let state = start
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

type Random = (below: number) => number
const pick = <Item>(random: Random, items: readonly Item[]): Item => items[random(items.length)]!

/** Some lines of a text of the corpus. */
const excerpt = (random: Random): string => {
  const lines = pick(random, corpus).split('\n')
  const from = random(lines.length)
  return random(4) === 0 && lines.length < 60
    ? lines.join('\n')
    : lines.slice(from, from + 1 + random(25)).join('\n')
}

const mutate = (random: Random, text: string): string => {
  const at = random(text.length + 1)
  const to = Math.min(text.length, at + 1 + random(8))
  switch (random(6)) {
    case 0:
      return text.slice(0, at) + text.slice(to)
    case 1:
      return text.slice(0, to) + text.slice(at)
    case 2:
      return text.slice(0, at) + excerpt(random) + text.slice(to)
    case 3:
      return text.slice(0, at)
    default:
      return text.slice(0, at) + pick(random, TOKENS) + text.slice(random(2) === 0 ? at : to)
  }
}

const value = (random: Random, depth: number): string => {
  const kind = random(depth > 4 ? 6 : 9)
  if (kind === 6) return `{ ${parameters(random, depth + 1)}}`
  if (kind > 6) {
    return `[${Array.from({ length: random(4) }, () => value(random, depth + 1)).join(pick(random, [',', ' , ', ', # c\n']))}]`
  }
  return pick(random, [
    '1',
    '-2.5e3',
    '(1,2)',
    '@nil',
    'true',
    'word',
    '"a # b"',
    "'q'",
    '@local::x.y',
    '0x1F',
    '"\\n"',
  ])
}
const parameters = (random: Random, depth: number): string =>
  Array.from(
    { length: random(5) },
    () =>
      `${pick(random, ['', '# up\n', '\n', '// up\n'])}${pick(random, ['a', 'b', 'c', 'd', 'e_1'])}` +
      `${pick(random, [':', ': ', ' : ', ' @protect_ignore: '])}${value(random, depth)}${pick(random, [' ', '\n', ' # c\n'])}`,
  ).join('')

const input = (random: Random): string => {
  const kind = random(4)
  if (kind === 0) return Array.from({ length: random(30) }, () => pick(random, TOKENS)).join('')
  if (kind === 1) return parameters(random, 0)
  let text = excerpt(random)
  for (let times = 1 + random(4); times > 0; times--) text = mutate(random, text)
  return text
}

/** The keys and types of the metadata without comments, which the export moves about. */
const typesOf = (node: JsonValue): unknown => {
  if (!(node instanceof JsonObject)) return node
  const children = node.get('children')
  return [
    node.get('type'),
    node.get('protection'),
    children instanceof JsonObject ? [...children.members()].map(([key, one]) => [key, typesOf(one)]) : [],
  ]
}
const contentOf = ({ data, metadata }: FhiclDocument): string =>
  JSON.stringify([writeJson(data), metadata.values.map(typesOf)])

/** What artdaq's export is known not to give back (docs/FORMATS.md, FHiCL). */
const exceptionIn = (text: string, { data, metadata }: FhiclDocument): string | undefined => {
  if (/include/.test(text)) return 'includes are numbered again, and comments that name one are swallowed'
  for (const part of data.values) {
    if (part instanceof JsonObject && new Set(part.keys).size < part.size)
      return 'a name given twice at top level'
  }
  const [prolog, main] = data.values
  if (
    prolog instanceof JsonObject &&
    main instanceof JsonObject &&
    prolog.keys.some((key) => main.keys.includes(key))
  )
    return 'a name given twice in the prolog and again after it: one of the two is left, and drops at the next reading'
  return hasLossyScalar(data, metadata) ? 'a scalar that is printed as another' : undefined
}

/**
 * Complex numbers with blanks are cut, and those in sequences come back as strings; a keyword that is a string, as it had a
 * comment directly behind it (`true#c`), comes back as the keyword.
 */
const hasLossyScalar = (data: JsonValue, node: JsonValue | undefined, inSequence = false): boolean => {
  if (!(node instanceof JsonObject)) return false
  const type = node.get('type')
  if (type === 'complex') return inSequence || (typeof data === 'string' && !data.endsWith(')'))
  if (type === 'string_unquoted')
    return typeof data === 'string' && /^(?:@nil|true|false|infinity)$/.test(data)
  const children = node.get('children') ?? node
  if (!(children instanceof JsonObject)) return false
  const values = isArray(data) ? data : data instanceof JsonObject ? data.values : []
  return values.some((one, index) => hasLossyScalar(one, children.values[index], isArray(data)))
}

const check = (text: string): 'refused' | 'excepted' | 'read back' => {
  let document: FhiclDocument
  try {
    document = parseFhicl(text)
  } catch (error) {
    if (!(error instanceof FhiclError)) throw error
    expect(error.caret('x').split('\n')).toHaveLength(3)
    return 'refused'
  }
  const json = fhiclToJson(document, { name: 'n', stamp: 's' })
  const written = writeJson(json)
  if (writeJson(readJson(written)) !== written) throw new Error('the JSON does not read back')
  if (exceptionIn(text, document) !== undefined) return 'excepted'
  const printed = fhiclFromJson(json)
  if (printed === '') return 'read back'
  expect(contentOf(parseFhicl(printed))).toBe(contentOf(document))
  return 'read back'
}

describe(`FHiCL from ${inputs} mutated and generated texts (FUZZ_SEED=${seed})`, () => {
  it(
    'is refused with a FhiclError, or printed and read back equal, and never hangs',
    { timeout: 600_000 },
    () => {
      console.log(`FUZZ_SEED=${seed} FUZZ_INPUTS=${inputs}`)
      const random = randomFrom(seed)
      const counts = { refused: 0, excepted: 0, 'read back': 0 }
      for (let number = 0; number < inputs; number++) {
        const text = input(random)
        const start = performance.now()
        try {
          counts[check(text)]++
        } catch (error) {
          throw new Error(`FUZZ_SEED=${seed}, input ${number}: ${JSON.stringify(text)}`, { cause: error })
        }
        expect(performance.now() - start, JSON.stringify(text)).toBeLessThan(patience)
      }
      console.log(counts)
      // Inputs that are nearly all refused, or nearly all taken, would prove little.
      expect(counts.refused).toBeGreaterThan(inputs / 20)
      expect(counts['read back']).toBeGreaterThan(inputs / 20)
    },
  )
})
