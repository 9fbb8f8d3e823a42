import { randomUUID } from 'node:crypto'
import { linkSync, readdirSync, renameSync, statSync, unlinkSync, utimesSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { appendOwn, syncOwn } from '../../platform/own-file.ts'
import { timeText } from '../../sql/timestamps.ts'
import type { Row } from './row.ts'
import { keyOfRow, lineOf, linesOf, revisionOf, rowOf } from './spool-lines.ts'

/**
 * A part of a spool that is not appended to any more: `SPOOL.replay-ID`, with `.ends` where its reports of progress were given up, and with
 * `.N` where its first N bytes are in the ledger. The name says it all and changes in one step, so a kill costs a second writing at most.
 */
export interface Part {
  readonly path: string
  readonly size: number
  /** Bytes that are in the ledger already. */
  readonly offset: number
  /** Whether only beginnings, ends and events are left in it. */
  readonly stripped: boolean
  readonly at: number
}

const NAME = /^(.*?)(\.ends)?(?:\.(\d+))?$/

/** The parts of a spool, the oldest first. Empty where the folder cannot be read. */
export const partsOf = (spool: string): Part[] => {
  const begin = `${basename(spool)}.replay-`
  const folder = dirname(spool)
  return list(folder)
    .filter((name) => name.startsWith(begin) && !name.endsWith('.tmp'))
    .flatMap((name) => {
      const path = join(folder, name)
      const stats = statSync(path, { throwIfNoEntry: false })
      if (!stats) return []
      const [, , stripped, offset = '0'] = NAME.exec(name.slice(begin.length)) ?? []
      return [
        {
          path,
          size: stats.size,
          offset: Number(offset),
          stripped: stripped !== undefined,
          at: stats.mtimeMs,
        },
      ]
    })
    .sort((a, b) => a.at - b.at)
}

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Ends the file that is appended to: what comes now begins another. The path of the part; undefined where nothing waits. */
export const sealPart = (spool: string): string | undefined => {
  const path = `${spool}.replay-${randomUUID()}`
  return quietly(() => renameSync(spool, path)) ? path : undefined
}

/** Takes `sealPart` back, where no other file was begun meanwhile. */
export const unsealPart = (spool: string, path: string): void => {
  if (quietly(() => linkSync(path, spool))) quietly(() => unlinkSync(path))
}

/** Notes that the bytes before `offset` are in the ledger. Where another process was quicker nothing is noted, and some rows are written twice. */
export const movePart = (path: string, offset: number): string => {
  const moved = path.replace(/(\.replay-[^.]*(?:\.ends)?).*$/, `$1.${offset}`)
  return quietly(() => renameSync(path, moved)) ? moved : path
}

export const removePart = (path: string): void => void quietly(() => unlinkSync(path))

/**
 * Gives up the reports of progress of a part; the beginnings and ends that no newer one replaces stay, and an event in each execution that
 * lost something says how much. Returns how many reports were given up, and how many bytes are left. A crash or power cut leaves the old part, the new one, or both: the old one
 * goes when the new one is on the disk. Throws what the file system says.
 */
export const stripPart = (part: Part, now: number): { readonly givenUp: number; readonly size: number } => {
  const newest = new Map<string, number>()
  const lost = new Map<string, string>()
  for (const { text } of linesOf(part.path, part.offset)) {
    const row = rowOf(text)
    if (!row) continue
    if (row.transient) lost.set(keyOfRow(row), String(row.cells['run_id']))
    else newest.set(keyOfRow(row), Math.max(newest.get(keyOfRow(row)) ?? 0, revisionOf(row)))
  }
  const temporary = `${part.path}.${process.pid}.tmp`
  try {
    writeKept(part, temporary, newest, noticesOf([...lost.values()], now))
    syncOwn(temporary)
  } catch (error) {
    removePart(temporary)
    throw error
  }
  const stripped = `${bareName(part.path)}.ends`
  renameSync(temporary, stripped)
  quietly(() => utimesSync(stripped, part.at / 1000, part.at / 1000))
  syncOwn(dirname(stripped))
  if (stripped !== part.path) removePart(part.path)
  return { givenUp: lost.size, size: statSync(stripped, { throwIfNoEntry: false })?.size ?? 0 }
}

const writeKept = (
  { path, offset }: Part,
  to: string,
  newest: ReadonlyMap<string, number>,
  notices: readonly Row[],
): void => {
  removePart(to)
  let kept = ''
  for (const { text } of linesOf(path, offset)) {
    const row = rowOf(text)
    if (row && !row.transient && newest.get(keyOfRow(row)) === revisionOf(row)) kept += `${text}\n`
    if (kept.length < PIECE) continue
    appendOwn(to, kept)
    kept = ''
  }
  appendOwn(to, kept + notices.map(lineOf).join(''))
}

const PIECE = 262_144
let numbered = 0

/** One event for each execution, below every number that an execution gives its own. */
const noticesOf = (runIds: readonly string[], now: number): Row[] => {
  const counts = new Map<string, number>()
  for (const runId of runIds) counts.set(runId, (counts.get(runId) ?? 0) + 1)
  return [...counts].map(([run_id, count]) => {
    numbered = (numbered + 1) % 1000
    const detail = JSON.stringify({ given_up: count, why: 'the spool was full' })
    const cells = { run_id, seq: -1 - now * 1000 - numbered, at: timeText(now), kind: 'spool-full', detail }
    return { table: 'events', cells, transient: false }
  })
}

/** Removes what killed processes have left half written. */
export const sweepParts = (spool: string, now: number): void => {
  const folder = dirname(spool)
  for (const name of list(folder)) {
    if (!name.startsWith(`${basename(spool)}.replay-`) || !name.endsWith('.tmp')) continue
    const path = join(folder, name)
    const at = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now
    if (now - at > 3_600_000) removePart(path)
  }
}

/** A part's name without what is known of its content. */
const bareName = (path: string): string => path.replace(/(\.replay-[^.]*).*$/, '$1')

/** Whether it could be done. */
const quietly = (act: () => void): boolean => {
  try {
    act()
    return true
  } catch {
    return false // Another process was quicker, or there is none.
  }
}
