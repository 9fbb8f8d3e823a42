import { describe, expect, it } from 'vitest'
import { planOf, valueOf, withColumn } from './plan-of.ts'

describe('a path', () => {
  const V = (rest = '') => `{ from: /r/s/@v, type: text${rest} }`
  it.each<[string, string, string, unknown]>([
    ['names two elements of which one has it', V(), '<r id="7"><s/><s v="1"/></r>', 'ELEMENT_AMBIGUOUS'],
    ['takes the first', V(', take: first'), '<r id="7"><s v="1"/><s v="2"/></r>', '1'],
    ['takes the last', V(', take: last'), '<r id="7"><s v="1"/><s v="2"/></r>', '2'],
    ['takes the last, which is empty', V(', take: last'), '<r id="7"><s v="1"/><s v=""/></r>', null],
    [
      'names one in each of two parents',
      '{ from: /r/a/s/@v, type: text }',
      '<r id="7"><a><s v="1"/></a><a><s v="1"/></a></r>',
      'ELEMENT_AMBIGUOUS',
    ],
    ['names none, though the name stands deeper', V(), '<r id="7"><x><s v="1"/></x></r>', null],
    ['names none, though the root has another one around', V(), '<r id="7"><r><s v="1"/></r></r>', null],
  ])('%s', async (_what, column, payload, expected) => {
    expect(await valueOf(column, payload)).toEqual(expected)
  })
  it('that is ambiguous is told with its elements and their place', async () => {
    const plan = await planOf(
      withColumn('{ from: /r/a/s/@v, type: text }'),
      '<r id="7"><a><s v="1"/><s v="2"/></a></r>',
    )
    expect(plan).toMatchObject({
      stage: 'map',
      code: 'ELEMENT_AMBIGUOUS',
      table: 't',
      column: 'v',
      path: '/r/a/s',
      rows: {},
    })
  })
  it('chooses by where and prefer', async () => {
    const from = (rest: string) => `{ from: { list: /r/p/a, ${rest}, value: "@town" }, type: text }`
    const payload =
      '<r id="7"><p><a kind="home" town="x"/><a kind="WORK" town="y"/><a kind="WORK" town="z" main="1"/></p></r>'
    expect(await valueOf(from('where: { "@kind": WORK }'), payload)).toBe('ELEMENT_AMBIGUOUS')
    expect(await valueOf(from('where: { "@kind": WORK }, take: first'), payload)).toBe('y')
    expect(await valueOf(from('where: { "@kind": WORK, "@main": present }'), payload)).toBe('z')
    expect(await valueOf(from('where: { "@kind": [HOME] }, take: first'), payload)).toBe(null)
    expect(await valueOf(from('where: { "@kind": [HOME] }, ignore_case: true, take: first'), payload)).toBe(
      'x',
    )
    expect(await valueOf(from('prefer: { "@kind": [CAMP, HOME] }, take: last'), payload)).toBe('z')
  })
})

const PEOPLE = (list: string, more = '') => `version: 1
record: { root: r, key: /r/@id, key_type: bigint }
lists:
  people: { each: /r/p, require: { "@pid": present, "@role": [MAIN, OTHER] }, any_of: ["@first", "@last"]${list} }
${more}
tables:
  - table: people
    each: people
    key: [pid]
    columns: { pid: { from: "@pid", type: integer }, first: { from: "@first", type: text } }
  - table: places
    each: people/a
    key: [pid, kind]
    columns: { pid: { from: "../@pid", type: integer }, kind: { from: "@kind", type: text }, town: { from: "@town", type: text } }
`
const UNIQUE = ', unique: { by: ["@pid"], prefer: "@role", then: last }'

