import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bundle } from '../../src/commands/bundle.ts'
import { doctor } from '../../src/commands/doctor.ts'
import { Flock } from '../../src/state/flock.ts'
import { identity } from '../../src/platform/host.ts'
import { checkNode } from '../../src/platform/host-checks.ts'
import { contextOf } from '../context.ts'
import { unprivileged } from '../unprivileged.ts'

const CANARY = 'canary-5b1f'
let folder: string
let config: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-'))
  config = join(folder, 'config.yaml')
  for (const name of ['records', 'work', 'artdaqdb', 'archive']) mkdirSync(join(folder, name))
  write('')
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (more: string): void =>
  writeFileSync(
    config,
    `app: {work_dir: work, log_file: work/archiver.log}
source_files: {run_records_dir: records}
artdaq_db: {database_uri: "filesystemdb://${folder}/artdaqdb"}
ucon_db: {server_url: "file://${folder}/archive"}
${more}`,
    { mode: 0o600 },
  )

const ask = async (): Promise<{ code: number; output: string }> => {
  let output = ''
  const code = await doctor({ config }, contextOf({ out: (text) => (output += text) }))
  return { code, output }
}

describe('doctor', () => {
  it('finds no problem at a healthy site that never ran, and changes nothing', async () => {
    const { code, output } = await ask()
    expect(output).toMatch(/^✓ run records: 0 runs/m)
    expect(output).toMatch(/^✓ lock: free$/m)
    expect(output).toMatch(/^0 problems, \d+ warnings?$/m)
    expect(code).toBe(0)
    expect(readdirSync(join(folder, 'work'))).toEqual([])
  })
  it('names a lock that is held without a lock file, as that of workers is', async () => {
    const path = join(folder, 'work/.archiver.flock')
    const worker = await Flock.take(path, 0, undefined, 'shared')
    expect((await ask()).output).toMatch(
      /^✓ lock: held by workers of a backlog, or instances with --instance-id$/m,
    )
    await worker!.release()
    const pass = await Flock.take(path, 0)
    expect((await ask()).output).toMatch(/^✓ lock: held by a process that has no lock file$/m)
    await pass!.release()
    expect((await ask()).output).toMatch(/^✓ lock: free$/m)
  })
  it('counts one warning as one', async () => {
    writeFileSync(join(folder, 'work/import_failures.log'), '3\n')
    const { output } = await ask()
    const warnings = output.match(/^⚠/gm)!.length
    expect(output).toMatch(new RegExp(`^0 problems, ${warnings} warning${warnings === 1 ? '' : 's'}$`, 'm'))
  })
  it('names a damaged state file, as what the next pass makes of it', async () => {
    expect((await ask()).output).toMatch(/^✓ import state: none yet$/m)
    writeFileSync(join(folder, 'work/importer_state.json'), '{"last_contig')
    writeFileSync(
      join(folder, 'work/migrator_state.json'),
      '{"last_contiguous_run": 0, "last_attempted_run": 3}',
    )
    const { output } = await ask()
    expect(output).toMatch(
      /^⚠ import state: .*importer_state.json: not JSON.*; the next pass keeps it aside and rebuilds it/m,
    )
    expect(output).toMatch(/^✓ migrate state: contiguous to run 0, attempted to run 3$/m)
    const text = readFileSync(config, 'utf8')
    writeFileSync(config, text.replace('work_dir: work,', 'work_dir: work, on_corrupt_state: stop,'))
    const strict = await ask()
    expect(strict.output).toMatch(/^✗ import state: .*not JSON.*--recover-import-state rebuilds it$/m)
    expect(strict.code).toBe(1)
  })
  it('names state that no pass would touch: of a later program, and where everybody may write', async () => {
    writeFileSync(join(folder, 'work/importer_state.json'), '{"version": 9}')
    expect((await ask()).output).toMatch(/^✗ import state: .*version 9/m)
    rmSync(join(folder, 'work/importer_state.json'))
    chmodSync(join(folder, 'work'), 0o777)
    const { code, output } = await ask()
    expect(output).toMatch(/^✗ .*: .*work: everybody may write into this folder. chmod o-w/m)
    expect(code).toBe(1)
  })
  it.each(['.proven.json', '.watched-records.json', '.compared-foreign.json'])(
    'names notes that cannot be read: %s',
    async (name) => {
      expect((await ask()).output).toMatch(/^✓ notes: can be read$/m)
      mkdirSync(join(folder, 'work', name))
      const { code, output } = await ask()
      expect(output).toMatch(new RegExp(`^✗ notes: .*${name} is no regular file`, 'm'))
      expect(code).toBe(1)
    },
  )
  it('names files of another user that keep a pass from starting, or from its log', async () => {
    const own = join(folder, 'work/.archiver.flock')
    const log = join(folder, 'work/archiver.log')
    for (const path of [own, log]) writeFileSync(path, '')
    expect((await ask()).output).toMatch(/^✓ own files: can be written$/m)
    await unprivileged(folder, async () => {
      chmodSync(own, 0o400)
      chmodSync(log, 0o400)
      const { code, output } = await ask()
      expect(output).toMatch(/^✗ own files: .*\.archiver\.flock: EACCES.* no pass starts; chown/m)
      expect(output).toMatch(/^⚠ own files: .*archiver\.log: EACCES.* work goes on without it/m)
      expect(code).toBe(1)
    })
  })
  it('counts failed runs as a warning, with the flag that tries them again', async () => {
    writeFileSync(join(folder, 'work/import_failures.log'), '3\n5\n')
    const { code, output } = await ask()
    expect(output).toMatch(/^⚠ import failures: 2 in .*--retry-failed-import tries them again$/m)
    expect(code).toBe(0)
  })
  it('names a failure log that is no file, and does not wait for what a FIFO may bring', async () => {
    execFileSync('mkfifo', [join(folder, 'work/import_failures.log')])
    const { code, output } = await ask()
    expect(output).toMatch(/^✗ import failures: .*import_failures.log is no regular file$/m)
    expect(code).toBe(1)
    const to = join(folder, 'report.tar.gz')
    expect(await bundle({ config, to }, contextOf())).toBe(0)
    const said = execFileSync('tar', ['-xzOf', to, './import_failures.log'], { encoding: 'utf8' })
    expect(said).toMatch(/is no regular file\n$/)
  })
  it('does not call a failure log empty that cannot be looked at, and counts runs, not lines', async () => {
    writeFileSync(join(folder, 'work/migrate_failures.log'), '3\n\n3\nx\n')
    const text = readFileSync(config, 'utf8')
    writeFileSync(
      config,
      text.replace('work_dir: work,', `work_dir: work, import_failure_log: "${config}/a.log",`),
    )
    const { code, output } = await ask()
    expect(output).toMatch(/^✗ import failures: ENOTDIR/m)
    expect(output).toMatch(/^⚠ migrate failures: 1 in .*; 1 line of .* without a run number$/m)
    expect(code).toBe(1)
  })
  it('says of a lock file who holds it, or that its owner is gone', async () => {
    writeFileSync(join(folder, 'work/.archiver.lock'), '1\n')
    const owner = join(folder, 'work/.archiver.owner.json')
    const said = async (who: object): Promise<string> => {
      const { pid, host, bootId } = identity()
      writeFileSync(
        owner,
        JSON.stringify({ pid, host, boot_id: bootId, started: 'then', mode: 'full', ...who }),
      )
      return /^✓ lock: (.*)$/m.exec((await ask()).output)?.[1] ?? ''
    }
    expect(await said({})).toMatch(/^held by pid/)
    expect(await said({ host: 'elsewhere', pid: 4_999_999 })).toMatch(/^held by pid/)
    expect(await said({ pid: 4_999_999 })).toMatch(
      /^left by pid 4999999 .* is gone; the next pass takes it over$/,
    )
    expect(await said({ boot_id: 'before' })).toMatch(/^left by pid/)
  })
  it('ends in 1 where something that is configured cannot be used', async () => {
    write(`metrics: {textfile: ${config}/a.prom}\n`)
    const { code, output } = await ask()
    expect(output).toMatch(/^✗ textfile folder: /m)
    expect(code).toBe(1)
  })
  it.each([
    ['20.18.3', 'problem'],
    ['20.19.0', 'ok'],
    ['21.7.0', 'problem'],
    ['22.13.0', 'ok'],
    ['24.0.0', 'ok'],
  ])('judges Node %s as %s', (version, level) => {
    expect(checkNode(version).level).toBe(level)
  })
})

