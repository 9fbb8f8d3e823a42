import { describe, expect, it } from 'vitest'
import { at, contract, deal, entry, person, type Entry } from './contracts.ts'
import { planOf } from './plan-of.ts'

const RELATED = {
  relationships: [
    {
      parent_table: 'deal_base',
      child_table: 'persons',
      foreign_key_column: 'app_id',
      xml_child_path: `${at}/person`,
    },
    {
      parent_table: 'persons',
      child_table: 'places',
      foreign_key_column: 'con_id',
      xml_child_path: `${at}/person/place`,
    },
  ],
  enum_mappings: { kind_enum: { PR: 1, SEC: 2 }, place_enum: { CURR: 1, PREV: 2 } },
}
const ofPerson = (name: string, more: Entry = {}): Entry =>
  entry(name, { xml_path: `${at}/person`, target_table: 'persons', ...more })
const ofPlace = (name: string, more: Entry = {}): Entry =>
  entry(name, { xml_path: `${at}/person/place`, target_table: 'places', ...more })
const code = { mapping_type: ['enum'], data_type: 'smallint', nullable: false }
const PERSONS = [
  ofPerson('con_id', { data_type: 'int', nullable: false, mapping_type: ['identity_insert'] }),
  ofPerson('first_name', { data_length: 20 }),
  ofPerson('kind', { target_column: 'kind_enum', ...code }),
  ofPlace('place_kind', { target_column: 'place_enum', ...code }),
  ofPlace('town', { data_length: 9 }),
  ofPlace('months', {
    target_column: 'total',
    data_type: 'int',
    mapping_type: ['calculated_field'],
    expression: 'months + (years * 12)',
  }),
]
const planned = (mappings: Entry[], payload: string, more: Entry = RELATED) =>
  planOf(contract(mappings, more), payload)
const skipped = (list: string, path: string, reason: string) => ({
  code: 'ELEMENT_SKIPPED',
  list,
  path: `/Root/Request/Data/deal/${path}`,
  reason,
})

describe('persons of a contract', () => {
  it('are rows, with what is below them; what is left out is named by its filter rule', async () => {
    const inside = `<person con_id="1" kind="PR" first_name="Ada"><place place_kind="CURR" town="Ost" months="1" years="2"/><place place_kind="PREV"/></person>
      <person con_id=" 2 " kind="sec" last_name="B"><place place_kind="PREV" town="x" months="3"/></person><person con_id="3" kind="X" first_name="C"/><person con_id="4" kind="PR"/>`
    expect(await planned(PERSONS, deal('', inside))).toMatchObject({
      rows: {
        persons: [
          { app_id: 7, con_id: 1, first_name: 'Ada', kind_enum: 1 },
          { app_id: 7, con_id: 2, kind_enum: 2 },
        ],
        places: [
          { con_id: 1, place_enum: 1, town: 'Ost', total: 25 },
          { con_id: 2, place_enum: 2, town: 'x' },
        ],
      },
      warnings: [
        skipped('contact', 'person[3]', '@kind'),
        skipped('contact', 'person[4]', 'any_of'),
        skipped('address', 'person[1]/place[2]', 'any_of'),
      ],
    })
  })
  it('with one number are the one of the first kind, and its places', async () => {
    const inside =
      '<person con_id="1" kind="SEC" first_name="A"><place place_kind="CURR" town="a"/></person><person con_id=" 1 " kind="PR" first_name="B"><place place_kind="CURR" town="b"/></person>'
    expect(await planned(PERSONS, deal('', inside))).toMatchObject({
      rows: { persons: [{ con_id: 1, first_name: 'B' }], places: [{ con_id: 1, town: 'b' }] },
      warnings: [{ code: 'DUPLICATE_ELEMENT', list: 'contact', path: '/Root/Request/Data/deal/person[1]' }],
    })
  })
  it('have their number where the contract does not map it', async () => {
    const inside = '<person con_id="1" kind="PR" first_name="A"><place place_kind="CURR" town="a"/></person>'
    expect((await planned([ofPerson('first_name'), ofPlace('town')], deal('', inside))).rows).toMatchObject({
      persons: [{ app_id: 7, con_id: 1, first_name: 'A' }],
      places: [{ con_id: 1, town: 'a' }],
    })
  })
  it('fail where the number is none', async () => {
    expect(await planned(PERSONS, deal('', '<person con_id="A1" kind="PR" first_name="A"/>'))).toMatchObject({
      code: 'VALUE_NOT_VALID',
      table: 'persons',
      column: 'con_id',
      path: '/Root/Request/Data/deal/person[1]/@con_id',
    })
  })
  it('of another record are a conflict', async () => {
    const given = { persons: [{ con_id: 1, app_id: 3, first_name: 'Ada', kind_enum: 1 }] }
    const payload = deal('', '<person con_id="1" kind="PR" first_name="Ada"/>')
    expect(await planOf(contract(PERSONS, RELATED), payload, { given })).toMatchObject({
      code: 'CONFLICT',
      differs: ['app_id'],
      key_of_row: { con_id: 1 },
    })
  })
})

