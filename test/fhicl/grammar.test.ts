import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../src/fhicl/json/model.ts'
import { isArray, JsonObject as ObjectOf } from '../../src/fhicl/json/model.ts'
import { fhiclFault, isFhicl } from '../../src/fhicl/try-parse.ts'
import { FhiclError } from '../../src/fhicl/error.ts'
import { DEEPEST, parseFhicl } from '../../src/fhicl/parser.ts'

/** The value and the type that the parameter `a` of a text gets. */
const typed = (fhicl: string): [unknown, unknown] => {
  const { data, metadata } = parseFhicl(fhicl)
  const node = at(metadata, 'main', 'children', 'a')
  return [at(data, 'main', 'a'), node instanceof ObjectOf ? node.get('type') : undefined]
}

const at = (value: JsonValue | undefined, ...path: string[]): JsonValue | undefined =>
  path.reduce<JsonValue | undefined>(
    (one, key) => (one instanceof ObjectOf ? one.get(key) : undefined),
    value,
  )

const plain = (value: JsonValue | undefined): unknown => {
  if (value instanceof ObjectOf) return [...value.members()].map(([key, one]) => [key, plain(one)])
  return value !== undefined && isArray(value) ? value.map(plain) : value
}
const main = (fhicl: string): unknown => plain(at(parseFhicl(fhicl).data, 'main'))
const prolog = (fhicl: string): unknown => plain(at(parseFhicl(fhicl).data, 'prolog'))
const node = (fhicl: string, ...path: string[]): JsonObject =>
  at(parseFhicl(fhicl).metadata, 'main', 'children', ...path) as JsonObject

