import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openArchiver } from '../../src/app/open-archiver.ts'
import { withSession } from '../../src/app/session.ts'
import { Secret } from '../../src/common/secret.ts'
import { contextOf } from '../context.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'session-'))
  for (const name of ['work', 'records', 'artdaqdb', 'archive']) mkdirSync(join(folder, name))
  writeFileSync(
    join(folder, 'config.yaml'),
    `app: { work_dir: ${folder}/work }
source_files: { run_records_dir: ${folder}/records }
artdaq_db: { database_uri: "filesystemdb://${folder}/artdaqdb" }
ucon_db: { server_url: "file://${folder}/archive" }
ledger: { url: off }
`,
  )
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a session', () => {
  it('says that it has started before anything else, however little there is to do', async () => {
    let said = ''
    const context = contextOf({ err: (text) => (said += text) })
    const archiver = await openArchiver(join(folder, 'config.yaml'), context)
    const session = { mode: 'full', waitSeconds: 0, verbose: false, json: false }
    await withSession(archiver, session, context, async ({ log }) => {
      log.info('[Import] Finished')
      await new Promise((done) => setTimeout(done, 2500))
      return 0
    })
    expect(said.match(/Process started|Finished/g)).toEqual(['Process started', 'Finished'])
  })
})

describe('a session that cannot be opened', () => {
  it('leaves the lock free, for the next one of the same process', async () => {
    const context = contextOf()
    const archiver = await openArchiver(join(folder, 'config.yaml'), context)
    const { config } = archiver
    const session = { mode: 'daemon', waitSeconds: 0, verbose: false, json: false }
    const broken = {
      ...archiver,
      config: { ...config, ledger: { ...config.ledger, url: new Secret('sqlite:////x') } },
    }
    for (let pass = 1; pass <= 2; pass++)
      await expect(withSession(broken, session, context, () => Promise.resolve(0))).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      })
    for (const name of ['.archiver.lock', '.archiver.owner.json'])
      expect(existsSync(join(folder, 'work', name)), name).toBe(false)
    expect(await withSession(archiver, session, context, () => Promise.resolve(0))).toBe(0)
  })
})
