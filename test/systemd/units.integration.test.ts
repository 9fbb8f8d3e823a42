import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const units = readdirSync('systemd').filter((name) => /\.(?:service|timer|socket)$/.test(name))
const services = units.filter((name) => name.endsWith('.service'))
const textOf = (name: string): string => readFileSync(join('systemd', name), 'utf8')
const valuesOf = (name: string, key: string): string[] =>
  [...textOf(name).matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map((match) => match[1]!)

const analyze = (...words: string[]) => spawnSync('systemd-analyze', words, { encoding: 'utf8' })
const canAnalyze = analyze('--version').status === 0
if (!canAnalyze) console.warn('systemd-analyze is not installed: the units are not verified')

describe.skipIf(!canAnalyze)('systemd-analyze', () => {
  // It looks whether the programs of ExecStart are there; node need not be at /usr/bin/node where this runs.
  it.skipIf(!existsSync('/usr/bin/node'))('finds nothing wrong with the units', () => {
    const { stdout, stderr, status } = analyze(
      'verify',
      '--man=no',
      ...units.map((name) => join('systemd', name)),
    )
    expect(stdout + stderr).toBe('')
    expect(status).toBe(0)
  })
  it.each(services)('finds %s exposed by 1.5 of 10 at most', (name) => {
    const { stdout, status } = analyze('security', '--offline=true', '--threshold=15', join('systemd', name))
    expect(stdout).toMatch(/Overall exposure level for .*: [01]\.\d OK/)
    expect(status).toBe(0)
  })
  it('finds the same unit without its sandbox exposed by far more: the gate works', () => {
    const { status } = analyze('security', '--offline=true', '--threshold=15', 'test/systemd/unsafe.service')
    expect(status).not.toBe(0)
  })
})

describe('the units', () => {
  it('are those that the installer installs', () => {
    const installer = readFileSync('scripts/install.sh', 'utf8')
    for (const name of units) expect(installer).toContain(name)
  })
  it.each(services)('%s ends in time, keeps no core and takes its secrets from systemd', (name) => {
    expect(valuesOf(name, 'TimeoutStartSec')).toHaveLength(1)
    expect(valuesOf(name, 'LimitCORE')).toEqual(['0'])
    expect(valuesOf(name, 'LoadCredential')).toHaveLength(1)
    expect(textOf(name)).not.toMatch(/MemoryDenyWriteExecute=yes|RemainAfterExit/)
  })
  it.each(services.filter((name) => !name.includes('failure')))('%s tells people when it fails', (name) => {
    expect(valuesOf(name, 'OnFailure')).toEqual(['run-record-archiver-failure@%n.service'])
    expect(valuesOf(name, 'RequiresMountsFor')).toEqual(['/daq/run_records'])
  })
  it('tell people of a daemon that is started again, of which OnFailure= hears nothing, and of no end twice an hour', () => {
    const [told] = valuesOf('run-record-archiver-daemon.service', 'ExecStopPost')
    expect(told).toContain('"$$SERVICE_RESULT" = success')
    expect(told).toContain('systemctl start --no-block run-record-archiver-failure@%n.service')
    expect(valuesOf('run-record-archiver-failure@.service', 'ExecStart').join()).toContain(
      '--key "$$1 $$how"',
    )
  })
  it.each([
    'run-record-archiver.service',
    'run-record-archiver-retry.service',
    'run-record-archiver-daemon.service',
    'run-record-archiver-worker@.service',
  ])('%s takes a stop by a person for no failure', (name) => {
    expect(valuesOf(name, 'SuccessExitStatus')).toEqual(['130 143'])
    expect(Number(valuesOf(name, 'TimeoutStopSec')[0])).toBeGreaterThan(30)
  })
  it.each(services)(
    '%s sees the boot id and the processes of others: the ledger judges by them who is dead',
    (name) => {
      expect(textOf(name)).not.toMatch(/^(?:ProcSubset=pid|ProtectProc=(?!default))/m)
    },
  )
  it('let a pass and the nightly retry wait for each other as long as either may take: nobody is alerted of LOCK_HELD', () => {
    const [pass, retry] = ['run-record-archiver.service', 'run-record-archiver-retry.service']
    expect(valuesOf(pass, 'After').join(' ').split(' ')).toContain(retry)
    const [hours] = /^\d+(?=h$)/.exec(valuesOf(pass, 'TimeoutStartSec')[0]!)!
    const longest = Number(hours) * 3600 + Number(valuesOf(pass, 'TimeoutStopSec')[0])
    const waits = valuesOf(retry, 'ExecStart').map((command) => Number(/ --wait (\d+)$/.exec(command)![1]))
    expect(waits).toHaveLength(2)
    for (const wait of waits) expect(wait).toBeGreaterThan(longest)
  })
  it('keep a wrong configuration from starting the daemon again and again', () => {
    expect(valuesOf('run-record-archiver-daemon.service', 'RestartPreventExitStatus')).toEqual(['64 78'])
    expect(valuesOf('run-record-archiver-daemon.service', 'Type')).toEqual(['notify'])
    expect(valuesOf('run-record-archiver-daemon.service', 'NotifyAccess')).toEqual(['all'])
  })
  it.each(units.filter((name) => name.endsWith('.timer')))(
    '%s catches up after the machine was off',
    (name) => {
      expect(valuesOf(name, 'Persistent')).toEqual(['true'])
      expect(services).toContain(name.replace('.timer', '.service'))
    },
  )
})
