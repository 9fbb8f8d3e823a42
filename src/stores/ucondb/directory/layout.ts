import { join } from 'node:path'
import { keyOf } from '../keys.ts'

/** The file at the root by which an archive is known from the empty folder that an unmounted disk leaves. */
export const MARKER = 'run-record-archive.json'
export const MARKER_TEXT = `${JSON.stringify({ format: 'run-record-archive', version: 1 }, null, 2)}\n`

export const BLOB = '.txt'
export const CHECKSUM = '.sha256'

/** Runs that share a folder: so few that a person can list it and a put need not search, so many that folders stay few. */
export const SHARD = 1000

/** The folder of a run inside an object: `12000-12999` for run 12345. */
export const shardOf = (run: number): string => {
  const first = Math.floor(run / SHARD) * SHARD
  return `${first}-${first + SHARD - 1}`
}

/** Whether a folder's name is one that `shardOf` gives. */
export const isShard = (name: string): boolean => {
  const first = /^(0|[1-9][0-9]{0,14})-[0-9]+$/.exec(name)?.[1]
  return first !== undefined && shardOf(Number(first)) === name
}

/** Where the blob of a key and its checksum stand. */
export interface Place {
  readonly run: number
  readonly key: string
  readonly shard: string
  readonly blob: string
  readonly checksum: string
}

export const placeOf = (objectFolder: string, run: number, update: number): Place => {
  const key = keyOf(run, update)
  const shard = join(objectFolder, shardOf(run))
  return { run, key, shard, blob: join(shard, `${key}${BLOB}`), checksum: join(shard, `${key}${CHECKSUM}`) }
}