describe('a list', () => {
  const read = (list: string, inside: string) => planOf(PEOPLE(list), `<r id="7">${inside}</r>`)
  const firsts = (plan: Awaited<ReturnType<typeof read>>) => plan.rows['people']?.map(({ first }) => first)

  it('takes the last of those that are alike in all that counts', async () => {
    const plan = await read(UNIQUE, '<p pid="1" role="MAIN" first="a"/><p pid=" 1 " role="MAIN" first="b"/>')
    expect(firsts(plan)).toEqual(['b'])
    expect(plan['warnings']).toEqual([{ code: 'DUPLICATE_ELEMENT', list: 'people', path: '/r/p[1]' }])
  })
  it('takes the first, or none, where it says so', async () => {
    const twice = '<p pid="1" role="MAIN" first="a"/><p pid="1" role="MAIN" first="b"/>'
    expect(firsts(await read(UNIQUE.replace('last', 'first'), twice))).toEqual(['a'])
    expect(await read(UNIQUE.replace('last', 'fail'), twice)).toMatchObject({
      stage: 'validate',
      code: 'DUPLICATE_ELEMENT',
      list: 'people',
    })
  })
  it('keeps the order of the document, and those without an identity apart', async () => {
    const plan = await planOf(
      PEOPLE(UNIQUE).replace('"@pid": present, ', ''),
      '<r id="7"><p pid="2" role="OTHER" first="a"/><p pid="1" role="MAIN" first="b"/><p pid="2" role="MAIN" first="c"/></r>',
    )
    expect(firsts(plan)).toEqual(['b', 'c'])
  })
  it('refuses or skips by a blank and by an empty attribute alike', async () => {
    const inside =
      '<p pid=" " role="MAIN" first="a"/><p pid="" role="MAIN" first="b"/><p pid="3" role=" MAIN " first="c"/>'
    const plan = await read('', inside)
    expect(firsts(plan)).toEqual(['c'])
    expect(plan['warnings']).toMatchObject([
      { reason: '@pid', path: '/r/p[1]' },
      { reason: '@pid', path: '/r/p[2]' },
    ])
    expect(await read(', otherwise: fail', inside)).toMatchObject({
      stage: 'validate',
      code: 'ELEMENT_REJECTED',
      list: 'people',
      path: '/r/p[1]',
    })
  })
  it('compares without case where it says so, for the filter and for what is preferred', async () => {
    const plan = await read(
      `${UNIQUE}, ignore_case: true`,
      '<p pid="1" role="main" first="a"/><p pid="1" role="Other" first="b"/>',
    )
    expect(firsts(plan)).toEqual(['a'])
  })
  it('counts what is left against min and max', async () => {
    const inside = '<p pid="1" role="MAIN" first="a"/><p pid="1" role="OTHER" first="b"/>'
    expect(await read(`${UNIQUE}, min: 2`, inside)).toMatchObject({ code: 'REQUIRED_ELEMENT' })
    expect(await read(', max: 1', inside)).toMatchObject({ code: 'ELEMENT_REJECTED', stage: 'validate' })
    expect(await read(`${UNIQUE}, max: 1`, inside)).toMatchObject({ status: 'success' })
  })
  it('gives no row of a child whose parent is left out', async () => {
    const plan = await read(
      '',
      '<p pid="1" role="GUEST" first="a"><a kind="HOME" town="x"/></p><p pid="2" role="MAIN" first="b"><a kind="HOME" town="y"/></p>',
    )
    expect(plan.rows['places']).toEqual([{ pid: 2, kind: 'HOME', town: 'y' }])
  })
  it('fails where two rows of the record have one key', async () => {
    expect(
      await read('', '<p pid="1" role="MAIN" first="a"/><p pid="01" role="MAIN" first="b"/>'),
    ).toMatchObject({ stage: 'map', code: 'DUPLICATE_ROW', table: 'people', rows: {} })
    expect(
      await read('', '<p pid="1" role="MAIN" first="a"><a kind="HOME"/><a kind="HOME"/></p>'),
    ).toMatchObject({ code: 'DUPLICATE_ROW', table: 'places' })
  })
  it('names the place of a value in it', async () => {
    expect(await read('', '<p pid="1" role="MAIN" first="a"><a/></p>')).toMatchObject({
      code: 'REQUIRED_MISSING',
      table: 'places',
      column: 'kind',
      path: '/r/p[1]/a[1]/@kind',
    })
    expect(
      await read(
        '',
        '<p pid="1" role="MAIN" first="a"/><p pid="x" role="MAIN" last="b"><a kind="HOME"/></p>',
      ),
    ).toMatchObject({
      code: 'VALUE_NOT_VALID',
      path: '/r/p[2]/@pid',
      others: [{ code: 'VALUE_NOT_VALID', table: 'places', column: 'pid', path: '/r/p[2]/@pid' }],
    })
  })
  it('may stand below another list', async () => {
    const plan = await planOf(
      `version: 1
record: { root: r, key: /r/@id }
lists:
  orders: { each: /r/o, require: { "@no": present } }
  lines: { each: orders/l, require: { "@n": present }, unique: { by: ["../@no", "@n"], then: first } }
tables:
  - table: lines
    each: lines
    key: [no, n]
    columns: { no: { from: "../@no", type: integer }, n: { from: "@n", type: integer }, tag: { from: "t/text()", type: text }, id: { from: "../../@id", type: integer } }
`,
      '<r id="7"><o><l n="9"/></o><o no="1"><l n="1"><t>x</t></l><l n="1"/><l/></o><o no="2"><l n="1"/></o></r>',
    )
    expect(plan.rows['lines']).toEqual([
      { no: 1, n: 1, tag: 'x', id: 7 },
      { no: 2, n: 1, id: 7 },
    ])
    expect(plan['warnings']).toEqual([
      { code: 'ELEMENT_SKIPPED', list: 'orders', path: '/r/o[1]', reason: '@no' },
      { code: 'ELEMENT_SKIPPED', list: 'lines', path: '/r/o[2]/l[3]', reason: '@n' },
      { code: 'DUPLICATE_ELEMENT', list: 'lines', path: '/r/o[2]/l[2]' },
    ])
  })
})