describe('a value of the last person', () => {
  const town = [person('town', ['last_valid_pr_contact'], { xml_path: `${at}/person/place` })]
  const of = (number: string, kind: string, places: string): string =>
    `<person con_id="${number}" kind="${kind}" first_name="A">${places}</person>`
  const current = (name: string): string => `<place place_kind="CURR" town="${name}"/>`
  const before = (name: string): string => `<place place_kind="PREV" town="${name}"/>`
  it.each<[string, string, string | undefined]>([
    [
      'is of its preferred place',
      of('1', 'PR', current('a')) + of('2', 'PR', current('b') + before('c')),
      'b',
    ],
    ['is not of the one before it', of('1', 'PR', current('a')) + of('2', 'PR', ''), undefined],
    [
      'is of another place where it has no such',
      of('1', 'PR', current('a')) + of('2', 'PR', before('c')),
      'c',
    ],
    ['is of one with a number', of('1', 'PR', current('a')) + of(' ', 'PR', current('b')), 'a'],
    ['is of its kind', of('1', 'PR', current('a')) + of('2', 'SEC', current('b')), 'a'],
  ])('%s', async (_what, inside, expected) => {
    const { rows } = await planned(town, deal('', inside))
    expect(rows['deal_base']?.[0]?.['town']).toBe(expected)
  })
})

describe('rows made of attributes', () => {
  const made = (name: string, maker: string, more: Entry = {}): Entry =>
    entry(name, { target_table: 'made', target_column: '', mapping_type: [maker], ...more })
  it.each<[string, Entry[], string, object[], object[]?]>([
    [
      'scores that are numbers',
      [made('a', 'add_score(V4)', { data_type: 'int' }), made('b', 'add_score(V5)', { data_type: 'int' })],
      'a="701" b="none"',
      [{ app_id: 7, score_identifier: 'V4', score: 701 }],
      [{ code: 'VALUE_NOT_VALID', table: 'made', column: 'score', path: '/Root/Request/Data/deal/@b' }],
    ],
    [
      'scores under a name of digits, as it is written',
      [made('a', 'add_score(007)', { data_type: 'int' }), made('b', 'add_score(7)', { data_type: 'int' })],
      'a="701" b="702"',
      [
        { app_id: 7, score_identifier: '007', score: 701 },
        { app_id: 7, score_identifier: 7, score: 702 },
      ],
    ],
    [
      'history as it is written, whatever its type',
      [made('a', 'add_history', { data_type: 'decimal', data_length: 2 }), made('b', 'add_history')],
      'a=" 5 " b="NONE"',
      [{ app_id: 7, name: '[a]', source: '[deal]', value: '5' }],
    ],
    [
      'one report result for each report',
      [made('a', 'add_report_lookup(TU)'), made('a', 'add_report_lookup(EX)')],
      'a="x"',
      [
        { app_id: 7, name: 'a', source_report_key: 'TU', value: 'x' },
        { app_id: 7, name: 'a', source_report_key: 'EX', value: 'x' },
      ],
    ],
    [
      'exceptions with the notes they share',
      [
        made('a', 'policy_exceptions(630)'),
        made('b', 'policy_exceptions(631)'),
        made('c', 'policy_exceptions()'),
      ],
      'a="R1" b="" c="why"',
      [{ app_id: 7, policy_exception_type_enum: 630, reason_code: 'R1', notes: 'why' }],
    ],
    [
      'no warranty of a bit alone',
      [
        made('a', 'warranty_field(620)', { target_column: 'company' }),
        made('b', 'warranty_field(623)', { target_column: 'company' }),
        made('c', 'x', {
          target_column: 'lien',
          data_type: 'bit',
          mapping_type: ['char_to_bit', 'warranty_field(623)'],
        }),
      ],
      'a="Co" c="Y"',
      [{ app_id: 7, warranty_type_enum: 620, company: 'Co' }],
    ],
  ])('%s', async (_what, mappings, attributes, rows, warnings = []) => {
    const plan = await planned(mappings, deal(attributes), {})
    expect(plan.rows['made']).toEqual(rows)
    expect(plan['warnings']).toEqual(warnings)
  })
})

describe('the last of several', () => {
  it('counts, with a warning, for a path and for a name', async () => {
    const inside = '<s v="1"/><s v="2"/>'
    const warning = { code: 'ELEMENT_AMBIGUOUS', table: 'deal_base' }
    const named = { data_type: 'int', mapping_type: ['calculated_field'], expression: 's.v + 1' }
    const mappings = [entry('v', { xml_path: `${at}/s` }), entry('w', named)]
    expect(await planned(mappings, deal('', inside), {})).toMatchObject({
      rows: { deal_base: [{ v: '2', w: 3 }] },
      warnings: [
        { ...warning, column: 'v', path: '/Root/Request/Data/deal/s' },
        { ...warning, column: 'w' },
      ],
    })
  })
  it('dates may have one digit where the original takes it', async () => {
    const read = async (v: string) =>
      (await planned([entry('v', { data_type: 'datetime' })], deal(`v="${v}"`), {})).rows['deal_base']?.[0]?.[
        'v'
      ]
    expect(await read('2023-10-3 16:26:23.886')).toBe('2023-10-03 16:26:23.886')
    expect(await read('4/2/2020 5:53:20 AM')).toBe('2020-04-02 05:53:20')
    expect(await read('4/2/2020 5:53:20')).toBe('2020-04-02 05:53:20')
  })
})
