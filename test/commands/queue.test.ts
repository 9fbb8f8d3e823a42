import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli.ts'
import type { ArchiverError } from '../../src/errors.ts'
import { openQueue } from '../../src/app/open-queue.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { contextOf } from '../context.ts'

let folder: string
let config: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'queue-command-'))
  config = join(folder, 'config.yaml')
  mkdirSync(join(folder, 'work'))
  writeFileSync(config, `app: { work_dir: ${folder}/work }\nqueue: { url: "sqlite:queue.db" }\n`)
  const { queue, app } = await loadConfig(config, {}, ['app', 'queue'])
  const store = await openQueue(queue, app.workDir, 'migrate')
  await store.enqueue('records:orders', [{ key: 'o-1', ordinal: 1 }], 0)
  await store.close()
})
afterEach(() => rmSync(folder, { recursive: true }))

const queue = async (...words: string[]): Promise<{ code: number | string; out: string }> => {
  let out = ''
  try {
    const code = await runCli(
      ['queue', ...words, '--config', config],
      contextOf({ out: (text) => void (out += text) }),
    )
    return { code, out }
  } catch (error) {
    return { code: (error as ArchiverError).code, out: (error as ArchiverError).message }
  }
}
const json = async (...words: string[]): Promise<unknown> => JSON.parse((await queue(...words, '--json')).out)

describe('a command that changes the queue', () => {
  it('answers with one JSON document under --json', async () => {
    expect(await json('pause', 'import')).toEqual({ stage: 'import', paused: true })
    expect(await json('resume', 'import')).toEqual({ stage: 'import', paused: false })
    expect(await json('retry')).toEqual({ retried: { import: 0, migrate: 0, 'records:orders': 0 } })
    expect(await json('migrate')).toEqual({ migrated: true })
  })

  it('knows the stages that have items, and refuses others', async () => {
    expect(await queue('pause', 'records:orders')).toMatchObject({ code: 0 })
    for (const words of [
      ['pause', 'imprt'],
      ['resume', 'both'],
      ['retry', '--stage', 'x'],
      ['list', '--stage', 'y'],
    ])
      expect(await queue(...words)).toEqual({
        code: 'USAGE',
        out: expect.stringContaining('the queue has import, migrate, records:orders') as string,
      })
  })

  it('says where the item that is to be tried again has not failed', async () => {
    expect(await queue('retry', '17')).toEqual({ code: 'NOT_FOUND', out: 'no item 17 has failed' })
    expect(await queue('retry', 'o-1', '--stage', 'records:orders')).toEqual({
      code: 'NOT_FOUND',
      out: 'no item o-1 has failed in records:orders',
    })
    expect(await queue('list', '--limit', 'x')).toMatchObject({ code: 'USAGE' })
  })
})
