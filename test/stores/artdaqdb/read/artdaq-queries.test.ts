import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  buildFilter,
  findConfigurations,
  findEntities,
  findVersions,
  matching,
  type Filter,
  type QueryFormat,
} from './artdaq-queries.ts'
import { canonicalText } from '../../../../src/stores/artdaqdb/format/canonical-export.ts'
import { newest } from '../../../../src/stores/artdaqdb/index/run-documents.ts'
import { golden, hasGolden } from '../golden.ts'
import { openDb } from '../runs.ts'

interface Call {
  readonly call: string
  readonly query: { dataformat: string; collection?: string; filter: Filter }
  readonly ok: boolean
  readonly result?: string
}

const calls = (file: string): readonly Call[] =>
  hasGolden
    ? readFileSync(join(golden, file), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Call)
    : []

const database = (name: string) => openDb(join(golden, name, 'db')).databases[0]!

const answer = async (name: string, { call, query }: Call): Promise<string | undefined> => {
  const format = query.dataformat as QueryFormat
  switch (call) {
    case 'find_configurations':
      return findConfigurations(database(name), query.filter, format)
    case 'find_versions':
      return findVersions(database(name), query.collection ?? '', query.filter, format)
    case 'find_entities':
      return findEntities(database(name), query.filter, format)
    default:
      return buildFilter(database(name), query.filter)
  }
}

/** The order of collections is the file system's: entries are compared as a set where collections are walked. */
const unordered = (text: string | undefined): unknown =>
  text?.startsWith('{')
    ? (JSON.parse(text) as { search: unknown[] }).search.map((one) => JSON.stringify(one)).sort()
    : text?.split(',').sort()

const asked = (name: string, file: string) =>
  calls(file)
    .filter(({ call }) => /^(find_|configuration_composition)/.test(call))
    .map((one) => ({ ...one, name }))

describe.skipIf(!hasGolden)("queries that artdaq's python module answered", () => {
  it.each([
    ...asked('main', 'main/queries.jsonl'),
    ...asked('dup', 'dup/queries.jsonl'),
    ...asked('mutated', 'mutated/operations.jsonl'),
  ])('get the same answer: $name $call $query', async ({ name, ...call }) => {
    const given = await answer(name, call)
    const walked = call.call === 'find_entities' || call.call === 'configuration_composition'
    if (!call.ok) expect(given).toBeUndefined()
    else if (walked) expect(unordered(given)).toEqual(unordered(call.result))
    else expect(given).toBe(call.result)
  })
})

describe.skipIf(!hasGolden)('documents that are looked for', () => {
  const read = async ({ query }: Call): Promise<string | undefined> => {
    const collection = database('main').collection(query.collection ?? '')
    const { index } = await collection.index()
    const oid = newest(matching(index, query.filter).map((one) => ({ oid: one, version: '' })))?.oid
    return oid === undefined ? undefined : canonicalText(await collection.document(oid))
  }

  const texts = calls('main/queries.jsonl').filter(
    ({ call, query }) =>
      call === 'read_document' &&
      ['origin', 'fhicl'].includes(query.dataformat) &&
      !('bogus.key' in query.filter),
  )

  it.each(texts)('are those that meet every criterion: $query.filter', async (call) => {
    // Where nothing meets all, artdaq gives some other document; the right answer is none.
    const none = Object.values(call.query.filter).some((value) => value.startsWith('no_such')) || !call.ok
    expect(await read(call)).toBe(none ? undefined : call.result)
  })

  it('are not looked for by keys that no index has', async () => {
    const { index } = await database('main').collection('RunHistory').index()
    expect(() => matching(index, { 'bogus.key': 'x' })).toThrow(SyntaxError)
  })
})
