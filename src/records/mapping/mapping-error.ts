import { ArchiverError } from '../../errors.ts'
import type { Problem } from './document.ts'

/** A mapping that cannot be used, with everything that is wrong with it. */
export class MappingError extends ArchiverError {
  readonly problems: readonly Problem[]

  constructor(file: string, problems: readonly Problem[]) {
    const lines = problems
      .slice(0, 50)
      .map(({ at, message }) => `${file}:${at.line}:${at.column}: ${message}`)
    const more = problems.length > 50 ? [`... and ${problems.length - 50} more`] : []
    super('MAPPING_INVALID', [...lines, ...more].join('\n'), {
      hint: 'docs/RECORDS.md explains the mapping file',
    })
    this.problems = problems
  }
}
