import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { lookAtBacklog } from '../../src/app/alert-queue.ts'
import { openQueue, type QueueSettings } from '../../src/app/open-queue.ts'
import { Secret } from '../../src/common/secret.ts'
import { openFile } from '../../src/sql/libsql-database.ts'

let folder = ''
let settings: QueueSettings
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'alert-queue-'))
  settings = {
    ...{ url: new Secret('sqlite:queue.db'), password: undefined, schema: 'archiver', leaseSeconds: 60 },
  }
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('alerts see lost instances, refused results and poison of a backlog', async () => {
  const store = await openQueue(settings, folder, 'works', 1)
  await store.enqueue(
    'import',
    [7, 8, 9].map((ordinal) => ({ key: String(ordinal), ordinal })),
    0,
  )
  expect(await lookAtBacklog(settings, folder)).toEqual({
    backlog: { lost: [], fenced: 0, poison: [] },
    notKnown: [],
  })
  const file = openFile(join(folder, 'queue.db'), 5000)
  file.exec(`UPDATE work SET status = 'failed', code = 'QUEUE_POISON' WHERE key = '7'`)
  file.exec(`UPDATE work SET status = 'failed', code = 'RECORD_INVALID' WHERE key = '8'`)
  file.exec(`UPDATE instances SET status = 'lost', fenced = 2`)
  file.close()
  const { backlog: seen } = await lookAtBacklog(settings, folder)
  expect(seen).toMatchObject({ fenced: 2, poison: [{ stage: 'import', key: '7' }] })
  expect(seen?.lost).toHaveLength(1)
  await store.close()
})

it('alerts see nothing of a backlog that is not configured, or does not answer', async () => {
  expect(await lookAtBacklog({ ...settings, url: new Secret('off') }, folder)).toEqual({ notKnown: [] })
  const away = new Secret('postgres://nobody@127.0.0.1:1/none')
  expect(await lookAtBacklog({ ...settings, url: away }, folder)).toEqual({
    notKnown: [{ rule: 'instance_lost' }, { rule: 'fenced' }, { rule: 'poison' }],
  })
})
