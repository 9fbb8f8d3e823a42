import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { reportCommand } from '../../src/commands/records/report.ts'
import { runCommand } from '../../src/commands/records/run.ts'
import { MAPPING, printing } from './databases.ts'

describe('a target of records that cannot be used', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'records-away-'))
    writeFileSync(join(folder, 'map.yaml'), MAPPING)
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it.each(['mysql', 'postgres'])('says why: %s', async (scheme) => {
    const config = join(folder, 'config.yaml')
    writeFileSync(
      config,
      `app: { work_dir: ${folder} }\nrecords: { tasks: { orders: map.yaml }, target_url: "${scheme}://a@127.0.0.1:1/b" }\n`,
    )
    for (const command of [runCommand, reportCommand])
      await expect(command({ task: 'orders', config }, printing().context)).rejects.toThrow(/ECONNREFUSED/)
  })
})