describe('a scalar', () => {
  it.each([
    // Rules 1 and 2.
    ['@nil', '@nil', 'nil'],
    ['@nil#c', '@nil', 'string_unquoted'],
    ['true', 'true', 'bool'],
    ['false', 'false', 'bool'],
    ['true#c', 'true', 'string_unquoted'],
    ['true//c', 'true', 'string_unquoted'],
    ['True', 'True', 'string_unquoted'],
    ['trueish', 'trueish', 'string_unquoted'],
    // Rule 3: numbers are never normalised.
    ['007', '007', 'number'],
    ['1#c', '1', 'number'],
    ['1//c', '1', 'number'],
    ['infinity', 'infinity', 'number'],
    ['+infinity', '+infinity', 'number'],
    ['-infinity', '-infinity', 'number'],
    ['infinity#c', 'infinity', 'string_unquoted'],
    ['+1', '+1', 'number'],
    ['-1.', '-1.', 'number'],
    ['.68', '.68', 'number'],
    ['1.23e2', '1.23e2', 'number'],
    ['1E-05', '1E-05', 'number'],
    ['1e400', '1e400', 'number'],
    ['1e', '1e', 'string_unquoted'],
    ['1e5x', '1e5x', 'string_unquoted'],
    ['e5', 'e5', 'string_unquoted'],
    ['0xFfFfFf', '0xFfFfFf', 'number'],
    ['0X1f#c', '0X1f', 'number'],
    ['0x', '0x', 'string_unquoted'],
    ['0xG', '0xG', 'string_unquoted'],
    ['0b101', '0b101', 'number'],
    ['0B1', '0B1', 'number'],
    ['0b12', '0b12', 'string_unquoted'],
    ['123456789012345678901234567890', '123456789012345678901234567890', 'number'],
    // Rule 4: cut at the first blank or comment, as artdaq does.
    ['(1,2)', '(1,2)', 'complex'],
    ['(+1.5e3,0x1f)', '(+1.5e3,0x1f)', 'complex'],
    ['(infinity,-infinity)', '(infinity,-infinity)', 'complex'],
    ['(1, 2)', '(1,', 'complex'],
    ['( 1,2)', '(', 'complex'],
    ['(1,2 )', '(1,2', 'complex'],
    ['(1,//c\n2)', '(1,', 'complex'],
    ['(1,#c\n2)', '(1,', 'complex'],
    // Rule 5.
    ['abc', 'abc', 'string_unquoted'],
    ['_x', '_x', 'string_unquoted'],
    ['abc#c', 'abc', 'string_unquoted'],
    ['1abc', '1abc', 'string_unquoted'],
    ['1_2', '1_2', 'string_unquoted'],
    ['""', '', 'string_doublequoted'],
    ["''", '', 'string_singlequoted'],
    ['"a b"', 'a b', 'string_doublequoted'],
    ["'a\\q\"b'", 'a\\q"b', 'string_singlequoted'],
    ['"it\'s"', "it's", 'string_doublequoted'],
    ['"a\nb\tc"', 'a\nb\tc', 'string_doublequoted'],
    ["'a\nb'", 'a\nb', 'string_singlequoted'],
    ['"\\" \\\' \\\\ \\n \\t"', '\\" \\\' \\\\ \\n \\t', 'string_doublequoted'],
    ['"x\\\\"y"', 'x\\\\"y', 'string_doublequoted'],
    ['"x#y"', 'x#y', 'string_doublequoted'],
    // Rule 8.
    ['@local::a.b', '@local::a.b', 'string_unquoted'],
    ['@sequence::x', '@sequence::x', 'string_unquoted'],
    ['@db::x#c', '@db::x', 'string_unquoted'],
    ['@id::0123456789', '@id::0123456789', 'string_unquoted'],
    ['@erase', '@erase', 'string_unquoted'],
    ['@table::x', '@table::x', 'string_unquoted'],
    ['@nilly', '@nilly', 'string_unquoted'],
    ['b@c', 'b@c', 'string_unquoted'],
    [':b', ':b', 'string_unquoted'],
    ['.b', '.b', 'string_unquoted'],
  ])('%s is %s, a %s', (written, value, type) => {
    expect(typed(`a: ${written}`)).toEqual([value, type])
    expect(typed(`a: ${written}\nb: 1`)).toEqual([value, type])
  })

  it.each([
    ['nothing', ''],
    ['a dash', 'x-y'],
    ['a slash', '1/2'],
    ['a plus', 'a+b'],
    ['a semicolon', 'a;'],
    ['a dot behind the first name', 'v1.2'],
    ['an address', '10.0.0.1'],
    ['a time', '12:30'],
    ['a colon behind the first name', 'a:b'],
    ['a sign alone', '-'],
    ['a signed hexadecimal', '-0x1F'],
    ['two points', '1.2.3'],
    ['a sum', '1+1'],
    ['a decimal with a word at its end', '1.5x'],
    ['a word with a digit first and an @', '1@x'],
    ['a quote with a comment behind it', '"x"#c'],
    ['a quote with a word behind it', '"x"y'],
    ['an apostrophe with a word behind it', "'x'y"],
    ['an open quote', '"x'],
    ['an open quote by a backslash', '"x\\"'],
    ['an open apostrophe', "'x"],
    ['an unknown escape', '"\\q"'],
    ['a hexadecimal escape', '"\\x41"'],
    ['an escaped line end', '"\\\n"'],
    ['an escaped slash', '"\\/"'],
    ['a control character in quotes', '"a\u0001b"'],
    ['a form feed in quotes', '"a\fb"'],
    ['a delete character in apostrophes', "'a\u007fb'"],
    ['a complex number of one part', '(1)'],
    ['a complex number of words', '(a,b)'],
    ['a complex number left open', '(1,2'],
    ['a quoted key behind it', '1 "b": 2'],
  ])('of %s is refused', (_what, written) => {
    expect(() => parseFhicl(`a: ${written}\n`)).toThrow(FhiclError)
  })
})

describe('a name', () => {
  it.each([
    ['a: 1', [['a', '1']]],
    ['_a1: 1', [['_a1', '1']]],
    ['a.b.c: 1', [['a.b.c', '1']]],
    ['a . b\n.c : 1', [['a.b.c', '1']]],
    [
      'a:1 b:2',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      'true: 1 infinity: 2',
      [
        ['true', '1'],
        ['infinity', '2'],
      ],
    ],
    ['a # c\n: // d\n 1', [['a', '1']]],
    ['BEGIN: 1', [['BEGIN', '1']]],
    ['t: { END_PROLOG: 1 }', [['t', [['END_PROLOG', '1']]]]],
  ])('in %j is read', (fhicl, expected) => {
    expect(main(fhicl)).toEqual(expected)
  })

  it.each(['1a: 1', 'a[1]: 2', 'a.b[2].c: 5', '"a": 1', 'a = 1', 'a', 'a-b: 1', 'a.: 1', '.a: 1', 'a.1: 1'])(
    'such as %j is refused',
    (fhicl) => {
      expect(isFhicl(fhicl)).toBe(false)
    },
  )

  it('holds no dot inside a table', () => {
    expect(isFhicl('t: { a.b: 1 }')).toBe(false)
  })
})

