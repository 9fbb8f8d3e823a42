import { describe, expect, it } from 'vitest'
import { readContract } from '../../../src/records/contract/read-contract.ts'
import { Problems, readDocument } from '../../../src/records/mapping/document.ts'
import { at, contract, deal, entry, people, person, type Entry } from './contracts.ts'
import { planOf } from './plan-of.ts'

/** The first row of a table without its key, and the warnings by code. */
const rowOf = async (mappings: Entry[], payload: string, table = 'deal_base') => {
  const plan = await planOf(contract(mappings), payload)
  const { app_id: _key, ...row } = plan.rows[table]?.[0] ?? {}
  const warnings = (plan['warnings'] as { code: string }[] | undefined)?.map(({ code }) => code)
  return plan.status === 'success' ? { row, warnings } : { code: plan['code'] }
}

describe('a contract of the original', () => {
  it.each<[string, Entry, string, unknown, string[]?]>([
    ['an enum without case', { mapping_type: ['enum'], enum_name: 'colour' }, 'v="BLUE"', 12],
    ['an enum by text with commas', { mapping_type: ' enum ', enum_name: 'colour' }, 'v=" red "', 11],
    [
      'an unknown code',
      { mapping_type: ['enum'], enum_name: 'colour' },
      'v="PINK"',
      undefined,
      ['ENUM_UNKNOWN'],
    ],
    [
      'an unknown code with a fallback',
      { mapping_type: ['enum'], enum_name: 'shade' },
      'v="PINK"',
      9,
      ['ENUM_UNKNOWN'],
    ],
    ['no code with a fallback', { mapping_type: ['enum'], enum_name: 'shade' }, '', 9],
    [
      'an unknown code with a default',
      {
        data_type: 'smallint',
        mapping_type: ['enum'],
        enum_name: 'colour',
        nullable: false,
        default_value: '5',
      },
      'v="PINK"',
      5,
      ['ENUM_UNKNOWN'],
    ],
    ['no bit', { data_type: 'bit', mapping_type: ['char_to_bit'] }, '', 0],
    ['an unknown bit', { data_type: 'bit', mapping_type: ['char_to_bit'] }, 'v="X"', 0, ['ENUM_UNKNOWN']],
    ['a bit of a word', { data_type: 'bit', mapping_type: ['boolean_to_bit'] }, 'v="TRUE"', 1],
    [
      'digits with a zero in front',
      { mapping_type: ['numbers_only'], data_length: 9 },
      'v="012-34"',
      '01234',
    ],
    ['a number with a sign', { data_type: 'int' }, 'v="-5"', -5],
    ['a number to be rounded', { data_type: 'int' }, 'v="36.50"', 37],
    ['a number of letters', { data_type: 'int' }, 'v="x1"', undefined, ['VALUE_NOT_VALID']],
    [
      'money',
      { data_type: 'decimal', data_length: 2, mapping_type: ['extract_numeric'] },
      'v="$1,234.505"',
      '1234.51',
    ],
    ['a date of the month first', { data_type: 'date' }, 'v="3/2/2020"', '2020-03-02'],
    ['a date of the day first', { data_type: 'date' }, 'v="13/02/2020"', undefined, ['VALUE_NOT_VALID']],
    ['a moment', { data_type: 'datetime' }, 'v="03/02/2020 04:05:06"', '2020-03-02 04:05:06'],
    ['a blank', {}, 'v="  "', undefined],
    ['a blank that may be null, with a default', { default_value: 'x' }, 'v=""', undefined],
    ['a blank that may not, with a default', { nullable: false, default_value: 'x' }, 'v=""', 'x'],
    ['a long text', { data_length: 3 }, 'v="abcdef"', 'abc', ['VALUE_CUT']],
    ['a text without a bound', { data_length: -1 }, 'v="abc"', 'abc'],
    ['a name in other letters', {}, 'V="x"', 'x'],
    ['two names that differ in case', {}, 'v="x" V="y"', 'y', ['ELEMENT_AMBIGUOUS']],
    [
      'an expression',
      { data_type: 'int', mapping_type: ['calculated_field'], expression: 'v * 12 + deal.w' },
      'v="2" w="3"',
      27,
    ],
    [
      'an expression, else the code',
      {
        data_type: 'int',
        mapping_type: ['calculated_field', 'enum'],
        enum_name: 'colour',
        expression: "CASE WHEN w = '1' THEN 99 END",
      },
      'v="red"',
      11,
    ],
    [
      'an expression before the code',
      {
        data_type: 'int',
        mapping_type: ['calculated_field', 'enum'],
        enum_name: 'colour',
        expression: "CASE WHEN w = '1' THEN 99 END",
      },
      'v="red" w="1"',
      99,
    ],
  ])('with %s', async (_what, more, attributes, expected, warnings = []) => {
    expect(await rowOf([entry('v', more)], deal(attributes))).toEqual({
      row: expected === undefined ? {} : { v: expected },
      warnings,
    })
  })
  it.each<[string, Entry, string, string]>([
    ['a blank without a default', { nullable: false }, '', 'REQUIRED_MISSING'],
    [
      'an unknown code without a default',
      { nullable: false, mapping_type: ['enum'], enum_name: 'colour' },
      'v="PINK"',
      'ENUM_UNKNOWN',
    ],
    [
      'a number of letters that may not be null',
      { nullable: false, data_type: 'int' },
      'v="x"',
      'VALUE_NOT_VALID',
    ],
  ])('with %s fails', async (_what, more, attributes, code) => {
    expect(await rowOf([entry('v', more)], deal(attributes))).toEqual({ code })
  })

  it('takes the last person of a kind, and a bit of it only where it has one', async () => {
    expect(await rowOf([person('first_name', ['last_valid_pr_contact'])], deal('', people))).toMatchObject({
      row: { first_name: 'Cy' },
    })
    expect(await rowOf([person('first_name', ['last_valid_sec_contact'])], deal('', people))).toMatchObject({
      row: { first_name: 'Bo' },
    })
    const bit = [person('lead', ['last_valid_sec_contact', 'char_to_bit'], { data_type: 'bit' })]
    expect(await rowOf(bit, deal('', people))).toMatchObject({ row: { lead: 0 } })
    expect(await rowOf(bit, deal(''))).toEqual({ row: {}, warnings: [] })
    expect(await rowOf(bit, deal('', people.replace('"N"', '"X"')))).toEqual({
      row: { lead: 0 },
      warnings: ['ENUM_UNKNOWN'],
    })
  })
  it('makes rows of values that say something, of persons as well', async () => {
    const row = (types: string[]): Entry => ({ ...person('first_name', types), target_table: 'history' })
    const read = async (types: string[], inside: string) =>
      (await planOf(contract([row(types)]), deal('', inside))).rows['history']
    expect(await read(['last_valid_pr_contact', 'add_history'], people)).toEqual([
      { app_id: 7, name: '[first_name]', source: '[person]', value: 'Cy' },
    ])
    expect(await read(['add_history'], people.replace('"Cy"', '" None "'))).toEqual([])
    expect(await read(['add_report_lookup(GI)'], people)).toEqual([
      { app_id: 7, name: 'first_name', source_report_key: 'GI', value: 'Cy' },
    ])
    expect(await read(['add_indicator(ind)'], people.replace('"Cy"', '"yes"'))).toEqual([
      { app_id: 7, indicator: 'ind', value: '1' },
    ])
    expect(await read(['add_indicator(ind)'], people)).toEqual([])
  })
  it('makes a collateral of more than a value of 0', async () => {
    const one = (name: string, more: Entry = {}): Entry =>
      entry(name, { target_table: 'goods', mapping_type: ['add_collateral(2)'], ...more })
    const goods = [
      one('make'),
      one('wholesale_value', { data_type: 'decimal', data_length: 2 }),
      one('used', { data_type: 'bit', mapping_type: ['char_to_bit', 'add_collateral(2)'] }),
    ]
    const read = async (attributes: string) => (await planOf(contract(goods), deal(attributes))).rows['goods']
    expect(await read('wholesale_value="0.00" used="Y"')).toEqual([])
    expect(await read('wholesale_value="5" used="Y"')).toEqual([
      { app_id: 7, sort_order: 2, wholesale_value: '5.00', used: 1 },
    ])
    expect(await read('make="x" wholesale_value="0"')).toEqual([
      { app_id: 7, sort_order: 2, make: 'x', wholesale_value: '0.00', used: 0 },
    ])
  })
  it('gives a default aside only to rows of two values', async () => {
    const aside = [
      entry('a', { target_table: 'more' }),
      entry('b', { target_table: 'more' }),
      entry('c', { target_table: 'more', default_value: 'x', exclude_default_when_record_empty: true }),
    ]
    expect(await rowOf(aside, deal('a="1"'), 'more')).toMatchObject({ row: { a: '1' } })
    expect(await rowOf(aside, deal('a="1" b="2"'), 'more')).toMatchObject({ row: { a: '1', b: '2', c: 'x' } })
    expect(await rowOf(aside, deal(''), 'more')).toMatchObject({ row: {} })
  })
})

