import { readdirSync, readlinkSync } from 'node:fs'
import { copyFile, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ClaimStore } from '../../src/engine/claim-store.ts'
import { identity } from '../../src/platform/host.ts'
import { Liveness } from '../../src/queue/sqlite/liveness.ts'
import { SharedClock } from '../../src/queue/sqlite/shared-clock.ts'
import { SqliteQueue } from '../../src/queue/sqlite/sqlite-queue.ts'
import { openFile } from '../../src/sql/libsql-database.ts'
import { claimAdversaries } from '../conformance/claim-adversaries.ts'
import { claimStoreConformance, type QueueSite } from '../conformance/claim-store.ts'

const LEASE = 1000

type SqliteSite = QueueSite & { path: string; open(): Promise<SqliteQueue> }

const openSite = async (): Promise<SqliteSite> => {
  const folder = await mkdtemp(join(tmpdir(), 'queue-'))
  const path = join(folder, 'queue.db')
  const opened = new Map<ClaimStore, number>()
  const killed = new Set<number>()
  let time = 100_000_000
  let jumped = 0
  let count = 0
  const site: SqliteSite = {
    path,
    lease: LEASE,
    async open() {
      const pid = 1000 + ++count
      const store = await SqliteQueue.open({
        path,
        instance: `instance-${pid}`,
        identity: { ...identity(), pid, startTicks: pid },
        lease: LEASE,
        now: () => time + jumped,
        sinceBoot: () => time - 500_000,
        startTicksOf: (asked) => (killed.has(asked) ? undefined : asked),
        works: true,
      })
      opened.set(store, pid)
      return store
    },
    setClock: (milliseconds) => Promise.resolve(void (jumped += milliseconds)),
    setStoreClock: (milliseconds) => Promise.resolve(void (jumped += milliseconds)),
    pass: (milliseconds) => Promise.resolve(void (time += milliseconds)),
    copy() {
      const file = openFile(path, 1000)
      file.exec(`VACUUM INTO '${path}.copy'`)
      file.close()
      return Promise.resolve(async () => {
        for (const pid of opened.values()) killed.add(pid)
        opened.clear()
        // The files that they lock are no part of the copy.
        for (const gone of ['-wal', '-shm', '.instances'])
          await rm(`${path}${gone}`, { force: true, recursive: true })
        await rename(`${path}.copy`, path)
        return site.open()
      })
    },
    async kill(store) {
      // The kernel frees the locks of a dead process; nothing else of it happens.
      const pid = opened.get(store)
      if (pid !== undefined) killed.add(pid)
      if (store instanceof SqliteQueue) await store.abandon()
      opened.delete(store)
    },
    async close() {
      for (const store of opened.keys()) await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return site
}

claimStoreConformance('SQLite', openSite)
claimAdversaries('SQLite', openSite)

describe('a queue that does not look at the epoch', () => {
  it('takes the result of a stale holder: the control that shows what fencing is for', async () => {
    const site = await openSite()
    const [frozen, other] = [await site.open(), await site.open()]
    await frozen.enqueue('import', [{ key: '1', ordinal: 1 }], 0)
    await frozen.claim('import', 1)
    await site.pass(LEASE + 1)
    await other.reap()
    const [taken] = await other.claim('import', 1)
    const file = openFile(site.path, 1000)
    const { changes } = file
      .prepare(`UPDATE work SET status = 'done' WHERE stage = 'import' AND key = '1' AND status = 'claimed'`)
      .run([])
    file.close()
    expect(Number(changes)).toBe(1)
    expect(await other.settle([taken!], [])).toEqual([taken]) // the rightful holder's work does not count any more
    await site.close()
  })
})

describe('a claim while another process writes', () => {
  it('waits without stopping what else this process does', async () => {
    const site = await openSite()
    const store = await site.open()
    await store.enqueue('import', [{ key: '1', ordinal: 1 }], 0)
    const other = openFile(site.path, 0)
    other.exec('BEGIN IMMEDIATE')
    const claiming = store.claim('import', 1)
    // With the library's own waiting, this timer would come after five seconds, and the claim had failed.
    await new Promise((later) => setTimeout(later, 20))
    other.exec('COMMIT')
    other.close()
    expect((await claiming).map(({ key }) => key)).toEqual(['1'])
    await site.close()
  })
})

describe('a queue file that is taken from under a live instance', () => {
  it.each([
    { how: 'removed', take: (path: string) => rm(path) },
    { how: 'renamed', take: (path: string) => rename(path, `${path}.old`) },
    {
      how: 'replaced',
      take: async (path: string) => {
        await copyFile(path, `${path}.copy`)
        await rename(`${path}.copy`, path)
      },
    },
  ])('when it is $how, takes no result and hands nothing out any more', async ({ take }) => {
    const site = await openSite()
    const store = await site.open()
    await store.enqueue(
      'import',
      [1, 2].map((ordinal) => ({ key: String(ordinal), ordinal })),
      0,
    )
    const [held] = await store.claim('import', 1)
    await take(site.path)
    const replaced = { code: 'QUEUE_REPLACED' }
    await expect(store.settle([held!], [])).rejects.toMatchObject(replaced)
    await expect(store.claim('import', 1)).rejects.toMatchObject(replaced)
    await expect(store.lead()).rejects.toMatchObject(replaced)
    await expect(store.reap()).rejects.toMatchObject(replaced)
    await site.kill(store)
    await site.close()
  })
})

describe('a queue that cannot be opened, or signed off in', () => {
  /** The locks of instances that this process holds open. */
  const locksIn = (folder: string): string[] =>
    readdirSync('/proc/self/fd').flatMap((fd) => {
      const target = quietly(() => readlinkSync(`/proc/self/fd/${fd}`))
      return target?.startsWith(folder) && target.includes('.flock') ? [target] : []
    })
  const quietly = <T>(act: () => T): T | undefined => {
    try {
      return act()
    } catch {
      return undefined
    }
  }
  it('keeps no lock where its tables do not take the instance', async () => {
    const site = await openSite()
    await site.kill(await site.open())
    const file = openFile(site.path, 1000)
    file.exec('ALTER TABLE instances RENAME COLUMN workers TO others')
    file.close()
    await expect(site.open()).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    expect(locksIn(dirname(site.path))).toEqual([])
    await site.close()
  })
  it('keeps no lock where the file is no longer there to sign off in', async () => {
    const site = await openSite()
    const store = await site.open()
    expect(locksIn(dirname(site.path))).toHaveLength(1) // the control
    await rm(site.path)
    await expect(store.close()).rejects.toMatchObject({ code: 'QUEUE_REPLACED' })
    expect(locksIn(dirname(site.path))).toEqual([])
    await site.kill(store)
    await site.close()
  })
})

describe('an instance that begins while another ends', () => {
  it('is alive for those who cannot see its process', async () => {
    const site = await openSite()
    await site.open()
    const file = openFile(site.path, 1000)
    const clock = new SharedClock(file, identity().bootId, { now: Date.now, sinceBoot: () => 0 })
    // Each in a container of its own, whose processes no other sees.
    const livenessOf = (instance: string) =>
      new Liveness(
        file,
        `${site.path}.instances`,
        { instance, identity: identity(), startTicksOf: () => undefined },
        clock,
      )
    const write = <Result>(work: () => Result) => Promise.resolve(work())
    const [ends, begins, looks] = [livenessOf('ends'), livenessOf('begins'), livenessOf('looks')]
    await ends.register(write)
    await begins.register(async (work) => {
      await ends.end(write) // between the lock of the one and its row
      return work()
    })
    expect(await looks.dead()).toEqual([])
    await begins.abandon()
    expect(await looks.dead()).toEqual(['begins']) // the control
    file.close()
    await site.close()
  })
})

describe('a queue with many items that are done', () => {
  it('shows what is open, in hand or failed, and how far it has come, without reading those', async () => {
    const site = await openSite()
    const store = await site.open()
    const many = 600_000
    const file = openFile(site.path, 1000)
    file.exec(`INSERT INTO work (stage, key, ordinal, status, added_at, finished_at)
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${many})
      SELECT 'import', CAST(i AS TEXT), i, CASE i WHEN 7 THEN 'failed' WHEN ${many} THEN 'pending' ELSE 'done' END, 1, 1 FROM n`)
    file.close()
    await store.claim('import', 1)
    const took = async (work: () => Promise<unknown>, expected: unknown): Promise<number> => {
      await work()
      const began = performance.now()
      expect(await work()).toEqual(expected)
      return performance.now() - began
    }
    const keysOf = async (status: 'pending' | 'claimed' | 'failed') =>
      (await store.list('import', status, 99)).map(({ key }) => key)
    const whole = await took(async () => (await store.ranges('import', 'done')).length, 2)
    for (const [work, expected] of [
      [() => store.attemptedUpTo('import'), many - 1],
      [() => store.claim('import', 1), []],
      [() => store.retry('import', ['9']), 0],
      [() => store.reap(), 0],
      [() => keysOf('claimed'), [String(many)]],
      [() => keysOf('pending'), []],
      [() => keysOf('failed'), ['7']],
      [() => store.ranges('import', 'failed'), [[7, 7]]],
      [async () => (await store.show('9')).map(({ status }) => status), ['done']],
      [async () => (await store.list('import', undefined, 2)).map(({ key }) => key), ['1', '2']],
    ] as const)
      expect(await took(work, expected)).toBeLessThan(whole / 50)
    await site.close()
  }, 60_000)
})
