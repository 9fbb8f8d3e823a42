import { mkdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openArchiver } from '../../../src/app/open-archiver.ts'
import { openQueue } from '../../../src/app/open-queue.ts'
import { ArchiverError } from '../../../src/errors.ts'
import { monotonic } from '../../../src/platform/host.ts'
import { QueueBacklog } from '../../../src/queue/queue-backlog.ts'
import { work } from '../../../src/runs/cluster/worker.ts'
import { contextOf } from '../../context.ts'
import { Site } from '../../site.ts'

const never = new AbortController().signal
const conditions = {
  ...{ stop: never, abandon: never, listener: () => undefined },
  ...{
    assertHeld: () => undefined,
    warn: () => undefined,
    corrupt: () => undefined,
    damaged: () => undefined,
  },
}

describe('a worker whose backlog was away for a moment', () => {
  it('does not end with that error when all is done after it', async () => {
    const site = new Site({ more: 'queue:\n  url: sqlite:queue.db\nledger:\n  url: "off"' })
    mkdirSync(site.path('work'))
    site.record(1)
    const archiver = await openArchiver(site.config, contextOf())
    const { queue, app } = archiver.config
    const store = await openQueue(queue, app.workDir, 'works')
    // Away for the fifth question after what is left: the run is archived, and nothing else is to be done.
    let asked = 0
    const counts = store.counts.bind(store)
    store.counts = () =>
      ++asked === 5 ? Promise.reject(new ArchiverError('QUEUE_UNAVAILABLE', 'away for a moment')) : counts()
    const totals = await work({
      ...{ archiver, store, conditions, untilEmpty: true, stages: ['import', 'migrate'] },
      backlogOf: (stage, nextStage) =>
        new QueueBacklog<number>(store, {
          ...{ stage, itemOf: Number, lease: 60_000, laterAfter: 1000, monotonic },
          ...(nextStage === undefined ? {} : { nextStage }),
        }),
      ...{
        scanEvery: 60_000,
        pollEvery: 10,
        reapEvery: 100,
        roundFor: 60_000,
        monotonic,
        random: Math.random,
      },
    })
    expect(asked).toBeGreaterThan(5)
    expect([totals.archived, totals.failed, totals.error]).toEqual([1, 0, undefined])
    await store.close()
    site.remove()
  })
})
