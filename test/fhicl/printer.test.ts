import { describe, expect, it } from 'vitest'
import { readJson } from '../../src/fhicl/json/parser.ts'
import { fhiclFromJson } from '../../src/fhicl/from-json.ts'
import { parseFhicl } from '../../src/fhicl/parser.ts'
import { fhiclToJson } from '../../src/fhicl/to-json.ts'

const noted = (type: string, more = ''): string => `{"type":"${type}","comment":"","annotation":""${more}}`

/** The export of one parameter `a`, given its value and its metadata as JSON. */
const printed = (value: string, node: string, key = 'a'): string =>
  fhiclFromJson(
    readJson(`{"document":{
      "data":{"prolog":{},"main":{"${key}":${value}}},
      "metadata":{"prolog":{"children":{}},"main":{"children":{"${key}":${node}}}}}}`),
  )
const again = (fhicl: string): string =>
  fhiclFromJson(fhiclToJson(parseFhicl(fhicl), { name: 'n', stamp: 's' }))

describe('a scalar', () => {
  it.each([
    ['"x"', 'string_unquoted', 'x'],
    ['"x y"', 'string_unquoted', 'x y'],
    ['"x"', 'string_singlequoted', "'x'"],
    ['"x\\\\\\"y"', 'string_doublequoted', '"x\\"y"'],
    ['"x"', 'string', 'x'],
    ...[' ', '.', '%', '(', ')', '/', '-', '\\\\'].map((one) => [
      `"x${one}y"`,
      'string',
      `"x${one === '\\\\' ? '\\' : one}y"`,
    ]),
    ['"1.50"', 'number', '1.50'],
    ['15', 'number', '15'],
    ['-9223372036854775808', 'number', '-9223372036854775808'],
    ['1.23456', 'number', '1.235'],
    ['1.0', 'number', '1.0'],
    ['-2.50', 'number', '-2.5'],
    ['123456.0', 'number', '1.235e05'],
    ['0.00012', 'number', '1.2e-04'],
    ['"true"', 'bool', 'true'],
    ['false', 'bool', 'false'],
    ['"@nil"', 'nil', '@nil'],
    ['"(1,2)"', 'complex', '(1,2)'],
    ['"x"', 'tableid', 'x'],
  ])('%s of type %s is printed as %s', (value, type, expected) => {
    expect(printed(value, noted(type))).toBe(`\na: ${expected} \n`)
  })

  it.each([
    ['1', 'string'],
    ['true', 'number'],
    ['"x"', 'unknown'],
    ['"x"', 'sequence'],
    ['[]', 'table'],
    ['{}', 'sequence'],
    ['1', 'bool'],
  ])('%s of type %s cannot be exported', (value, type) => {
    expect(() => printed(value, noted(type))).toThrow(/parameter "a" cannot be printed/)
  })

  it('that the metadata call a table is printed bare', () => {
    expect(printed('"x.y"', noted('table'))).toBe('\na: "x.y"')
  })
})

describe('an element of a sequence', () => {
  it.each([
    ['"x y"', 'string_unquoted', 'x y'],
    ['"x"', 'string_singlequoted', "'x'"],
    ['"x y"', 'string', '"x y"'],
    ['"-1.5"', 'number', '-1.5'],
    ['"(1,2)"', 'complex', '"(1,2)"'],
    ['"@nil"', 'nil', '@nil'],
    ['"true"', 'bool', 'true'],
    ['1', 'number', '1'],
    ['true', 'bool', 'true'],
  ])('%s of type %s is printed as %s', (value, type, expected) => {
    const node = noted('sequence', `,"children":{"0":${noted(type)}}`)
    expect(printed(`[${value}]`, node)).toBe(`\na: [${expected}] \n`)
  })
})

describe('an export', () => {
  it.each([
    ['# c\na: 1 // d\n', '# c\na: 1 // d\n'],
    ['a @protect_error: 1', '\na @protect_error: 1 \n'],
    ['a: {}', '\na: {\n\n}'],
    ['a: {} # c\nb: 1', '\na: {\n\n}# c\nb: 1 \n'],
    ['a: []', '\na: [] \n'],
    ['a: [1, [2,3] ]', '\na: [1, [2, 3] \n] \n'],
    ['a: [{b:1}]', '\na: [{\n\nb: 1 \n\n}] \n'],
    ['#include "x.fcl"', ' \n#include "x.fcl" \n'],
    ['BEGIN_PROLOG a:1 END_PROLOG b:2', 'BEGIN_PROLOG\n\na: 1 \n\nEND_PROLOG\n\nb: 2 \n'],
    ["a: 'x\ny'", "\na: 'x\ny' \n"],
    ['a: 1 # see #include x "y"\nb: 2', '\na: 1 # see #include x "y"\n\nb: 2 \n'],
  ])('of %j is %j', (fhicl, expected) => {
    expect(again(fhicl)).toBe(expected)
  })

  it('of repeated names uses the metadata of the first', () => {
    expect(again('a: "x"\na: 5')).toBe('\na: "x" \n\na: "5" \n')
    expect(again('a: [1]\na: [2, 3]')).toBe('\na: [1] \n\na: [2] \n')
    expect(() => again('a: [1]\na: 2')).toThrow(/cannot be printed/)
  })

  it('stops silently at the first child whose metadata are not complete', () => {
    const node = noted('table', `,"children":{"b":${noted('number')},"c":{"type":"number","comment":""}}`)
    expect(printed('{"b":"1","c":"2","d":"3"}', node)).toBe('\na: {\n\nb: 1 \n\n}')
    expect(printed('{"b":"1"}', '{"type":"table","comment":""}')).toBe('\na: {\n\n}')
    expect(printed('["1"]', noted('sequence'))).toBe('\na: [] \n')
  })

  it('fails where a parameter outside tables has no metadata, or the document no data', () => {
    expect(() => printed('"1"', '{}')).toThrow(/no complete metadata/)
    expect(() => fhiclFromJson(readJson('{}'))).toThrow(/document.data has no object "prolog"/)
  })

  it('leaves escapes in the name of an include', () => {
    expect(printed('"a\\"b"', noted('string_doublequoted'), 'fhicl_pound_include_0')).toBe(
      ' \n#include "a\\"b" \n',
    )
  })
})