describe('a bundle for a bug report', () => {
  it('holds no secret, whatever was logged', async () => {
    write(`reporting: {webhook: {enabled: true, url: "http://127.0.0.1:1/${CANARY}"}}\n`)
    writeFileSync(
      join(folder, 'work/archiver.log'),
      `sent to http://127.0.0.1:1/${CANARY}\nurl postgres://daq:${CANARY}@db/x\n`,
    )
    const to = join(folder, 'report.tar.gz')
    expect(await bundle({ config, to }, contextOf())).toBe(0)
    const out = join(folder, 'out')
    mkdirSync(out)
    execFileSync('tar', ['-xzf', to, '-C', out])
    const names = readdirSync(out)
    expect(names).toEqual(
      expect.arrayContaining(['archiver.log', 'configuration.txt', 'doctor.json', 'version.txt']),
    )
    for (const name of names) expect(readFileSync(join(out, name), 'utf8'), name).not.toContain(CANARY)
    expect(readFileSync(join(out, 'archiver.log'), 'utf8')).toContain('sent to')
  })
  it('has both of two files of one name, and no half of a line', async () => {
    mkdirSync(join(folder, 'other'))
    for (const name of ['work', 'other']) writeFileSync(join(folder, name, 'state.json'), `{"${name}": 1}`)
    writeFileSync(join(folder, 'work/archiver.log'), `password=${CANARY}${'x'.repeat(999_990)}\nlast\n`)
    const text = readFileSync(config, 'utf8')
    const files = 'import_state_file: work/state.json, migrate_state_file: other/state.json,'
    writeFileSync(config, text.replace('work_dir: work,', `work_dir: work, ${files}`))
    const to = join(folder, 'report.tar.gz')
    expect(await bundle({ config, to }, contextOf())).toBe(0)
    const all = execFileSync('tar', ['-xzOf', to], { encoding: 'utf8' })
    expect(all).toContain('{"work": 1}')
    expect(all).toContain('{"other": 1}')
    expect(execFileSync('tar', ['-xzOf', to, './archiver.log'], { encoding: 'utf8' })).toBe('last\n')
  })
  it('that cannot be written is an error that names what is wrong, and leaves nothing behind', async () => {
    const to = join(folder, 'no/such/folder/report.tar.gz')
    await expect(bundle({ config, to }, contextOf())).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `cannot write ${to}: there is no folder ${join(folder, 'no/such/folder')}`,
    })
    expect(existsSync(join(folder, 'no'))).toBe(false)
    await expect(bundle({ config, to: folder }, contextOf())).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `cannot write ${folder}: it is a folder`,
    })
  })
  it('that cannot be written in full keeps an earlier one', async () => {
    const to = join(folder, 'report.tar.gz')
    writeFileSync(to, 'earlier')
    mkdirSync(join(folder, 'bin'))
    writeFileSync(join(folder, 'bin/tar'), '#!/bin/sh\nprintf half; exit 2\n', {
      mode: 0o755,
    })
    const path = process.env['PATH']
    try {
      process.env['PATH'] = `${join(folder, 'bin')}:${path}`
      await expect(bundle({ config, to }, contextOf())).rejects.toThrow(/^cannot pack the bundle: tar: /)
      process.env['PATH'] = join(folder, 'records')
      await expect(bundle({ config, to }, contextOf())).rejects.toThrow(
        /^cannot pack the bundle: tar is not installed/,
      )
    } finally {
      process.env['PATH'] = path
    }
    expect(readFileSync(to, 'utf8')).toBe('earlier')
  })
})
