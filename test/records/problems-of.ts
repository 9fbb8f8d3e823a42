import { MappingError } from '../../src/records/mapping/mapping-error.ts'
import { readMapping } from '../../src/records/mapping/read-mapping.ts'

/** The problems of a mapping, each with its place; none where it can be used. */
export const problemsOf = (text: string): string[] => {
  try {
    readMapping(text, 'm.yaml')
    return []
  } catch (error) {
    if (error instanceof MappingError) return error.message.split('\n')
    throw error
  }
}