describe('a table or a sequence', () => {
  it.each([
    ['a: {}', [['a', []]]],
    ['a: []', [['a', []]]],
    ['a: [1 , [2],{b:3}]', [['a', ['1', ['2'], [['b', '3']]]]]],
    ['a: [,1]', [['a', ['1']]]],
    [
      'a: [1,2]b:3',
      [
        ['a', ['1', '2']],
        ['b', '3'],
      ],
    ],
    [
      'a: {b:1}c:2',
      [
        ['a', [['b', '1']]],
        ['c', '2'],
      ],
    ],
    [
      'a: (1,2)b:3',
      [
        ['a', '(1,2)'],
        ['b', '3'],
      ],
    ],
    ['a: [@nil,true,(1,2),@local::x]', [['a', ['@nil', 'true', '(1,2)', '@local::x']]]],
  ])('%j is read', (fhicl, expected) => {
    expect(main(fhicl)).toEqual(expected)
  })

  it.each(['a: [1', 'a: [1,]', 'a: [,]', 'a: [1 2]', 'a: {', 'a: { b }', 'a: { 1 }', 'a: }', 'a: {b:1,c:2}'])(
    '%j is refused',
    (fhicl) => {
      expect(isFhicl(fhicl)).toBe(false)
    },
  )

  it.each(['{a:', '['])(
    'nested ten thousand times by %j is refused, and does not overflow the stack',
    (open) => {
      expect(() => parseFhicl(`a:${open.repeat(10_000)}`)).toThrow(`more than ${DEEPEST} tables`)
    },
  )

  it.each(['@table::x', '@table::x a: 1', 't: { @table::x a: 1 }'])(
    '%j is refused: references are not resolved',
    (fhicl) => {
      expect(isFhicl(fhicl)).toBe(false)
    },
  )
})

describe('a prolog', () => {
  it.each([
    ['BEGIN_PROLOG END_PROLOG', [], []],
    [
      'BEGIN_PROLOG a:1 END_PROLOG BEGIN_PROLOG b:2 END_PROLOG c:3',
      [
        ['a', '1'],
        ['b', '2'],
      ],
      [['c', '3']],
    ],
    ['BEGIN_PROLOG a:1 b:2 END_PROLOG a:3', [['b', '2']], [['a', '3']]],
    ['BEGIN_PROLOG a:1 a:2 END_PROLOG a:3', [['a', '2']], [['a', '3']]],
    [
      'BEGIN_PROLOG a:1 a:2 END_PROLOG a:3 a:4',
      [],
      [
        ['a', '3'],
        ['a', '4'],
      ],
    ],
    ['BEGIN_PROLOG a.b:1 END_PROLOG a:3', [['a.b', '1']], [['a', '3']]],
    ['BEGIN_PROLOGa:1 END_PROLOG', [['a', '1']], []],
  ])('%j is merged with the others and gives way to main', (fhicl, expectedProlog, expectedMain) => {
    expect(prolog(fhicl)).toEqual(expectedProlog)
    expect(main(fhicl)).toEqual(expectedMain)
  })

  it.each([
    'a:1 BEGIN_PROLOG b:2 END_PROLOG',
    'BEGIN_PROLOG a:1',
    'END_PROLOG',
    'BEGIN_PROLOG BEGIN_PROLOG END_PROLOG END_PROLOG',
    'BEGIN_PROLOG: 1',
  ])('%j is refused', (fhicl) => {
    expect(isFhicl(fhicl)).toBe(false)
  })
})

