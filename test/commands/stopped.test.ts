import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openQueue } from '../../src/app/open-queue.ts'
import { printFailure } from '../../src/cli/print-failure.ts'
import { runCli } from '../../src/cli.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import type { ClaimStore } from '../../src/engine/claim-store.ts'
import { contextOf } from '../context.ts'

let folder: string
let config: string
/** Of another process, which has an item in hand. */
let store: ClaimStore
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stopped-'))
  config = join(folder, 'config.yaml')
  for (const name of ['work', 'records', 'artdaqdb', 'archive']) mkdirSync(join(folder, name))
  writeFileSync(
    config,
    `app: { work_dir: ${folder}/work }
source_files: { run_records_dir: ${folder}/records }
artdaq_db: { database_uri: "filesystemdb://${folder}/artdaqdb" }
ucon_db: { server_url: "file://${folder}/archive" }
queue: { url: "sqlite:queue.db" }
`,
  )
  const { queue, app } = await loadConfig(config, {}, ['app', 'queue'])
  store = await openQueue(queue, app.workDir, 'works', 1)
  await store.enqueue('import', [{ key: '7', ordinal: 7 }], 0)
  await store.claim('import', 1)
})
afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

/** A command after a signal, to its end: as the process prints it. */
const stopped = async (words: readonly string[], signal = AbortSignal.abort('SIGINT')) => {
  let [out, err] = ['', '']
  const context = contextOf({ out: (text) => (out += text), err: (text) => (err += text), signal })
  const code = await runCli(words, context).catch((error: unknown) => printFailure(error, context))
  return { code, out, err }
}

describe('a signal ends a command that only reads, in the middle of whatever it waits for', () => {
  it.each([
    'fhicl to-json -',
    'fhicl from-json -',
    'notify --title x - --config CONFIG',
    'artdaq list --config CONFIG',
    'artdaq show 7 --config CONFIG',
    'artdaq check --config CONFIG',
    'config check --config CONFIG',
    'doctor --config CONFIG',
    'history --config CONFIG',
    'history show 1 --config CONFIG',
    'history stats --config CONFIG',
    'alerts list --config CONFIG',
    'queue status --config CONFIG',
    'queue list --config CONFIG',
    'rows plan --config CONFIG',
    'rows status --config CONFIG',
    'rows stats --config CONFIG',
    'records check x --config CONFIG',
    'records plan 1 --task x --config CONFIG',
    'CONFIG --dry-run',
    'CONFIG --recover-import-state --dry-run',
  ])('%s', async (words) => {
    expect(await stopped(words.replace('CONFIG', config).split(' '))).toEqual({ code: 130, out: '', err: '' })
  })
})

describe('a signal ends', () => {
  it('a wait for what others have in hand, which stays paused', async () => {
    const stop = new AbortController()
    setTimeout(() => stop.abort('SIGTERM'), 100)
    const began = performance.now()
    const { code, out } = await stopped(['queue', 'drain', '--config', config], stop.signal)
    expect({ code, out }).toEqual({
      code: 143,
      out: 'still in hand: 1 item; the stages stay paused\n',
    })
    expect(performance.now() - began).toBeLessThan(60_000)
  })

  it('a read of a store, which is no bug', async () => {
    const words = ['extract', '7', '--to', join(folder, 'to'), '--config', config]
    expect(await stopped([...words, '--from', 'artdaq'])).toEqual({
      code: 130,
      out: '',
      err: 'run-archiver: stopped by SIGINT [INTERRUPTED]\n',
    })
    const { code, out } = await stopped([...words, '--json'])
    expect({ code, error: (JSON.parse(out) as { error: unknown }).error }).toEqual({
      code: 130,
      error: { code: 'INTERRUPTED', message: 'stopped by SIGINT', hint: null },
    })
  })
})
