import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { init } from '../../../src/commands/init/init.ts'
import { toDocuments } from '../../../src/stores/run-records/fhiclize/fhiclize.ts'
import { isFhicl } from '../../../src/fhicl/try-parse.ts'
import { loadConfig } from '../../../src/config/load-config.ts'
import { RunRecords } from '../../../src/stores/run-records/source.ts'
import { contextOf } from '../../context.ts'
import { options } from '../../stores/run-records/fhiclize/record.ts'

let root: string
let printed: string
const context = contextOf({ out: (text) => (printed += text) })

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'init-'))
  printed = ''
})
afterEach(() => {
  execFileSync('chmod', ['-R', 'u+rwX', root])
  rmSync(root, { recursive: true })
})

const recordsOf = async (dir: string): Promise<RunRecords> => {
  const { sourceFiles } = await loadConfig(join(dir, 'config.yaml'), {})
  return new RunRecords({
    directory: sourceFiles.runRecordsDir,
    settleSeconds: sourceFiles.settleSeconds,
    incompleteAfterSeconds: sourceFiles.incompleteAfterSeconds,
    maxRecordBytes: 1e7,
    maxRecordFiles: 100,
    now: () => Date.now() + 10,
  })
}

describe('init', () => {
  it.each(['my site', 'a+b', '100%', "it's", 'été'])(
    'refuses a directory that its database may not lie in, before anything is written: %s',
    async (name) => {
      const dir = join(root, name, 'site')
      await expect(init({ dir }, context)).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining(dir) as string,
      })
      expect(readdirSync(root)).toEqual([])
    },
  )
  it('writes a configuration without mistakes, all of it inside of the directory', async () => {
    const dir = join(root, 'new-1.0_a', 'site')
    expect(await init({ dir }, context)).toBe(0)
    const config = await loadConfig(join(dir, 'config.yaml'), {})
    expect(config.app.workDir.startsWith(dir)).toBe(true)
    expect(config.sourceFiles.runRecordsDir).toBe(join(dir, 'run_records'))
  })
  it('leaves records of every state: some ready, one running, one being copied, one late', async () => {
    const dir = join(root, 'site')
    await init({ dir }, context)
    const records = await recordsOf(dir)
    const listing = await records.list()
    expect([...listing.runs]).toEqual([1001, 1002, 1003, 1004, 1005, 1006, 1008])
    expect(listing.ignored.map(({ name }) => name)).toEqual(['.record_directory_info'])
    expect(readdirSync(join(dir, 'late'))).toEqual(['1007'])
    const states = await Promise.all([...listing.runs].map((run) => records.readiness(run)))
    expect(states.map((state) => (state.ready ? (state.ended ? 'ended' : 'incomplete') : state.reason))).toEqual(['ended', 'ended', 'running', 'copying', 'ended', 'ended', 'incomplete']) // prettier-ignore
    expect(statSync(join(dir, 'run_records', '1001')).mode & 0o777).toBe(0o555)
    expect(statSync(join(dir, 'run_records', '1001', 'boot.txt')).mode & 0o777).toBe(0o444)
  })
  it('has records of which every document is FHiCL', async () => {
    const dir = join(root, 'site')
    await init({ dir }, context)
    const records = await recordsOf(dir)
    for (const run of (await records.list()).runs) {
      const { documents } = toDocuments(await records.read(run, context.signal), options)
      for (const { fhicl } of documents) expect(isFhicl(fhicl)).toBe(true)
    }
  })
  it('prints commands that name what it made', async () => {
    const dir = join(root, 'new-1.0_a')
    await init({ dir }, context)
    const line = printed.split('\n').find((text) => text.startsWith('  run-archiver'))!
    expect(execFileSync('sh', ['-c', `ls ${line.replace('run-archiver', '')}`], { encoding: 'utf8' }).trim()).toBe(join(dir, 'config.yaml')) // prettier-ignore
  })
  it('refuses a directory that holds anything, and leaves it alone', async () => {
    writeFileSync(join(root, 'config.yaml'), 'mine')
    await expect(init({ dir: root }, context)).rejects.toMatchObject({ code: 'USAGE' })
    expect(readdirSync(root)).toEqual(['config.yaml'])
    expect(readFileSync(join(root, 'config.yaml'), 'utf8')).toBe('mine')
  })
  it('refuses a file', async () => {
    writeFileSync(join(root, 'file'), '')
    await expect(init({ dir: join(root, 'file') }, context)).rejects.toMatchObject({ code: 'USAGE' })
    await expect(init({ dir: join(root, 'file', 'below') }, context)).rejects.toMatchObject({ code: 'USAGE' })
  })
})