describe('a repeated name', () => {
  it('is kept twice at top level, protected or not', () => {
    expect(main('a:1 a:2')).toEqual([
      ['a', '1'],
      ['a', '2'],
    ])
    expect(main('a @protect_error: 1 a: 2')).toEqual([
      ['a', '1'],
      ['a', '2'],
    ])
  })

  it.each([
    [
      't: {a:1 b:2 a:3}',
      [
        ['a', '3'],
        ['b', '2'],
      ],
    ],
    ['t: {a @protect_ignore: 1 a: 2}', [['a', '1']]],
    ['t: {a @protect_ignore: 1 a @protect_ignore: 2}', [['a', '1']]],
  ])('inside a table, %j, ends up as one', (fhicl, expected) => {
    expect(main(fhicl)).toEqual([['t', expected]])
  })

  it('among many names takes the first one’s place', () => {
    const names = Array.from({ length: 30 }, (_, index) => `n${index}`)
    const expected = names.map((name, index) => [name, index === 17 ? 'again' : 'x'])
    expect(main(`t: { ${names.map((name) => `${name}: x`).join(' ')} n17: again }`)).toEqual([
      ['t', expected],
    ])
  })

  it.each([
    't: {a @protect_error: 1 a: 2}',
    't: {a: 1 a @protect_ignore: 2}',
    't: {a @protect_ignore: 1 a @protect_error: 2}',
    't @protect_error: { a @protect_ignore: 1 }',
    't @protect_error: [ { a @protect_ignore: 1 } ]',
    't @protect_error: { u: { a @protect_ignore: 1 } }',
  ])('or a nested one, %j, is refused where protection is broken', (fhicl) => {
    expect(isFhicl(fhicl)).toBe(false)
  })

  it('is protected by what stands before the colon, which it keeps before the children', () => {
    expect(node('a @protect_ignore: 1', 'a').keys).toEqual(['type', 'comment', 'annotation', 'protection'])
    expect(node('a @protect_error: {b:1}', 'a').keys).toEqual(['type', 'comment', 'protection', 'children'])
    expect(node('a @protect_error: [1]', 'a').keys).toEqual([
      'type',
      'comment',
      'annotation',
      'protection',
      'children',
    ])
    expect(
      node('t @protect_ignore: { a @protect_error: 1 b: 2 }', 't', 'children', 'b').get('protection'),
    ).toBe(undefined)
  })

  it.each(['a@protect_error: 1', 'a @protect_error : 1', 'a @protect_warn: 1'])('%j is refused', (fhicl) => {
    expect(isFhicl(fhicl)).toBe(false)
  })
})

describe('an #include', () => {
  it.each([
    [
      '#include "a.fcl"\nb: 1',
      [
        ['fhicl_pound_include_0', 'a.fcl'],
        ['b', '1'],
      ],
    ],
    ["#include 'a.fcl'", [['fhicl_pound_include_0', 'a.fcl']]],
    [
      '#include\n\n"a.fcl"\n#include\t"b.fcl"',
      [
        ['fhicl_pound_include_0', 'a.fcl'],
        ['fhicl_pound_include_1', 'b.fcl'],
      ],
    ],
    ['# see #include "x"\n#include "b.fcl"', [['fhicl_pound_include_1', 'b.fcl']]],
    [
      'a: "see #include x"\nb: 1',
      [
        ['a', 'see fhicl_pound_include_0:'],
        ['b', '1'],
      ],
    ],
    ['a: 1 # see #include x\nb: 2', [['a', '1']]],
    ['t: { \n#include "a.fcl"\n }', [['t', [['fhicl_pound_include_0', 'a.fcl']]]]],
  ])('in %j becomes a parameter, wherever it stands', (fhicl, expected) => {
    expect(main(fhicl)).toEqual(expected)
  })

  it.each(['#include"a.fcl"', '#includes are nice\n', 'a: 1\n#include', '#include "a.fcl', '#include a.fcl'])(
    'such as %j is refused',
    (fhicl) => {
      expect(isFhicl(fhicl)).toBe(false)
    },
  )

  it('has neither comment nor annotation, and shifts the lines it swallows', () => {
    const fhicl = '# above\n#include\n"a" # on\nb: 1 # b\n# last\n'
    expect(node(fhicl, 'fhicl_pound_include_0').values.slice(1)).toEqual(['', ''])
    // The value of b stands on line 3 of what is parsed, where the text has the comment of the include; the line above
    // is "#include" itself, which names one only with a blank behind it.
    expect(node(fhicl, 'b').values.slice(1)).toEqual(['#include', '# on'])
  })
})

