import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { importContractCommand } from '../../src/commands/records/import-contract.ts'
import { readMapping } from '../../src/records/mapping/read-mapping.ts'
import { CONTRACTS, PAYLOADS } from './neighbours/contracts.ts'
import { planOf } from './neighbours/plan-of.ts'
import { printing } from './databases.ts'
import { temporaryFolder } from './temporary-folder.ts'

const SHARED = '../shared/fixtures/records/cases'
const folders = [
  'test/records/cases/contract',
  ...(existsSync(SHARED)
    ? readdirSync(SHARED)
        .map((name) => join(SHARED, name))
        .filter((folder) => existsSync(join(folder, 'mapping.json')))
    : []),
]
if (!existsSync(SHARED)) console.warn(`skipped: the cases of ${SHARED} are not there`)

const imported = async (file: string): Promise<string> => {
  const { context, printed } = printing()
  expect(await importContractCommand({ file }, context)).toBe(0)
  return printed()
}
const write = (contract: string): string => {
  const file = join(temporaryFolder('contract'), 'contract.json')
  writeFileSync(file, contract)
  return file
}

describe('records import-contract', () => {
  it.each(folders)('gives a mapping with the plan of the contract of %s', async (folder) => {
    const yaml = await imported(join(folder, 'mapping.json'))
    const key = String(
      (JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as { source_key: number }).source_key,
    )
    const payload = readFileSync(join(folder, 'payload.xml'), 'utf8')
    const contract = readFileSync(join(folder, 'mapping.json'), 'utf8')
    expect(await planOf(yaml, payload, { key })).toEqual(await planOf(contract, payload, { key }))
  })
  it.each(CONTRACTS)('keeps what a contract has, %#', async (contract) => {
    const yaml = await imported(write(contract))
    for (const payload of PAYLOADS)
      expect(await planOf(yaml, payload)).toEqual(await planOf(contract, payload))
  })
  it('keeps a list before those below it whatever their names are', async () => {
    const rule = (element: string, path: string, attributes: object) => ({
      element_type: element,
      xml_child_path: path,
      required_attributes: attributes,
    })
    const contract = JSON.stringify({
      xml_root_element: 'r',
      xml_application_path: '/r',
      element_filtering: {
        filter_rules: [rule('contact', '/r/p', { id: true }), rule('1', '/r/p/a', { j: ['X'] })],
      },
      mappings: [
        {
          ...{ xml_path: '/r', xml_attribute: 'id', target_table: 't', target_column: 'id' },
          ...{ data_type: 'int', mapping_type: ['identity_insert'] },
        },
      ],
    })
    const yaml = await imported(write(contract))
    expect([...readMapping(yaml, 'm.yaml').lists.keys()]).toEqual(['contact', '1'])
  })
  it('gives YAML that has no problem of its own and is no contract', async () => {
    const yaml = await imported('test/records/cases/contract/mapping.json')
    expect(readMapping(yaml, 'm.yaml').notes).toEqual([])
    expect(yaml).toMatch(/^# Made from mapping\.json/)
  })
  it('says what has another result than in the original, and what has no effect', async () => {
    const contract = JSON.parse(readFileSync('test/records/cases/contract/mapping.json', 'utf8')) as {
      mappings: object[]
    }
    contract.mappings.push({
      xml_path: '/Lab/Run/sample',
      xml_attribute: 'age',
      target_table: 'sample_base',
      target_column: 'age',
      data_type: 'int',
      mapping_type: ['extract_numeric', 'make_it_nice'],
    })
    const yaml = await imported(write(JSON.stringify(contract, null, 1)))
    expect(yaml).toContain('sample_base.heavy: numbers are compared as numbers')
    expect(yaml).toContain('sample_base.age: extract_numeric takes $ and grouping commas away')
    expect(yaml).toContain('sample_base.age: the mapping type make_it_nice is not known and has no effect')
  })
  it('refuses what is no contract, with its place', async () => {
    await expect(imported(write('{ "mappings": [] }'))).rejects.toMatchObject({ code: 'MAPPING_INVALID' })
    await expect(imported(write('{ "xml_root_element": "R", "mappings": [{}] }'))).rejects.toThrow(
      /contract\.json:1:\d+: /,
    )
    await expect(imported('test/records/cases/orders/mapping.yaml')).rejects.toMatchObject({
      code: 'MAPPING_INVALID',
    })
  })
})
