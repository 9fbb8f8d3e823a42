import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresAnswers } from '../postgres.ts'
import { canRun, PROGRAM, TrackingSite } from './harness.ts'

const can = (await postgresAnswers()) && canRun('unshare', '-rm', 'sh', '-c', 'mount -t tmpfs none /mnt')
const site = new TrackingSite()
const disk = join(site.folder, 'disk')
beforeAll(async () => {
  if (can) await site.create()
  mkdirSync(disk)
})
afterAll(() => (can ? site.remove() : undefined))

const FILL = `dd if=/dev/zero of=${disk}/fill bs=1k 2>/dev/null`
/** Runs words of a shell with a small disk in place of the folder of the spool. */
const onDisk = (script: string, env: Record<string, string> = {}) => {
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['-rm', 'sh', '-c', `mount -t tmpfs -o size=256k none ${disk} || exit 99\n${script}`],
    {
      encoding: 'utf8',
      timeout: 60_000,
      cwd: site.folder,
      env: { ...process.env, ...site.env, MONITOR_SPOOL_DIR: join(disk, 'spool'), ...env },
    },
  )
  return { status, stdout, stderr }
}
const program = `"${process.execPath}" ${PROGRAM}`
const run = (task: string, command: string): string =>
  `${program} track run --task-name ${task} -- sh -c '${command}'`
const executions = (task: string) =>
  site.query(
    `SELECT execution_status, exit_code, overall_progress_message AS word FROM tasker.executions WHERE task_name = '${task}'`,
  )
const AWAY = { MONITOR_DB_PORT: '1' }

describe.skipIf(!can)('a disk that is full', { timeout: 120_000 }, () => {
  it('control: takes nothing more', () => {
    const { status, stderr } = onDisk(`${FILL}; echo x >${disk}/more`)
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/No space left|I\/O error/i)
  })
  it('before the command starts costs no report where the database answers, and no exit code', async () => {
    const { status, stdout, stderr } = onDisk(`${FILL}; ${run('full', 'echo out; exit 3')}`)
    expect([status, stdout]).toEqual([3, 'out\n'])
    expect(stderr).toMatch(/^Warning: Failed to update status: ENOSPC/m)
    expect(stderr).toMatch(/^Warning: No log: ENOSPC/m)
    expect(await executions('full')).toMatchObject([{ execution_status: 'FAILED', exit_code: 3 }])
  })
  it('from the middle of the command on does not keep its end from the database', async () => {
    const { status } = onDisk(run('filled', `sleep 1; ${FILL}; exit 4`))
    expect(status).toBe(4)
    expect(await executions('filled')).toMatchObject([{ execution_status: 'FAILED', exit_code: 4 }])
  })
  it('does not keep what track commands report from the database', async () => {
    const id = '$('
    const { status } = onDisk(
      `id=${id}${program} track init --task-name commands); ${FILL}; ${program} track enter --run-id $id step; ${program} track finish --run-id $id well`,
    )
    expect(status).toBe(0)
    expect(await executions('commands')).toMatchObject([{ execution_status: 'FINISHED', word: 'well' }])
  })
  it('is reported where the database is away too, and never changes an exit code', () => {
    const library = JSON.stringify(resolve('clients/python'))
    const python = site.write(
      'full.py',
      `import sys\nsys.path.insert(0, ${library})\nfrom pipeline_tracker import *\ntrack_init("p"); genter("a"); sys.exit(5)\n`,
    )
    const r = site.write(
      'full.R',
      `source(${JSON.stringify(resolve('clients/R/track_status.R'))})\ntrack_init("r"); genter("a"); quit(status = 6)\n`,
    )
    const direct = { ...AWAY, RUN_ARCHIVER_TRACK: '' }
    const http = { RUN_ARCHIVER_TRACK: '', MONITOR_DB_CONN: 'http://127.0.0.1:1' }
    const cases = [
      [run('away', 'exit 3'), AWAY, 3],
      [`/usr/bin/python3 ${python}`, AWAY, 5],
      ...(canRun('Rscript', '-e', 'library(RPostgreSQL)') ? ([[`Rscript ${r}`, direct, 6]] as const) : []),
      ...(canRun('Rscript', '-e', '1') ? ([[`Rscript ${r}`, http, 6]] as const) : []),
      [`printf '{"op":"init","task_name":"p"}\\n{"op":"finish"}\\n' | ${program} track pipe`, AWAY, 0],
    ] as const
    for (const [command, env, code] of cases) {
      const { status, stderr } = onDisk(`${FILL}; ${command}`, env)
      expect([command, status]).toEqual([command, code])
      expect(stderr).toMatch(/Warning: .*\d+ (?:rows|reports of progress) were given up/)
    }
  })
})