describe('comments round a value', () => {
  it.each([
    ['the one above and the one beside', '# up\na: 1 # on', '# up', '# on'],
    ['not one two lines above', '# up\n\na: 1', '', ''],
    ['no slashes above, but beside', '// up\na: 1 // on', '', '// on'],
    ['the last of a block', '# one\n# two\na: 1', '# two', ''],
    ['the annotation of the line before', 'b: 0 # b\na: 1', '# b', ''],
    ['by the line of the value, not of the key', '# up\na:\n# mid\n1 # on', '# mid', '# on'],
    ['none that names an include', '# see #include "x"\na: 1', '', ''],
    ['trailing blanks kept', 'a: 1 # on  ', '', '# on  '],
    ['both on CRLF lines', '# up\r\na: 1 # on\r\n', '# up', '# on'],
    ['both on CR lines', '# up\ra: 1 # on\r', '# up', '# on'],
    ['after CRLF blank lines', 'b: 0\r\n\r\n# up\r\na: 1 # on\r\n', '# up', '# on'],
  ])('are %s', (_which, fhicl, comment, annotation) => {
    expect(node(fhicl, 'a').values.slice(1)).toEqual([comment, annotation])
  })

  it('belong to the elements of a sequence by their own lines', () => {
    const fhicl = 'a: [ # open\n1, # one\n# up\n2 ]'
    expect(node(fhicl, 'a', 'children', '0').values.slice(1)).toEqual(['# open', '# one'])
    expect(node(fhicl, 'a', 'children', '1').values.slice(1)).toEqual(['# up', ''])
  })

  it('of a table are those above it only', () => {
    expect(node('# up\na: { # on\nb: 1 }', 'a').keys).toEqual(['type', 'comment', 'children'])
  })
})

describe('a text', () => {
  it.each([' ', '\n', '\t\v\f\r\n', '# only a comment', '// only a comment', '# c\n//d\n'])(
    '%j is read, and says nothing',
    (fhicl) => {
      expect(main(fhicl)).toEqual([])
    },
  )

  it.each([
    ['that is empty', ''],
    ['with a character outside ASCII in a string', 'a: "na\u00efve"'],
    ['with a character outside ASCII in a comment', '# \u00e9\n'],
    ['with a byte order mark', '\ufeffa: 1'],
    ['with a stray slash', 'a: 1 / b: 2'],
    ['with a NUL between parameters', 'a: 1\0b: 2'],
  ])('%s is refused', (_what, fhicl) => {
    expect(isFhicl(fhicl)).toBe(false)
    expect(isFhicl(Buffer.from(fhicl, 'utf8'))).toBe(false)
  })

  it('may hold foreign characters where an include swallows them', () => {
    expect(main('#include \u00e9t\u00e9 "a.fcl"')).toEqual([['fhicl_pound_include_0', 'a.fcl']])
  })
})

describe('a refusal', () => {
  it.each([
    ['a: 1\nb: x-y\n', 2, 4, '   ^'],
    ['a: 1\r\n\r\nb: x-y\r\n', 3, 4, '   ^'],
    ['#include\n"a"\n\tb: x-y\n', 3, 5, '\t   ^'],
    ['#include "a" b: x-y\n', 1, 17, '                ^'],
    ['c: 1 # \u00e9', 1, 8, '       ^'],
  ])('of %j names the place in the text as it was given', (fhicl, line, column, indent) => {
    const refused = (): FhiclError => {
      try {
        parseFhicl(fhicl)
      } catch (error) {
        if (error instanceof FhiclError) return error
      }
      throw new Error('accepted')
    }
    const error = refused()
    expect([error.line, error.column]).toEqual([line, column])
    const [head, , caret] = error.caret('run.fcl').split('\n')
    expect(head).toMatch(`run.fcl:${line}:${column}: `)
    expect(caret).toBe(indent)
  })

  it.each(['a: "\\\n"', 'a: \0', 'a: "\u0001"', 'a: 1 \u007f'])(
    'of %j takes three lines, whatever it quotes',
    (fhicl) => {
      expect(fhiclFault(fhicl)?.caret('run.fcl').split('\n')).toHaveLength(3)
    },
  )
})
