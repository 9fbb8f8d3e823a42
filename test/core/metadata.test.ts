import { describe, expect, it } from 'vitest'
import { checkMetadata } from '../../src/core/metadata-check.ts'

const check = (text: string, keys?: string[]) =>
  checkMetadata(
    [{ name: 'metadata.fcl', content: Buffer.from(text) }],
    keys?.map((key) => ({ key, label: key })),
  ).map((finding) => (finding.found ? `${finding.label} = ${finding.value}` : finding.problem))

const GOOD = 'config_name: "beam"\ncomponents: ["a", "b"]\nsbndaq_commit_or_version: "v1  x "\n'

describe('the check of metadata.fcl', () => {
  it('gives each parameter once, without quotes', () => {
    expect(check(GOOD)).toEqual(['components = [a, b]', 'configuration = beam', 'projectversion = v1  x'])
  })
  it('says in the original’s words what is wrong', () => {
    expect(check(`${GOOD}config_name: "other"\n`, ['config_name', 'detector'])).toEqual([
      "Error: multiple matches for parameter 'config_name'",
      "Error: no matches for parameter 'detector'",
    ])
    expect(checkMetadata([])[0]).toMatchObject({
      found: false,
      problem: "Error: file 'metadata.fcl' not found",
    })
  })
  it('D51: looks for the packages that a site names', () => {
    expect(check('icaruscode_commit_or_version: "v9"\n', ['icaruscode_commit_or_version'])).toEqual([
      'icaruscode_commit_or_version = v9',
    ])
  })
  it('is not misled by remarks or longer keys', () => {
    expect(check('# config_name: x\nmy_config_name: y\nconfig_name: z\n', ['config_name'])).toEqual([
      'config_name = z',
    ])
  })
  it('D50: is not ended or faked by a line of #####', () => {
    expect(check('note: "x"\n#####\nconfig_name: z\n', ['config_name'])).toEqual(['config_name = z'])
  })
})
