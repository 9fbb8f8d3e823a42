import { earlierMetadata, parseMetadata } from '../metadata-file.ts'
import { originalRunHistory, originalRunHistory2 } from '../original-forms/original-forms.ts'
import { originalMetadata } from '../original-forms/metadata.ts'
import type { IsFhicl } from './fhicl-printer.ts'
import { convertMetadata } from './metadata.ts'
import { runHistory, runHistory2 } from './run-history.ts'

type Make = (metadata: Uint8Array, run: number, isFhicl: IsFhicl) => string | undefined

/** The documents that are made of `metadata.txt`: by us, and by the Python original. */
const MADE_OF_METADATA: ReadonlyMap<string, readonly Make[]> = new Map<string, readonly Make[]>([
  ['metadata', [(bytes, _run, isFhicl) => convertMetadata(bytes, isFhicl), originalMetadata]],
  [
    'RunHistory',
    [(bytes, run) => runHistory(run, parseMetadata(bytes)), (bytes, run) => originalRunHistory(run, bytes)],
  ],
  ['RunHistory2', [(bytes) => runHistory2(parseMetadata(bytes)), originalRunHistory2]],
])

/** What was made of a document before the times of the run were appended to `metadata.txt`; undefined for documents that are not made of it. */
export const earlierForms = (
  entity: string,
  run: number,
  metadata: Uint8Array,
  isFhicl: IsFhicl,
): (() => readonly string[]) | undefined => {
  const makes = MADE_OF_METADATA.get(entity)
  return (
    makes &&
    (() =>
      earlierMetadata(metadata).flatMap((bytes) => makes.flatMap((make) => make(bytes, run, isFhicl) ?? [])))
  )
}
