import { counted } from '../common/counted.ts'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Context, untilStopped } from '../app/context.ts'
import type { Config, ReadConfig } from '../config/load-config.ts'
import { errnoOf, messageOf } from '../errors.ts'
import { identity, startTicks } from '../platform/host.ts'
import { readTextNow } from '../platform/read-file.ts'
import { type Check, checkDisk, checkNode, checkSystem } from '../platform/host-checks.ts'
import { FailureLineReader } from '../state/failure-log-format.ts'
import { heldAs } from '../state/flock.ts'
import { FLOCK_FILE, readLockOwner } from '../state/lock.ts'
import { describeOwner, type Owner } from '../state/lock-owner.ts'
import { inspectSite } from './config-check.ts'
import { stateChecks } from './doctor-state.ts'

export interface DoctorOptions {
  readonly config: string
  readonly json?: boolean
}

const MARKS = { ok: '✓', warning: '⚠', problem: '✗' } as const

/**
 * `doctor`: everything that `config check` does, and what this host is like: versions, disks, mounts, limits, clock, systemd, the lock, state, failed
 * runs. Exit 0 without a problem (warnings allowed), also at a site that never ran; 1 with one. Throws CONFIG_INVALID. Changes nothing.
 */
export const doctor = untilStopped<DoctorOptions>(async ({ config: path, json = false }, context) => {
  const checks = await examine(path, context)
  const problems = checks.filter(({ level }) => level === 'problem').length
  const warnings = checks.filter(({ level }) => level === 'warning').length
  context.out(
    json
      ? `${JSON.stringify({ config: path, checks }, null, 2)}\n`
      : `${checks.map(({ level, name, message }) => `${MARKS[level]} ${name}: ${message}`).join('\n')}\n\n${counted(problems, 'problem')}, ${counted(warnings, 'warning')}\n`,
  )
  return problems === 0 ? 0 : 1
})

/** Every check, in the order of the screen. */
export const examine = async (path: string, context: Context): Promise<readonly Check[]> => {
  const { read, findings } = await inspectSite(path, context)
  return [
    {
      name: 'run-archiver',
      level: 'ok',
      message: `${context.version}${context.commit ? ` (${context.commit.slice(0, 12)})` : ''}`,
    },
    checkNode(process.versions.node),
    ...read.warnings.map((message): Check => ({ name: 'configuration', level: 'warning', message })),
    ...findings.map(({ name, ok, message, hint }): Check => ({
      name,
      level: ok ? 'ok' : 'problem',
      message: hint === undefined ? message : `${message}. ${hint}`,
    })),
    ...(await disks(read)),
    ...checkSystem(),
    await lockOf(read.config),
    ...(await stateChecks(read.config)),
    ...failedRuns(read.config),
    systemd(),
  ]
}

const disks = async ({ config, answers }: ReadConfig): Promise<readonly Check[]> => {
  // A section that the site does not use has no values.
  const valuesOf = (path: string): readonly string[] =>
    [answers.find(({ setting }) => setting.path === path)?.value]
      .flat()
      .filter((value) => typeof value === 'string')
  const places = [
    ['work_dir', config.app.workDir],
    ...valuesOf('artdaq_db.database_uri')
      .filter((uri) => uri.startsWith('filesystemdb:'))
      .map((uri) => ['artdaqDB', new URL(uri).pathname]),
    ...valuesOf('ucon_db.server_url')
      .filter((url) => url.startsWith('file:'))
      .map((url) => ['archive', fileURLToPath(url)]),
  ]
  return (await Promise.all(places.map(([name = '', path = '']) => checkDisk(name, path)))).flat()
}

const lockOf = async ({ app }: Config): Promise<Check> => {
  const name = 'lock'
  try {
    statSync(app.lockFile)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT')
      return { name, level: 'ok', message: await withoutLockFile(join(app.workDir, FLOCK_FILE)) }
    return { name, level: 'problem', message: messageOf(error) }
  }
  const owner = await readLockOwner(app.workDir)
  const words = describeOwner(owner)
  return {
    name,
    level: 'ok',
    message:
      owner && hasEnded(owner)
        ? `left by ${words}, which is gone; the next pass takes it over`
        : `held by ${words}`,
  }
}

/** Workers share the lock and show no lock file: the kernel alone knows of them. */
const withoutLockFile = async (path: string): Promise<string> => {
  const mode = await heldAs(path).catch(() => undefined)
  if (mode === undefined) return 'free'
  return mode === 'shared'
    ? 'held by workers of a backlog, or instances with --instance-id'
    : 'held by a process that has no lock file'
}

/** Of a process on another machine nobody here can say so. */
const hasEnded = ({ pid, host, bootId }: Owner): boolean => {
  const here = identity()
  return host === here.host && (bootId !== here.bootId || startTicks(pid) === undefined)
}

const failedRuns = ({ app }: Config): readonly Check[] =>
  [
    ['import', app.importFailureLog, '--retry-failed-import'],
    ['migrate', app.migrateFailureLog, '--retry-failed-migrate'],
  ].map(([stage = '', file = '', flag = '']): Check => {
    const name = `${stage} failures`
    const reader = new FailureLineReader()
    try {
      reader.push(Buffer.from(readTextNow(file)))
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') return { name, level: 'problem', message: messageOf(error) }
    }
    const { runs, junk } = reader.end()
    const words = [
      ...(runs.isEmpty ? [] : [`${runs.size} in ${file}; ${flag} tries them again`]),
      ...(junk === 0 ? [] : [`${counted(junk, 'line')} of ${file} without a run number`]),
    ]
    return { name, level: words.length === 0 ? 'ok' : 'warning', message: words.join('; ') || 'none' }
  })

const systemd = (): Check => {
  const running = existsSync('/run/systemd/system')
  const units = ['/etc/systemd/system', '/usr/lib/systemd/system'].some((folder) =>
    existsSync(join(folder, 'run-record-archiver.service')),
  )
  const message = units ? 'the units are installed' : 'no units are installed (scripts/install.sh does it)'
  return {
    name: 'systemd',
    level: running && !units ? 'warning' : 'ok',
    message: running ? message : 'is not running here',
  }
}
