import { ArchiverError } from '../errors.ts'
import { RunSet } from './run-set.ts'

/** The runs of one of several archivers that split the work by run number, without a common backlog. */
export interface Share {
  /** From 0 to `count` − 1. */
  readonly id: number
  readonly count: number
}

/** Whether a run is in the share: its positive modulo decides, so that each run is in exactly one. */
export const isInShare = ({ id, count }: Share, run: number): boolean =>
  ((run % count) + count) % count === id

/** The runs that are in the share; all of them without one. */
export const runsOfShare = (share: Share | undefined, runs: RunSet): RunSet =>
  share ? RunSet.of([...runs].filter((run) => isInShare(share, run))) : runs

/** `--instance-id` and `--instance-count`: both or neither. Throws USAGE. */
export const shareOf = (id: string | undefined, count: string | undefined): Share | undefined => {
  if (id === undefined && count === undefined) return undefined
  const share = { id: Number(id), count: Number(count) }
  const isWhole = /^\d{1,6}$/.test(id ?? '') && /^\d{1,6}$/.test(count ?? '')
  if (isWhole && share.count >= 1 && share.id < share.count) return share
  throw new ArchiverError(
    'USAGE',
    `--instance-id ${id ?? '?'} --instance-count ${count ?? '?'} is no share of the runs`,
    {
      hint: 'Give both: the count of instances, and the number of this one, from 0 to the count less one.',
    },
  )
}

/** A file of an instance beside that of a single archiver: `importer_state.json` becomes `importer_state.0-of-2.json`. */
export const fileOfShare = (path: string, { id, count }: Share): string => {
  const [, stem = '', extension = ''] = /^(.*[^/])(\.[^./]+)$/.exec(path) ?? [undefined, path, '']
  return `${stem}.${id}-of-${count}${extension}`
}
