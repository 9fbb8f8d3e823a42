import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import type { IdListOptions, Survey } from './id-list.ts'

/** File names without their folders, except where two would be one. */
export const namesOf = (paths: readonly string[]): ReadonlyMap<string, string> => {
  const short = paths.map((path) => basename(path))
  return new Map(
    paths.map((path, at) => [
      path,
      short.filter((name) => name === short[at]).length > 1 ? path : (short[at] ?? path),
    ]),
  )
}

/** Other columns of the same file are other ids: batches of the one are not batches of the other. */
export const versionOf = (survey: Survey, { columns, header }: Omit<IdListOptions, 'key'>): Survey => {
  if (columns.length === 0 && header === 'auto') return survey
  const text = JSON.stringify([survey.sha256, columns, header])
  return { ...survey, sha256: createHash('sha256').update(text).digest('hex') }
}