describe('rows', () => {
  it('of nothing but key, literals and defaults are left out on request alone', async () => {
    const mapping = (skip: boolean) => `version: 1
record: { root: r, key: /r/@id }
tables:
  - table: t
    key: [id]
    skip_when_empty: ${skip}
    columns: { id: $key, kind: fixed, flag: { from: /r/@f, bit: yn }, v: { from: /r/@v, type: text, default: none, required: true } }
bits: { yn: { Y: 1, "": 0 } }
`
    expect((await planOf(mapping(true), '<r id="7"/>')).rows).toEqual({ t: [] })
    expect((await planOf(mapping(true), '<r id="7" f=" " v=""/>')).rows).toEqual({ t: [] })
    expect((await planOf(mapping(false), '<r id="7"/>')).rows).toEqual({
      t: [{ id: 7, kind: 'fixed', flag: 0, v: 'none' }],
    })
    expect((await planOf(mapping(true), '<r id="7" f="Y"/>')).rows).toEqual({
      t: [{ id: 7, kind: 'fixed', flag: 1, v: 'none' }],
    })
  })
  it('by when are left out where it is false, and fail where it means nothing', async () => {
    const mapping = (when: string) => `version: 1
record: { root: r, key: /r/@id }
tables:
  - { table: t, key: [id, name], rows: [ { set: { id: $key, name: A, v: { from: /r/@a, type: integer, required: true } }, when: "${when}" } ] }
`
    expect((await planOf(mapping('r.a IS NOT EMPTY'), '<r id="7" a=" "/>')).rows).toEqual({ t: [] })
    expect((await planOf(mapping('r.a > 0'), '<r id="7" a="0"/>')).rows).toEqual({ t: [] })
    expect((await planOf(mapping('r.a > 0'), '<r id="7" a="10"/>')).rows).toEqual({
      t: [{ id: 7, name: 'A', v: 10 }],
    })
    expect(await planOf(mapping('r.a'), '<r id="7" a="x"/>')).toMatchObject({
      code: 'EXPRESSION',
      table: 't',
    })
    expect(await planOf(mapping('1 = 1'), '<r id="7"/>')).toMatchObject({
      code: 'REQUIRED_MISSING',
      path: '/r/@a',
    })
  })
  it('of one name and source twice are a duplicate, and none is updated away', async () => {
    const set = (from: string) =>
      `{ set: { id: $key, name: seen, v: { from: ${from}, type: text } }, when: "r.id = 7" }`
    const mapping = `version: 1\nrecord: { root: r, key: /r/@id }\ntables:\n  - { table: t, key: [id, name], rows: [ ${set('/r/@a')}, ${set('/r/@b')} ] }\n`
    expect(await planOf(mapping, '<r id="7" a="1" b="2"/>')).toMatchObject({
      status: 'failed',
      stage: 'map',
      code: 'DUPLICATE_ROW',
    })
  })
})

