import { basename } from 'node:path'
import type { Command } from '../../app/context.ts'
import { ArchiverError } from '../../errors.ts'
import { replaceFile } from '../../platform/atomic-file.ts'
import { readMapping } from '../../records/mapping/read-mapping.ts'
import { writeMapping } from '../../records/mapping/write-mapping.ts'
import { mappingText } from './mapping-file.ts'

export interface ImportContractOptions {
  readonly file: string
  readonly to?: string
}

/**
 * `records import-contract FILE`: writes the original's contract as a mapping file. The mapping gives the same rows as the contract does when this program reads it. What
 * has another result than in the original stands above it. Throws MAPPING_INVALID with every problem and its place.
 */
export const importContractCommand: Command<ImportContractOptions> = async ({ file, to }, context) => {
  const text = await mappingText(file)
  const contract = readMapping(text, file)
  if (!/"xml_root_element"/.test(text))
    throw new ArchiverError('MAPPING_INVALID', `${file} is no contract: xml_root_element is missing`, {
      hint: 'A mapping in YAML is used as it is.',
    })
  const head = [
    `Made from ${basename(file)}. The rows are those that the contract itself gives here.`,
    ...(contract.notes.length > 0
      ? ['What has another result than in the original, by line of the contract:']
      : []),
    ...contract.notes.map(({ at, message }) => `  ${at.line}: ${message}`),
  ]
  const mapping = writeMapping(contract, head)
  // What cannot be written as YAML is found here and not by the first run.
  readMapping(mapping, to ?? `${file}.yaml`)
  if (to === undefined) context.out(mapping)
  else {
    await replaceFile(to, mapping)
    context.out(`${to}: ${contract.tables.length} tables; ${contract.notes.length} notes stand above them\n`)
  }
  return 0
}
