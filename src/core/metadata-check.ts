import { decode, python, strip } from './python-text.ts'

/** What `--validate` looks for: the key in metadata.fcl, and the word under which it is reported. */
export interface MetadataParameter {
  readonly key: string
  readonly label: string
}

/** The original's parameters. The third is SBND's own package; other experiments name theirs (D51). */
export const DEFAULT_PARAMETERS: readonly MetadataParameter[] = [
  { key: 'components', label: 'components' },
  { key: 'config_name', label: 'configuration' },
  { key: 'sbndaq_commit_or_version', label: 'projectversion' },
]

/** One parameter's value as it stands, without quotes; or what is wrong, in the original's words. */
export type MetadataFinding = MetadataParameter &
  ({ readonly found: true; readonly value: string } | { readonly found: false; readonly problem: string })

/**
 * Checks that the `metadata.fcl` among a blob's sections has each parameter exactly once (spec section 6). Remarks and keys that
 * merely end in a parameter's name do not count, nor does a line of `#####` end the file (D50).
 */
export const checkMetadata = (
  sections: readonly { readonly name: string; readonly content: Buffer }[],
  parameters: readonly MetadataParameter[] = DEFAULT_PARAMETERS,
): MetadataFinding[] => {
  const file = sections.find(({ name }) => name === 'metadata.fcl')
  const text = file && decode(file.content).replace(/^[ \t]*#.*$/gm, '')
  return parameters.map((parameter) => {
    const { key } = parameter
    const problem = (what: string): MetadataFinding => ({
      ...parameter,
      found: false,
      problem: `Error: ${what}`,
    })
    if (text === undefined) return problem(`file 'metadata.fcl' not found`)
    const name = key.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    const [match, another] = text.matchAll(python(`(?<![A-Za-z0-9_.])${name}:\\s+(.+)`, 'g'))
    if (!match) return problem(`no matches for parameter '${key}'`)
    if (another) return problem(`multiple matches for parameter '${key}'`)
    return { ...parameter, found: true, value: strip((match[1] ?? '').replaceAll('"', '')) }
  })
}
