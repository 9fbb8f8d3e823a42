export type Entry = Record<string, unknown>
export const at = '/Root/Request/Data/deal'
/** An entry of a contract. */
export const entry = (attribute: string, more: Entry = {}): Entry => ({
  xml_path: at,
  xml_attribute: attribute,
  target_table: 'deal_base',
  target_column: attribute,
  data_type: 'string',
  nullable: true,
  ...more,
})
/** A contract with these entries beside the key's. */
export const contract = (mappings: Entry[], more: Entry = {}): string =>
  JSON.stringify({
    xml_root_element: 'Root',
    xml_application_path: at,
    source_application_table: 'deal',
    element_filtering: {
      filter_rules: [
        {
          element_type: 'contact',
          xml_child_path: `${at}/person`,
          required_attributes: { con_id: true, kind: ['PR', 'SEC'] },
        },
        {
          element_type: 'address',
          xml_child_path: `${at}/person/place`,
          required_attributes: { place_kind: ['CURR', 'PREV'] },
        },
      ],
    },
    relationships: [],
    enum_mappings: { colour: { RED: 11, Blue: 12 }, shade: { RED: 1, '': 9 } },
    bit_conversions: { char_to_bit: { Y: 1, N: 0, '': 0 }, boolean_to_bit: { true: 1, false: 0 } },
    mappings: [
      {
        ...entry('ID'),
        xml_path: '/Root/Request',
        target_column: 'app_id',
        data_type: 'int',
        nullable: false,
        mapping_type: ['identity_insert'],
      },
      ...mappings,
    ],
    ...more,
  })
/** A payload. */
export const deal = (attributes: string, inside = ''): string =>
  `<Root><Request ID="7"><Data><deal ${attributes}>${inside}</deal></Data></Request></Root>`

/** An entry that looks at persons. */
export const person = (name: string, types: string[], more: Entry = {}): Entry =>
  entry(name, { xml_path: `${at}/person`, mapping_type: types, ...more })
export const people =
  '<person con_id="1" kind="PR" first_name="Ada" lead="Y"/><person con_id="2" kind="SEC" first_name="Bo" lead="N"/><person con_id="3" kind="PR" first_name="Cy"/>'

const goods = (name: string, types: string[], more: Entry = {}): Entry =>
  entry(name, { target_table: 'goods', mapping_type: types, ...more })

/** Contracts that together have every construct. */
export const CONTRACTS: readonly string[] = [
  contract([
    entry('v', { mapping_type: ['enum'], enum_name: 'shade', data_type: 'smallint' }),
    entry('w', { mapping_type: ['char_to_bit'], data_type: 'bit' }),
    entry('x', {
      mapping_type: ['calculated_field', 'enum'],
      enum_name: 'colour',
      data_type: 'int',
      expression: "CASE WHEN w = 'Y' THEN 5 END",
    }),
    entry('y', { data_type: 'date', mapping_type: ['default_getutcdate_if_null'] }),
    entry('z', {
      data_type: 'decimal',
      data_length: 2,
      mapping_type: ['extract_numeric'],
      nullable: false,
      default_value: '0',
    }),
    person('first_name', ['last_valid_pr_contact', 'add_history'], {
      target_table: 'history',
      target_column: '',
    }),
    entry('note', { target_table: 'history', target_column: '', mapping_type: ['add_history'] }),
    person('lead', ['last_valid_sec_contact', 'char_to_bit'], { data_type: 'bit' }),
    goods('make', ['add_collateral(1)']),
    goods('wholesale_value', ['add_collateral(1)'], { data_type: 'decimal', data_length: 2 }),
    goods('used', ['char_to_bit', 'add_collateral(1)'], { data_type: 'bit' }),
    goods('model', ['add_collateral(1)'], { default_value: 'NONE', exclude_default_when_record_empty: true }),
    entry('ind', { target_table: 'signs', target_column: '', mapping_type: ['add_indicator(A)'] }),
  ]),
  contract(
    [
      person('con_id', [], {
        target_table: 'persons',
        data_type: 'int',
        nullable: false,
        mapping_type: ['identity_insert'],
      }),
      person('town', ['last_valid_pr_contact'], {
        target_column: 'last_town',
        xml_path: `${at}/person/place`,
      }),
      person('town', ['curr_address_only', 'numbers_only'], {
        target_table: 'persons',
        xml_path: `${at}/person/place`,
      }),
      entry('place_kind', { target_table: 'places', xml_path: `${at}/person/place`, nullable: false }),
      entry('town', { target_table: 'places', xml_path: `${at}/person/place`, data_length: 3 }),
    ],
    {
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
    },
  ),
]

/** Payloads that reach every branch of them. */
export const PAYLOADS: readonly string[] = [
  deal(
    'v="RED" w="Y" x="blue" y="3/2/2020" z="$1,234.505" note="n" make="m" wholesale_value="5" used="Y" ind="yes" I="1"',
    people,
  ),
  deal(
    'v="PINK" w="X" x="blue" y="2020-03-02" z="x" note="null" wholesale_value="0" used="N" model=""',
    people,
  ),
  deal('V="" W="n" x="red" y="2020-03-02" Z="1" z="2" make="None" wholesale_value="0.01"', people + people),
  deal(
    'y="13/02/2020"',
    people.replaceAll(
      '/>',
      '><place place_kind="CURR" town="12 Ost"/><place place_kind="prev" town="Alt"/></person>',
    ),
  ),
  deal(
    'y="2020-03-02"',
    '<person con_id="1" kind="PR" first_name="Ada"><place place_kind="CURR"/><place place_kind="CURR" town="a"/><place place_kind="CURR" town="b"/></person>',
  ),
  '<Root><Request ID="7"/></Root>',
]
