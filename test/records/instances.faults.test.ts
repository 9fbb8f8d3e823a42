import { spawn, type ChildProcess } from 'node:child_process'
import { appendFileSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { openQueue, type QueueUse } from '../../src/app/open-queue.ts'
import type { ClaimStore } from '../../src/engine/claim-store.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { answers, DIALECTS, openSite, payload, type Dialect, type Site } from './databases.ts'

const ITEMS = Number(process.env['RECORDS_INSTANCE_ITEMS'] ?? 120)
const KILLS = Number(process.env['RECORDS_INSTANCE_KILLS'] ?? 3)
/** Milliseconds for which an instance has worked when it is killed. */
const PAUSE = Number(process.env['RECORDS_KILL_EVERY_MS'] ?? 20)
const LEASE = 5
/** Milliseconds in which instances must have done all items on a loaded machine. */
const LIMIT = 60_000 + ITEMS * 100

/** Where the rows go, and where the backlog is. */
const places: { readonly target: Dialect; readonly queue: 'sqlite' | 'postgres' }[] = []
for (const target of DIALECTS)
  if (await answers(target)) {
    places.push({ target, queue: 'sqlite' })
    if (target === 'postgres') places.push({ target, queue: 'postgres' })
  } else console.warn(`skipped: no ${target} answers`)
const backlogs = places.filter(({ target, queue }) => target === queue)

const lines = (dialect: Dialect): string => (dialect === 'mysql' ? '`lines`' : 'lines')

let site: Site
const children: ChildProcess[] = []
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail')
    console.warn(readFileSync(join(site.folder, 'errors.log'), 'utf8').slice(-3000))
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await site.close()
})

/** Starts an instance; its end is awaited with `ended`. */
const start = (
  node: readonly string[] = [],
  more: readonly string[] = [],
): { child: ChildProcess; ended: Promise<number | string | null> } => {
  const argv = ['dist/main.js', 'records', 'run', 'orders', '--all', '--config', site.config]
  const errors = openSync(join(site.folder, 'errors.log'), 'a')
  const child = spawn(process.execPath, [...node, ...argv, ...more], { stdio: ['ignore', 'ignore', errors] })
  children.push(child)
  return {
    child,
    ended: new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal ?? code))),
  }
}

/** The backlog, for somebody who takes no part. */
const looking = async <T>(use: QueueUse, look: (store: ClaimStore) => Promise<T>): Promise<T> => {
  const { app, queue } = await loadConfig(site.config, {}, ['app', 'queue'])
  const store = await openQueue(queue, app.workDir, use)
  try {
    return await look(store)
  } finally {
    await store.close()
  }
}

const backlog = (): Promise<unknown> =>
  looking('looks', async (store) => (await store.counts()).find(({ stage }) => stage === 'records:orders'))

/**
 * A hook that notes, in a file, that its process has an item in hand: until then a kill meets a process that is starting. Where it is to be `held`, it
 * stands still there until the kill: a fast host could have done all items before.
 */
const writeNotingHook = (held: boolean): string => {
  const hook = join(site.folder, held ? 'held.mjs' : 'noting.mjs')
  writeFileSync(
    hook,
    `import { writeFileSync } from 'node:fs'
globalThis[Symbol.for('run-archiver.step')] = (name) => {
  if (name !== 'records: mapped') return
  writeFileSync(${JSON.stringify(site.folder)} + '/works-' + process.pid, '')
  globalThis[Symbol.for('run-archiver.step')] = undefined
  ${held ? 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)' : ''}
}`,
  )
  return hook
}
const works = async (child: ChildProcess): Promise<void> => {
  while (
    child.exitCode === null &&
    child.signalCode === null &&
    !existsSync(join(site.folder, `works-${child.pid}`))
  )
    await sleep(10)
}

const prepare = async ({ target, queue }: (typeof places)[number]): Promise<void> => {
  site = await openSite(target)
  const url = queue === 'sqlite' ? 'sqlite:queue.db' : site.url
  appendFileSync(site.config, `queue: { url: "${url}", lease_seconds: ${LEASE} }\n`)
  if (queue === 'postgres') await looking('migrate', () => Promise.resolve())
  await site.fill(
    Object.fromEntries(
      Array.from({ length: ITEMS }, (_, index) => [
        index + 1,
        payload(index + 1, { customer: `c${index % 5}` }),
      ]),
    ),
  )
}

