import { spawn } from 'node:child_process'
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UconServer } from '../fakes/ucon-server.ts'
import { Site } from '../site.ts'

/** `app.memory_mb` of the site, and what the program may take beside it, MB. */
const MEMORY = 160
const BESIDE = 150
const RECORD = 80_000_000
const RECORDS = Number(process.env['ARCHIVER_LARGE_RECORDS'] ?? 2)

describe(`records of ${RECORD / 1_000_000} MB with app.memory_mb: ${MEMORY}`, () => {
  let server: UconServer
  let site: Site
  beforeAll(async () => {
    server = await UconServer.start({ users: { writer: 'secret' } })
    site = new Site({
      app: `  memory_mb: ${MEMORY}\n  batch_size: 0`,
      ucon: `  server_url: ${server.url}\n  folder_name: test01\n  object_name: configuration\n  writer_user: writer\n  writer_password: secret\n  verify: content\n  timeout_seconds: 60`,
    })
    for (let run = 1; run <= RECORDS; run++) {
      site.record(run, { files: { 'big.bin': '' } })
      truncateSync(site.path('records', String(run), 'big.bin'), RECORD)
      site.age(run, 3600)
    }
  })
  afterAll(async () => {
    await server.close()
    site.remove()
  })

  /** Peak of resident memory, MB. */
  const peakOf = async (
    flags: readonly string[],
    more = 0,
    words = [site.config, ...flags],
  ): Promise<number> => {
    const file = site.path('peak')
    rmSync(file, { force: true })
    const child = spawn(process.execPath, [resolve('dist/main.js'), ...words], {
      env: {
        ...process.env,
        PEAK_FILE: file,
        PEAK_MORE: String(more),
        NODE_OPTIONS: `--import ${resolve('test/runs/peak-memory.mjs')}`,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let messages = ''
    child.stderr.on('data', (text: Buffer) => (messages += text.toString()))
    const status = await new Promise((ended) => child.once('close', ended))
    expect(status, messages).toBe(0)
    return (Number(readFileSync(file, 'utf8')) * 1024) / 1_000_000
  }

  it('are imported within it', async () => {
    const peak = await peakOf(['--import-only'])
    console.log(`import: at most ${peak.toFixed(0)} MB`)
    expect(peak).toBeLessThan(MEMORY + BESIDE)
  }, 300_000)
  it('are migrated within it, and read back', async () => {
    const peak = await peakOf(['--migrate-only'])
    console.log(`migrate: at most ${peak.toFixed(0)} MB`)
    expect(peak).toBeLessThan(MEMORY + BESIDE)
    expect(server.folder.versions.map(({ key }) => key).sort()).toEqual(
      Array.from({ length: RECORDS }, (_, i) => String(i + 1)),
    )
    for (const { data_size } of server.folder.versions) expect(data_size).toBeGreaterThan(RECORD)
  }, 300_000)
  it.each([[['verify']], [['audit', '--deep']], [['scrub']]])(
    'are compared within it: %j',
    async (command) => {
      const peak = await peakOf([], 0, [...command, '--config', site.config])
      console.log(`${command.join(' ')}: at most ${peak.toFixed(0)} MB`)
      expect(peak).toBeLessThan(MEMORY + BESIDE)
    },
    300_000,
  )
  it('control: are found to take more where each is held once more', async () => {
    const given = readFileSync(site.config, 'utf8')
    writeFileSync(site.config, given.replaceAll('object_name: configuration', 'object_name: control'))
    rmSync(site.path('work'), { recursive: true })
    const peak = await peakOf(['--migrate-only', '--runs', '1'], RECORD)
    console.log(`control: ${peak.toFixed(0)} MB`)
    expect(peak).toBeGreaterThan(MEMORY + BESIDE)
  }, 300_000)
})