describe('a contract with names that every object of JavaScript has', () => {
  it('takes a code called __proto__', async () => {
    const mapping = entry('v', { mapping_type: ['enum'], enum_name: 'e', data_type: 'int' })
    const text = contract([mapping], { enum_mappings: { e: { P: 5, b: 6 } } }).replace('"P"', '"__proto__"')
    expect(await planOf(text, deal('v="__proto__"'))).toMatchObject({ rows: { deal_base: [{ v: 5 }] } })
  })
  it('takes a condition on an attribute called __proto__', async () => {
    const columns = [person('con_id', [], { target_table: 'persons', data_type: 'int' })]
    const text = contract(columns, {
      element_filtering: {
        filter_rules: [
          {
            element_type: 'contact',
            xml_child_path: `${at}/person`,
            required_attributes: { con_id: true, P: ['A'] },
          },
        ],
      },
      relationships: [
        {
          parent_table: 'deal_base',
          child_table: 'persons',
          foreign_key_column: 'app_id',
          xml_child_path: `${at}/person`,
        },
      ],
    }).replace('"P"', '"__proto__"')
    const persons = '<person con_id="1" first_name="a" __proto__="A"/><person con_id="2" first_name="b"/>'
    const plan = await planOf(text, deal('', persons))
    expect(plan.rows['persons']).toEqual([{ app_id: 7, con_id: 1 }])
    expect(plan['warnings']).toEqual([
      { code: 'ELEMENT_SKIPPED', list: 'contact', path: `${at}/person[2]`, reason: '@__proto__' },
    ])
  })
  it.each([
    [{ data_type: 'constructor' }, 'the data_type constructor is not known'],
    [{ mapping_type: ['enum'], enum_name: 'constructor' }, 'enum_mappings has no constructor'],
    [{ mapping_type: ['enum'], enum_name: '__proto__' }, 'enum_mappings has no __proto__'],
  ])('has no %j where it does not give it', (more, message) => {
    const problems = new Problems()
    const root = readDocument(contract([entry('v', more)]), problems)
    readContract(root!, problems)
    expect(problems.found.map((problem) => problem.message)).toEqual([`deal_base.v: ${message}`])
  })
  it('has its problems named with their places', () => {
    const problems = new Problems()
    const text = contract([], { enum_mappings: { e: { b: [1] }, f: 5 } }).replace('{"b"', '\n{"b"')
    readContract(readDocument(text, problems)!, problems)
    expect(problems.found.map(({ at, message }) => [at.line, message])).toEqual([
      [2, expect.stringContaining('enum_mappings.e.b: ')],
      [2, expect.stringContaining('enum_mappings.f: ')],
    ])
  })
})

