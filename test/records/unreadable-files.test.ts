import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { auditCommand } from '../../src/commands/records/audit.ts'
import { deadLetterCommand } from '../../src/commands/records/dead-letter.ts'
import { planCommand } from '../../src/commands/records/plan.ts'
import { runCommand } from '../../src/commands/records/run.ts'
import { openSite, payload, printing, type Site } from './databases.ts'

let site: Site
let folder: string
beforeEach(async () => {
  site = await openSite('sqlite')
  folder = join(site.folder, 'payloads')
  mkdirSync(folder)
  const config = readFileSync(site.config, 'utf8')
  writeFileSync(site.config, config.replace('records: {', `records: { source_files: ${folder},`))
  for (const key of [1, 9]) writeFileSync(join(folder, `${key}.xml`), payload(key))
})
afterEach(() => site.close())

const options = () => ({ task: 'orders', config: site.config, json: true })
const run = async (): Promise<number> => runCommand(options(), printing().context)
const states = async (): Promise<readonly string[]> =>
  (await site.database.session.rows('SELECT app_id, status, code FROM processing_log ORDER BY app_id')).map(
    (row) => [row['app_id'], row['status'], row['code'] ?? ''].map(String).join(' ').trim(),
  )

/** What may stand at the name of a payload, and be none. */
const UNREADABLE: readonly [what: string, put: (path: string) => void, reason: string][] = [
  ['a folder', (path) => mkdirSync(path), 'not a regular file'],
  ['a FIFO', (path) => execFileSync('mkfifo', [path]), 'not a regular file'],
  ['a link to itself', (path) => symlinkSync(path, path), 'not a regular file'],
  [
    'a file that is larger than any payload',
    (path) => {
      writeFileSync(path, '')
      truncateSync(path, 1_000_000_000)
    },
    'has 1 GB or more',
  ],
]

describe.each(UNREADABLE)('%s in the place of a payload', (_what, put, reason) => {
  beforeEach(() => put(join(folder, '5.xml')))

  it('fails its item alone, and is taken when it is mended', async () => {
    expect(await run()).toBe(1)
    expect(await states()).toEqual(['1 success', '5 failed SOURCE_UNREADABLE', '9 success'])
    rmSync(join(folder, '5.xml'), { recursive: true })
    writeFileSync(join(folder, '5.xml'), payload(5))
    expect(await runCommand({ ...options(), retryFailed: true }, printing().context)).toBe(0)
    expect(await states()).toEqual(['1 success', '5 success', '9 success'])
  })

  it('is said by plan, audit and dead-letter, which go on', async () => {
    await run()
    await expect(planCommand({ ...options(), item: '5' }, printing().context)).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringContaining(reason) as string,
    })
    const audited = printing()
    await auditCommand(options(), audited.context)
    expect(JSON.parse(audited.printed())).toMatchObject({ counts: { archived: 2, failed: 1 } })
    const to = join(site.folder, 'dead')
    expect(await deadLetterCommand({ ...options(), to }, printing().context)).toBe(0)
    expect(JSON.parse(readFileSync(join(to, 'manifest.jsonl'), 'utf8'))).toMatchObject({
      key: '5',
      file: null,
    })
  })
})

it('a folder of payloads that is gone stops the run, and fails no item', async () => {
  rmSync(folder, { recursive: true })
  await expect(run()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
  expect(await states()).toEqual([])
})
