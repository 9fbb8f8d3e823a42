import { mkdirSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openArchiver } from '../../../src/app/open-archiver.ts'
import { openQueue } from '../../../src/app/open-queue.ts'
import type { ClaimStore } from '../../../src/engine/claim-store.ts'
import { Scanner } from '../../../src/runs/cluster/scan.ts'
import { openFile } from '../../../src/sql/libsql-database.ts'
import { contextOf } from '../../context.ts'
import { Site } from '../../site.ts'

const never = new AbortController().signal
const conditions = {
  ...{ stop: never, abandon: never, listener: () => undefined },
  ...{ assertHeld: () => undefined, warn: () => undefined, corrupt: () => undefined },
}

describe('a failure whose transaction was committed long after it began', () => {
  let site: Site
  let store: ClaimStore
  beforeEach(() => {
    site = new Site({ more: 'queue:\n  url: sqlite:queue.db\nledger:\n  url: "off"' })
    mkdirSync(site.path('work'))
    for (const run of [1, 2]) site.record(run)
  })
  afterEach(async () => {
    await store.close()
    site.remove()
  })

  const failuresOf = () => readFileSync(site.path('work/import_failures.log'), 'utf8')
  /** A run that failed `milliseconds` ago by the time of its transaction, and is seen only now. */
  const failLate = async (milliseconds: number): Promise<void> => {
    const [claim] = await store.claim('import', 1)
    await store.settle([], [{ claim: claim!, code: 'RECORD_INVALID', message: 'x' }])
    const file = openFile(site.path('work/queue.db'), 1000)
    file.exec(
      `UPDATE work SET finished_at = finished_at - ${milliseconds} WHERE status = 'failed' AND key = '${claim!.key}'`,
    )
    file.close()
  }

  it('stands in the failure log with the next results, or with the next scan at the latest', async () => {
    const archiver = await openArchiver(site.config, contextOf())
    const { queue, app } = archiver.config
    store = await openQueue(queue, app.workDir, 'works')
    expect(await store.lead()).toBe(true)
    const scanner = new Scanner(archiver, store, ['import', 'migrate'], conditions)
    expect(await scanner.scan()).toBe(2)
    await failLate(20_000)
    await scanner.project()
    expect(failuresOf()).toBe('1\n')
    await failLate(600_000)
    await scanner.scan()
    expect(failuresOf()).toBe('1\n2\n')
  })
})
