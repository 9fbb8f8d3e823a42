import { createHash } from 'node:crypto'
import type { StoredClaim } from '../../engine/claim-store.ts'

/** What a job of pg-boss carries. */
export interface JobData {
  readonly key: string
  readonly ordinal: number
}

const HIGHEST_INTEGER = 2_147_483_647

/** Never the reason why an item fails: our own rule ends poison, and how often a claim is given back does not matter. */
export const RETRY_LIMIT = HIGHEST_INTEGER

/**
 * Options of each queue. Nothing expires or is removed by pg-boss: leases and dead holders are ours (archiver_held), so that one rule
 * decides, and a lease may be as short as one likes.
 */
export const QUEUE_OPTIONS = {
  retryLimit: RETRY_LIMIT,
  retryDelay: 0,
  retryBackoff: false,
  expireInSeconds: 86_400,
  deleteAfterSeconds: 0,
  retentionSeconds: HIGHEST_INTEGER,
} as const

/** The job of an item has always the same id, so that an item is added once. A version 5 UUID. */
export const jobId = (stage: string, key: string): string => {
  const bytes = createHash('sha1').update(NAMESPACE).update(`${stage}/${key}`).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

const ids = new WeakMap<StoredClaim, string>()

/** The job of a claim. A claim is named in several statements: its job's id is made once. */
export const idOf = (claim: StoredClaim): string =>
  ids.get(claim) ?? idOf(withId(claim, jobId(claim.stage, claim.key)))

/** A claim whose job is known. */
export const withId = (claim: StoredClaim, id: string): StoredClaim => {
  ids.set(claim, id)
  return claim
}

const NAMESPACE = Buffer.from('6f1c1f3e5d0a4d0e9d0b7b7a1f3c2a11', 'hex')

/** After all others: an item whose holders died so often that the next death would make it poison. */
export const LAST_PRIORITY = -HIGHEST_INTEGER - 1

/** Lowest first. Above the highest integer, the order is that of being added. */
export const priorityOf = (ordinal: number): number =>
  -Math.max(-HIGHEST_INTEGER, Math.min(HIGHEST_INTEGER, Math.trunc(ordinal)))

/** The same in SQL, of the table `job` or its alias: for one that was put last and is opened again. */
export const priorityIn = (job: string): string =>
  `-greatest(-${HIGHEST_INTEGER}, least(${HIGHEST_INTEGER}, trunc((${job}.data->>'ordinal')::numeric)))::int`

/** A stage as the name of a queue: pg-boss takes letters, digits and `_ - . /`. `.` begins the code of another character. */
export const queueName = (stage: string): string =>
  stage.replace(/[^A-Za-z0-9_\-/]/gu, (character) => `.${(character.codePointAt(0) ?? 0).toString(16)}.`)

export const stageOfQueue = (name: string): string =>
  name.replace(/\.([0-9a-f]+)\./g, (_, code: string) => String.fromCodePoint(parseInt(code, 16)))

/** The attempt that pg-boss fences with: it counts claims from 0. */
export const attemptOf = (claim: StoredClaim) => ({ id: idOf(claim), retryCount: claim.epoch - 1 })
