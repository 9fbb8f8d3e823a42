import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { readMapping } from '../../../src/records/mapping/read-mapping.ts'
import { MapThreads } from '../../../src/records/workers/map-threads.ts'
import { MAPPING, payload } from '../databases.ts'

const LARGE = ' '.repeat(300_000)

/** The number that the next thread of this process gets: threads are counted as they start. */
const nextThread = async (): Promise<number> => {
  const worker = new Worker('', { eval: true })
  const { threadId } = worker
  await worker.terminate()
  return threadId
}

describe('threads that map payloads', () => {
  it('stay while a slow target lets them wait between items', async () => {
    const threads = new MapThreads({
      mapping: readMapping(MAPPING, 'm.yaml'),
      start: { text: MAPPING, file: 'm.yaml' },
      threadFile: resolve('dist/records-worker.cjs'),
      workers: 2,
      timeout: 10_000,
      warn: (message) => expect.fail(message),
    })
    const map = (id: number) =>
      threads.map(payload(id).replace('</order>', `${LARGE}</order>`), {
        sourceKey: String(id),
        now: 0,
        strict: false,
      })
    const before = await nextThread()
    for (let id = 1; id <= 20; id += 2) {
      await Promise.all([map(id), map(id + 1)])
      await sleep(20)
    }
    expect((await nextThread()) - before - 1).toBeLessThanOrEqual(2)
    await threads.close()
  })
})