const allStoredOnce = async ({ target }: (typeof places)[number]): Promise<void> => {
  expect(
    await site.database.session.rows(
      'SELECT status, code, COUNT(*) AS items FROM processing_log GROUP BY status, code',
    ),
  ).toMatchObject([{ status: 'success', code: null }])
  expect(await site.count("SELECT COUNT(*) FROM processing_log WHERE status = 'success'")).toBe(ITEMS)
  expect(await site.count('SELECT COUNT(*) FROM orders')).toBe(ITEMS)
  expect(await site.count(`SELECT COUNT(*) FROM ${lines(target)}`)).toBe(ITEMS * 2)
  expect(await backlog()).toMatchObject({ pending: 0, claimed: 0, done: ITEMS, failed: 0 })
}

const metricsOf = (): Record<string, number>[] => {
  const folder = join(site.folder, 'work', 'metrics')
  return readdirSync(folder).map(
    (name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, number>,
  )
}
const sum = (numbers: readonly (number | undefined)[]): number =>
  numbers.reduce<number>((total, one) => total + (one ?? 0), 0)

describe('three instances on one backlog', () => {
  it.each(backlogs)(
    'try each item once, and share the work, over $queue',
    async (place) => {
      await prepare(place)
      const codes = await Promise.all([start(), start(), start()].map(({ ended }) => ended))
      expect(codes).toEqual([0, 0, 0])
      await allStoredOnce(place)
      const metrics = metricsOf()
      expect(metrics).toHaveLength(3)
      expect(sum(metrics.map((one) => one['total_applications_processed']))).toBe(ITEMS)
      expect(sum(metrics.map((one) => one['done_before']))).toBe(0)
    },
    LIMIT,
  )

  it.each(places)(
    'killed again and again, lose nothing in $target over $queue, store nothing twice and fail nothing',
    async (place) => {
      await prepare(place)
      const noting = ['--import', writeNotingHook(false)]
      const held = start(['--import', writeNotingHook(true)])
      await works(held.child)
      const running = [held, start(noting), start(noting)]
      let killed = 0
      for (let kill = 0; kill < KILLS; kill++) {
        const at = kill % running.length
        const { child, ended } = running[at]!
        await Promise.race([works(child), ended])
        await sleep(PAUSE)
        child.kill('SIGKILL')
        if ((await ended) !== 'SIGKILL') break
        killed++
        running[at] = start(noting)
      }
      expect(killed).toBeGreaterThan(0)
      expect(await Promise.all(running.map(({ ended }) => ended))).toEqual([0, 0, 0])
      console.log(`${killed} kills of instances at work`)
      await allStoredOnce(place)
    },
    LIMIT + KILLS * (PAUSE + 10_000),
  )

  it.each(backlogs)(
    'finish the work of one that is frozen past its lease, over $queue, and it does no harm when it wakes up',
    async (place) => {
      await prepare(place)
      const hook = join(site.folder, 'hook.mjs')
      // With an item in hand; on a server in the middle of its transaction. Nobody can take the lock of a file from a frozen process.
      const step = place.target === 'sqlite' ? 'mapped' : 'log written'
      writeFileSync(
        hook,
        `let left = 5
globalThis[Symbol.for('run-archiver.step')] = (name) => {
  if (name === 'records: ${step}' && --left === 0) process.kill(process.pid, 'SIGSTOP')
}`,
      )
      const frozen = start(['--import', hook], ['--workers', '1'])
      const isFrozen = (): boolean =>
        /^State:\s+T/m.test(readFileSync(`/proc/${frozen.child.pid}/status`, 'utf8'))
      while (!isFrozen()) await sleep(50)
      expect(await backlog()).not.toMatchObject({ claimed: 0 })
      const others = [start(), start()]
      expect(await Promise.all(others.map(({ ended }) => ended))).toEqual([0, 0])
      await allStoredOnce(place)
      frozen.child.kill('SIGCONT')
      expect(await frozen.ended).toBe(0)
      await allStoredOnce(place)
    },
    2 * LIMIT,
  )
})
