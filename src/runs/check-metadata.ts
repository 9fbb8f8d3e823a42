import { ArchiverError } from '../errors.ts'
import { type Section, unpackBlob } from '../stores/ucondb/blob/blob.ts'
import type { BlobCheck } from './migrate-stage.ts'
import { decode, python, strip } from '../stores/run-records/fhiclize/python-text.ts'

/** One parameter by the name it is reported under: its value as it stands, without quotes; or what is wrong. */
export type MetadataFinding =
  | { readonly parameter: string; readonly value: string }
  | { readonly parameter: string; readonly problem: string }

/**
 * Looks for parameters in the `metadata.fcl` among a blob's sections: each key must be there exactly once.
 * `parameters`: the key by the name it is reported under. Remarks, and keys that merely end in a parameter's name, do not
 * count, and a line of `#####` does not end the file. Problems are reported in the original's words.
 */
export const findParameters = (
  sections: readonly Section[],
  parameters: ReadonlyMap<string, string>,
): MetadataFinding[] => {
  const file = sections.find(({ name }) => name === 'metadata.fcl')
  const text = file && decode(file.content).replace(/^[ \t]*#.*$/gm, '')
  return [...parameters].map(([parameter, key]) => {
    if (text === undefined) return { parameter, problem: `file 'metadata.fcl' not found` }
    const literal = key.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    const [match, another] = text.matchAll(python(`(?<![A-Za-z0-9_.])${literal}:\\s+(.+)`, 'g'))
    if (!match) return { parameter, problem: `no matches for parameter '${key}'` }
    if (another) return { parameter, problem: `multiple matches for parameter '${key}'` }
    return { parameter, value: strip((match[1] ?? '').replaceAll('"', '')) }
  })
}

/** What `--validate` has to complain of in a blob as it was read back; nothing for a good one. Never throws. */
export const checkMetadata = (blob: Buffer, parameters: ReadonlyMap<string, string>): string[] => {
  try {
    const findings = findParameters(unpackBlob(blob).sections, parameters)
    return findings.flatMap((one) => ('problem' in one ? [`${one.parameter}: Error: ${one.problem}`] : []))
  } catch (error) {
    if (error instanceof ArchiverError) return [error.message]
    throw error
  }
}

/** `--validate`: looks for the configured parameters in the metadata of a blob as it was read back; each complaint names its run. */
export const blobCheck =
  (parameters: ReadonlyMap<string, string>, complain: (complaint: string) => void): BlobCheck =>
  (run, blob) => {
    const complaints = checkMetadata(blob, parameters)
    for (const complaint of complaints) complain(`run ${run}: ${complaint}`)
    return complaints
  }
