import { readFile } from 'node:fs/promises'
import { ArchiverError, errnoOf, messageOf } from '../../errors.ts'
import type { Mapping } from '../../records/mapping/model.ts'
import { readMapping } from '../../records/mapping/read-mapping.ts'

/** Reads a mapping file. Throws MAPPING_INVALID with every problem and its place, or NOT_FOUND. */
export const readMappingFile = async (file: string): Promise<Mapping> =>
  readMapping(await mappingText(file), file)

/** The text of a mapping file. */
export const mappingText = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = errnoOf(error) === 'ENOENT' ? 'NOT_FOUND' : 'MAPPING_INVALID'
    throw new ArchiverError(code, `cannot read the mapping ${file}: ${messageOf(error)}`, { cause: error })
  }
}
