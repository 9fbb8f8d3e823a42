import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readSync, closeSync, fstatSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import type { Command } from '../app/context.ts'
import { printable, redactor } from '../common/redact.ts'
import type { Config } from '../config/load-config.ts'
import { secretsOf } from '../config/secrets-of.ts'
import { replaceFile } from '../platform/atomic-file.ts'
import { openRegularNow } from '../platform/read-file.ts'
import { ArchiverError, errnoOf, messageOf } from '../errors.ts'
import { asText, inspectSite } from './config-check.ts'
import { examine } from './doctor.ts'

export interface BundleOptions {
  readonly config: string
  readonly to: string
}

/** Bytes of each file's end that are taken. */
const MOST = 1_000_000

/**
 * `bundle`: a .tar.gz for a bug report: the configuration as `config check` shows it, what `doctor` says, state files, failure logs and the
 * end of the log. Secrets are masked in all of it, and no run record, document or blob is in it. An earlier one of this name is replaced whole.
 * Throws NOT_FOUND where it cannot be written.
 */
export const bundle: Command<BundleOptions> = async ({ config: path, to }, context) => {
  const { read, findings } = await inspectSite(path, context)
  const redact = redactor(secretsOf(read.config))
  const clean = (text: string): string =>
    text
      .split('\n')
      .map((line) => printable(redact(line)))
      .join('\n')
  const folder = mkdtempSync(join(tmpdir(), 'run-archiver-bundle-'))
  try {
    writeFileSync(join(folder, 'configuration.txt'), clean(asText(path, read, findings)))
    writeFileSync(join(folder, 'doctor.json'), clean(JSON.stringify(await examine(path, context), null, 2)))
    writeFileSync(
      join(folder, 'version.txt'),
      `${context.version} ${context.commit ?? ''}\nNode ${process.versions.node}\n`,
    )
    for (const [setting, file] of stateFiles(read.config)) {
      const end = endOf(file)
      if (end === undefined) continue
      const name = basename(file)
      // Two settings may name files of one name in different folders.
      writeFileSync(join(folder, existsSync(join(folder, name)) ? `${setting}-${name}` : name), clean(end))
    }
    const target = resolve(to)
    const packed = pack(folder)
    await replaceFile(target, packed).catch((error: unknown) => {
      throw new ArchiverError('NOT_FOUND', `cannot write ${to}: ${whyNot(target, error)}`, {
        cause: error,
        hint: 'name a file in a folder that you may write: run-archiver bundle --to /tmp/report.tar.gz',
      })
    })
    context.out(
      `${target}: look through it before you send it; secrets are masked, names and run numbers are not\n`,
    )
    return 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The folder as a .tar.gz. Throws NOT_FOUND where tar does not give one. */
const pack = (folder: string): Buffer => {
  try {
    const stdio = ['ignore', 'pipe', 'pipe'] as const
    return execFileSync('tar', ['-czf', '-', '-C', folder, '.'], { stdio: [...stdio], maxBuffer: 2 ** 30 })
  } catch (error) {
    const { stderr } = error as { readonly stderr?: Buffer | null }
    const said = stderr?.toString('utf8').trim()
    const isMissing = errnoOf(error) === 'ENOENT'
    throw new ArchiverError(
      'NOT_FOUND',
      `cannot pack the bundle: tar${isMissing ? ' is not installed' : `: ${said || messageOf(error)}`}`,
      { cause: error, hint: 'tar and gzip must be in PATH' },
    )
  }
}

const whyNot = (target: string, error: unknown): string => {
  if (errnoOf(error) === 'ENOENT') return `there is no folder ${dirname(target)}`
  return errnoOf(error) === 'EISDIR' ? 'it is a folder' : messageOf(error)
}

const stateFiles = ({ app }: Config): readonly (readonly [setting: string, file: string])[] => [
  ['import_state_file', app.importStateFile],
  ['migrate_state_file', app.migrateStateFile],
  ['import_failure_log', app.importFailureLog],
  ['migrate_failure_log', app.migrateFailureLog],
  ...(app.logFile === undefined ? [] : [['log_file', app.logFile] as const]),
]

/** The last whole lines of a file. If it cannot be read, the reason; undefined if there is no such file. */
const endOf = (path: string): string | undefined => {
  let file: number
  try {
    file = openRegularNow(path)
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? undefined : `${messageOf(error)}\n`
  }
  try {
    const { size } = fstatSync(file)
    const bytes = Buffer.alloc(Math.min(size, MOST))
    const end = bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, size - bytes.length))
    // Nothing is masked of a secret that is cut in two.
    return size > MOST ? end.slice(end.indexOf('\n') + 1) : end
  } finally {
    closeSync(file)
  }
}
