import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { programOf } from '../../src/app/started.ts'

const folder = mkdtempSync(join(tmpdir(), 'started-'))
afterAll(() => rmSync(folder, { recursive: true }))
const main = join(folder, 'lib', 'dist', 'main.js')
mkdirSync(join(folder, 'lib', 'dist'), { recursive: true })
mkdirSync(join(folder, 'bin'))
writeFileSync(main, '')
symlinkSync(main, join(folder, 'bin', 'run-archiver'))
const start = (env: Record<string, string>, script = main) => programOf({ env, script, pid: 7, user: 'daq' })

describe('the words that start the program again', () => {
  it('are those of the script that started it', () => {
    expect(start({ RUN_ARCHIVER_STARTED_BY: './run_archiver.sh' })).toBe('./run_archiver.sh')
    expect(start({ RUN_ARCHIVER_STARTED_BY: '/opt/my site/run_archiver.sh' })).toBe(
      "'/opt/my site/run_archiver.sh'",
    )
  })
  it('are its name where PATH has this very program, else node and its file', () => {
    expect(start({ PATH: join(folder, 'bin') })).toBe('run-archiver')
    expect(start({ PATH: '/usr/bin' })).toBe(`node ${main}`)
    expect(start({ PATH: '/usr/bin' }, join(folder, 'bin', 'run-archiver'))).toBe(
      join(folder, 'bin', 'run-archiver'),
    )
  })
  it('start a unit with the same user, variables and credentials where systemd started it', () => {
    const unit = { PATH: join(folder, 'bin'), SYSTEMD_EXEC_PID: '7', CREDENTIALS_DIRECTORY: '/run/x' }
    expect(start(unit)).toBe(
      'sudo systemd-run --pipe --wait -p User=daq -p EnvironmentFile=-/etc/run-record-archiver/archiver.env -p LoadCredential=run-archiver:/etc/run-record-archiver/credentials run-archiver',
    )
    expect(start({ ...unit, SYSTEMD_EXEC_PID: '8' })).toBe('run-archiver')
  })
})
