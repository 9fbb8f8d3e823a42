import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Context, untilStopped } from '../app/context.ts'
import type { Config, ReadConfig } from '../config/load-config.ts'
import { messageOf } from '../errors.ts'
import { readTextNow } from '../platform/read-file.ts'
import { type Check, checkDisk, checkNode, checkSystem } from '../platform/host-checks.ts'
import { readLockOwner } from '../state/lock.ts'
import { describeOwner } from '../state/lock-owner.ts'
import { inspectSite } from './config-check.ts'

export interface DoctorOptions {
  readonly config: string
  readonly json?: boolean
}

const MARKS = { ok: '✓', warning: '⚠', problem: '✗' } as const

/**
 * `doctor`: everything that `config check` does, and what this host is like: versions, disks, mounts, limits, clock, systemd, the lock, failed
 * runs. Exit 0 without a problem (warnings allowed), also at a site that never ran; 1 with one. Throws CONFIG_INVALID. Changes nothing.
 */
export const doctor = untilStopped<DoctorOptions>(async ({ config: path, json = false }, context) => {
  const checks = await examine(path, context)
  const problems = checks.filter(({ level }) => level === 'problem').length
  const warnings = checks.filter(({ level }) => level === 'warning').length
  context.out(
    json
      ? `${JSON.stringify({ config: path, checks }, null, 2)}\n`
      : `${checks.map(({ level, name, message }) => `${MARKS[level]} ${name}: ${message}`).join('\n')}\n\n${problems} problems, ${warnings} warnings\n`,
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
  const held = existsSync(app.lockFile)
  const owner = held ? describeOwner(await readLockOwner(app.workDir)) : ''
  return { name: 'lock', level: 'ok', message: held ? `held by ${owner}` : 'free' }
}

const failedRuns = ({ app }: Config): readonly Check[] =>
  [
    ['import', app.importFailureLog, '--retry-failed-import'],
    ['migrate', app.migrateFailureLog, '--retry-failed-migrate'],
  ].map(([stage = '', file = '', flag = '']): Check => {
    const name = `${stage} failures`
    let count = 0
    try {
      count = existsSync(file) ? readTextNow(file).split('\n').filter(Boolean).length : 0
    } catch (error) {
      return { name, level: 'problem', message: messageOf(error) }
    }
    return {
      name,
      level: count === 0 ? 'ok' : 'warning',
      message: count === 0 ? 'none' : `${count} in ${file}; ${flag} tries them again`,
    }
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
