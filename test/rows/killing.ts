import { type ChildProcess, spawn } from 'node:child_process'
import { expect } from 'vitest'
import type { Site } from './servers.ts'

/** Starts the broken control of the kill tests. */
export const startBrokenMover = (
  source: string,
  archive: string,
): { child: ChildProcess; ended: Promise<unknown> } => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/rows/broken-mover.ts', source, archive], {
    stdio: 'ignore',
  })
  return { child, ended: new Promise((resolve) => child.once('close', resolve)) }
}

/** Kills a mover with SIGKILL at any moment once it moves rows, which `archived` counts. False: it had ended by itself. */
export const killOnceMoving = async (
  { child, ended }: { child: ChildProcess; ended: Promise<unknown> },
  archived: () => Promise<number>,
  random: () => number = Math.random,
): Promise<boolean> => {
  const from = await archived()
  for (let tries = 0; tries < 2000 && child.exitCode === null && (await archived()) === from; tries++)
    await new Promise((resolve) => setTimeout(resolve, 5))
  await new Promise((resolve) => setTimeout(resolve, random() * 60))
  child.kill('SIGKILL')
  await ended
  return child.signalCode === 'SIGKILL'
}

/** Rows on either side of those in hand that are looked at after each kill, where there are many. */
const NEAR = 20_000

/**
 * Looks whether rows were lost, doubled or changed: all of them, or where there are many, all after every hundredth kill, and those near the last archived
 * one after each.
 */
export const lossWatch = async (site: Site, count: number): Promise<(archived: number) => Promise<void>> => {
  const before = await site.whole()
  const isLarge = count > 100_000
  if (isLarge) await site.sql('CREATE TABLE was AS SELECT * FROM r', 'ALTER TABLE was ADD PRIMARY KEY (id)')
  let looks = 0
  return async (archived) => {
    looks += 1
    if (!isLarge || looks % 100 === 0) expect(await site.whole()).toEqual({ ...before, both: 0 })
    if (!isLarge) return
    const wrong =
      await site.rows(`SELECT was.id FROM was LEFT JOIN r ON r.id = was.id LEFT JOIN ra ON ra.id = was.id
      WHERE was.id BETWEEN ${archived - NEAR} AND ${archived + NEAR} AND NOT ((r.id IS NULL) <> (ra.id IS NULL)
       AND was.t = COALESCE(r.t, ra.t) AND was.n = COALESCE(r.n, ra.n) AND was.d = COALESCE(r.d, ra.d))`)
    expect(wrong).toEqual([])
  }
}
