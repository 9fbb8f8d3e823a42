import { describe, expect, it } from 'vitest'
import { packBlob } from '../../src/stores/ucondb/blob/blob.ts'
import { checkMetadata, findParameters } from '../../src/runs/check-metadata.ts'

const USUAL = new Map([
  ['components', 'components'],
  ['configuration', 'config_name'],
  ['projectversion', 'sbndaq_commit_or_version'],
])
const sections = (text: string) => [{ name: 'metadata.fcl', content: Buffer.from(text) }]
const find = (text: string, ...keys: string[]) =>
  findParameters(sections(text), keys.length > 0 ? new Map(keys.map((key) => [key, key])) : USUAL).map(
    (finding) => ('value' in finding ? `${finding.parameter} = ${finding.value}` : finding.problem),
  )

const GOOD = 'config_name: "beam"\ncomponents: ["a", "b"]\nsbndaq_commit_or_version: "v1  x "\n'

describe('the check of metadata.fcl', () => {
  it('gives each parameter once, without quotes', () => {
    expect(find(GOOD)).toEqual(['components = [a, b]', 'configuration = beam', 'projectversion = v1  x'])
  })
  it('says in the original’s words what is wrong', () => {
    const blob = packBlob(7, sections(`${GOOD}config_name: "other"\n`), 0)
    expect(checkMetadata(blob, new Map([...USUAL, ['detector', 'detector']]))).toEqual([
      "configuration: Error: multiple matches for parameter 'config_name'",
      "detector: Error: no matches for parameter 'detector'",
    ])
    expect(checkMetadata(packBlob(7, [], 0), new Map([['a', 'b']]))).toEqual([
      "a: Error: file 'metadata.fcl' not found",
    ])
  })
  it('complains of a damaged blob', () => {
    expect(checkMetadata(Buffer.from('x'), USUAL)).toEqual([expect.stringContaining('damaged')])
  })
  it('looks for the packages that a site names', () => {
    expect(find('icaruscode_commit_or_version: "v9"\n', 'icaruscode_commit_or_version')).toEqual([
      'icaruscode_commit_or_version = v9',
    ])
  })
  it('is not misled by remarks or longer keys, nor by a key that looks like a pattern', () => {
    expect(find('# config_name: x\nmy_config_name: y\nconfig_name: z\n', 'config_name')).toEqual([
      'config_name = z',
    ])
    expect(find('a: 1\n', '.')).toEqual(["no matches for parameter '.'"])
  })
  it('is not ended or faked by a line of #####', () => {
    expect(find('note: "x"\n#####\nconfig_name: z\n', 'config_name')).toEqual(['config_name = z'])
  })
})
