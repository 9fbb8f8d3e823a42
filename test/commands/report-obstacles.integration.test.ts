import { spawnSync } from 'node:child_process'
import { mkdirSync, renameSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { UconServer } from '../fakes/ucon-server.ts'
import { programBeside, Site } from '../site.ts'

const PROGRAM = resolve('dist/main.js')
/** As root in a mount namespace of its own, where that is allowed. */
const canMount = spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs none /mnt']).status === 0
if (!canMount) console.warn('SKIPPED: full disks, because nothing can be mounted here')

let site: Site
afterEach(() => site.remove())

/** The lines of a report's recommendations. */
const adviceIn = (report: string): readonly string[] => {
  const lines = report.split('\n')
  return lines.slice(lines.findIndex((line) => line.startsWith('1. ')))
}

describe.skipIf(!canMount)('the report after a pass that a full disk stopped', () => {
  it.each([
    { stage: 'artdaqDB', folder: 'db' },
    { stage: 'the archive', folder: 'archive' },
    { stage: 'the state', folder: 'work' },
  ])('of $stage says first that it is full, and of which folder', ({ folder }) => {
    site = new Site({ app: '  batch_size: 0' })
    for (const run of [1, 2, 3])
      site.record(run, { files: { 'calibration.bin': Buffer.alloc(1_000_000, 7) } })
    const disk = site.path(folder)
    mkdirSync(disk)
    const script = [
      `mount -t tmpfs -o size=1m,mode=0750 none "${disk}"`,
      // A disk that other programs have filled to the last block.
      ...(folder === 'work' ? [`dd if=/dev/zero of="${disk}/filler" bs=4k 2>/dev/null; true`] : []),
      `"${process.execPath}" ${PROGRAM} ${site.config} > "${site.path('pass')}" 2>&1; echo "exit $?"`,
      `dd if=/dev/zero of="${disk}/filler2" bs=4k 2>/dev/null; true`,
      `"${process.execPath}" ${PROGRAM} ${site.config} --report-status`,
    ].join('\n')
    const { stdout, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', script], { encoding: 'utf8' })
    expect(stdout, stderr).toMatch(/^exit [1-9]/)
    const [first = ''] = adviceIn(stdout)
    expect(first).toMatch(/^1\. ERROR: The disk is full: /)
    expect(first).toContain(disk)
    expect(first).toContain('Make room first')
  })
})

describe('the report after a pass that a refused password stopped', () => {
  it('says so first, with the setting and a command that shows the same', async () => {
    const server = await UconServer.start({ users: { writer: 'right' } })
    site = new Site({
      app: '  batch_size: 0\n  run_process_retries: 0',
      ucon: `  server_url: ${server.url}\n  folder_name: test01\n  object_name: configuration\n  writer_user: writer\n  writer_password: wrong`,
    })
    const archiver = async (...words: string[]): Promise<{ status: number | null; text: string }> => {
      const { status, stdout, stderr } = await programBeside(words)
      return { status, text: stdout + stderr }
    }
    try {
      for (const run of [1, 2]) site.record(run)
      const pass = await archiver(site.config)
      expect(pass.status).toBe(1)
      expect(pass.text).toContain('401, login refused')
      const { text } = await archiver(site.config, '--report-status')
      const [first = '', command = ''] = adviceIn(text)
      expect(first).toMatch(/^1\. ERROR: .*401, login refused/)
      expect(first).not.toContain('wrong')
      expect(command.trim()).toBe(`node ${PROGRAM} config check --config ${site.config}`)
      const checked = await archiver('config', 'check', '--config', site.config)
      expect(checked.status).not.toBe(0)
      expect(checked.text).toMatch(/✗ UconDB: .*401, login refused\n {2}Check .*ucon_db\.writer_password/)
      const examined = await archiver('doctor', '--config', site.config)
      expect(examined.text).toMatch(/401, login refused\. Check .*ucon_db\.writer_password/)
    } finally {
      await server.close()
    }
  })
})

describe('the command that the report recommends for run records that cannot be read', () => {
  it('says that their folder is empty and artdaqDB is not', () => {
    site = new Site()
    site.record(1)
    expect(site.archiver().status).toBe(0)
    const records = site.path('records')
    renameSync(records, `${records}.elsewhere`)
    mkdirSync(records)
    const advice = adviceIn(site.archiver('--report-status').stdout).join('\n')
    expect(advice).toMatch(/config check/)
    const checked = site.command('config check')
    expect(checked).toMatchObject({ status: 1 })
    expect(checked.stdout).toMatch(/✗ run records: .*is empty, and artdaqDB is not/)
  })
})