describe('rows that stand already', () => {
  const mapping = PEOPLE('')
  const payload = '<r id="7"><p pid="31" role="MAIN" first="Kaj"><a kind="HOME" town="x"/></p></r>'
  const person = { pid: 31, first: 'Kaj' }
  const place = { pid: 31, kind: 'HOME', town: 'x' }
  it('all of them, are present', async () => {
    const given = { people: [person, { pid: 5, first: 'Ada' }], places: [place] }
    expect(await planOf(mapping, payload, { given })).toMatchObject({
      status: 'success',
      result: 'present',
      stored_after: given,
    })
  })
  it('some of them, are a conflict', async () => {
    expect(await planOf(mapping, payload, { given: { people: [person] } })).toMatchObject({
      status: 'failed',
      code: 'CONFLICT',
      stage: 'insert',
      stored_after: { people: [person] },
    })
  })
  it('with a value where the record has none, are a conflict', async () => {
    const given = { people: [person], places: [{ ...place, town: 'y' }] }
    expect(await planOf(mapping, payload, { given })).toMatchObject({
      code: 'CONFLICT',
      table: 'places',
      key_of_row: { pid: 31, kind: 'HOME' },
      differs: ['town'],
    })
    const without = '<r id="7"><p pid="31" role="MAIN" last="x"/></r>'
    expect(await planOf(mapping, without, { given: { people: [person] } })).toMatchObject({
      code: 'CONFLICT',
      differs: ['first'],
    })
  })
  it('and are shared, are not stored again', async () => {
    const shared = mapping.replace('key: [pid]\n', 'key: [pid]\n    shared: true\n')
    expect(await planOf(shared, payload, { given: { people: [person] } })).toMatchObject({
      status: 'success',
      result: 'stored',
      stored_after: { people: [person], places: [place] },
    })
    expect(
      await planOf(shared, payload, { given: { people: [{ ...person, first: 'Nele' }] } }),
    ).toMatchObject({ code: 'CONFLICT', differs: ['first'] })
  })
  it('are compared as values, not as letters', async () => {
    const typed = withColumn('{ from: /r/@v, type: decimal, scale: 2 }')
    expect(await planOf(typed, '<r id="7" v="1.5"/>', { given: { t: [{ id: '7', v: 1.5 }] } })).toMatchObject(
      { result: 'present' },
    )
    const text = withColumn('{ from: /r/@v, type: text }')
    expect(await planOf(text, '<r id="7" v="1.0"/>', { given: { t: [{ id: 7, v: '1' }] } })).toMatchObject({
      code: 'CONFLICT',
      differs: ['v'],
    })
    const moment = withColumn('{ from: /r/@v, type: datetime, scale: 3 }')
    expect(
      await planOf(moment, '<r id="7" v="2024-01-01T00:00:00Z"/>', {
        given: { t: [{ id: 7, v: '2024-01-01 00:00:00' }] },
      }),
    ).toMatchObject({ result: 'present' })
  })
})