describe('a contract whose names have prefixes', () => {
  it('finds what is below a person, as it finds the person', async () => {
    const p = `${at}/p:person`
    const columns = [
      entry('con_id', { xml_path: p, target_table: 'persons', data_type: 'int' }),
      entry('p:town', { xml_path: `${p}/p:place`, target_table: 'places', target_column: 'town' }),
      entry('place_kind', { xml_path: `${p}/p:place`, target_table: 'places' }),
    ]
    const rule = (type: string, path: string, required: Entry): Entry => ({
      element_type: type,
      xml_child_path: path,
      required_attributes: required,
    })
    const relation = (parent: string, child: string, key: string, path: string): Entry => ({
      parent_table: parent,
      child_table: child,
      foreign_key_column: key,
      xml_child_path: path,
    })
    const text = contract(columns, {
      xml_root_element: 'p:Root',
      element_filtering: {
        filter_rules: [
          rule('contact', p, { con_id: true, 'p:kind': ['PR'] }),
          rule('address', `${p}/p:place`, { place_kind: ['CURR'] }),
        ],
      },
      relationships: [
        relation('deal_base', 'persons', 'app_id', p),
        relation('persons', 'places', 'con_id', 'place'),
      ],
    })
    const payload = deal(
      '',
      '<p:person con_id="1" p:kind="PR" first_name="a"><p:place place_kind="CURR" p:town="t"/></p:person>',
    )
    const plan = await planOf(text, payload.replace('<Root>', '<Root xmlns:p="urn:p">'))
    expect(plan.rows).toEqual({
      deal_base: [{ app_id: 7 }],
      persons: [{ app_id: 7, con_id: 1 }],
      places: [{ con_id: 1, town: 't', place_kind: 'CURR' }],
    })
  })
})
