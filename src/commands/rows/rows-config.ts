import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Context } from '../../app/context.ts'
import { redactor } from '../../common/redact.ts'
import type { Secret } from '../../common/secret.ts'
import { readConfig, type Config } from '../../config/load-config.ts'
import { secretsOf } from '../../config/secrets-of.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import type { ArchiveFiles } from '../../rows/archive-files/archive-folder.ts'
import { monotonic } from '../../platform/host.ts'
import { databasePassword } from '../../sql/fresh-password.ts'
import type { SessionOptions } from '../../sql/session.ts'
import type { Places } from '../../rows/server.ts'

export type RowsConfig = Pick<Config, (typeof SECTIONS)[number]>

/** What `rows` works with: its sections are enough, and an INI file has the same sections and keys. */
export const rowsConfig = (file: string, context: Context): RowsConfig => {
  const { config, warnings } = readConfig(file, context.env, SECTIONS)
  for (const warning of warnings) context.err(`warning: ${warning}\n`)
  const { source, table, archiveTable, archive } = config.rows
  const files = archiveFilesOf(config)
  const lacking = [
    source === undefined && 'rows.source: the database of the live table',
    table === '' && 'rows.table: the live table',
    archiveTable === '' && archive.table === '' && !files && 'rows.archive_table: the archive table',
  ].filter((line) => line !== false)
  if (lacking.length > 0)
    throw new ArchiverError(
      'CONFIG_INVALID',
      lacking.map((line) => `${file}: must be set: ${line}`).join('\n'),
      {
        hint: 'docs/ROWS.md has the least configuration that works',
      },
    )
  if (files && (archiveTable !== '' || archive.table !== ''))
    throw new ArchiverError(
      'CONFIG_INVALID',
      `${file}: rows.archive.url is a folder, and a table is named too`,
      {
        hint: 'leave rows.archive_table and rows.archive.table out, or name a database in rows.archive.url',
      },
    )
  return config
}

/** The folder that rows go to; undefined where they go to a table. */
export const archiveFilesOf = ({ rows }: RowsConfig): ArchiveFiles | undefined => {
  const { url, format } = rows.archive
  const text = url?.reveal() ?? ''
  return /^file:/i.test(text) ? { folder: resolve(fileURLToPath(text)), format } : undefined
}

const SECTIONS = ['app', 'rows', 'ledger', 'reporting', 'carbon', 'metrics'] as const

/** Masks the passwords of the configuration in any text. */
export const maskOf = (config: RowsConfig) => redactor(secretsOf(config))

/** The connections that a configuration names, with the passwords of the moment in which they are made: a run may be longer than a password lasts. */
export const placesOf = ({ rows }: RowsConfig): Places => {
  const timeout = rows.timeoutSeconds * 1000
  const ofSource =
    rows.password === undefined ? commandPassword(rows.passwordCommand) : () => rows.password?.current()
  const at = (url: Secret, own?: Secret): SessionOptions => {
    const inUrl = databasePassword({ url, password: undefined })
    return {
      url: url.reveal(),
      timeout,
      get password() {
        return (inUrl ?? own)?.current() ?? ofSource()
      },
    }
  }
  const { source, archive, log } = rows
  if (source === undefined) throw new ArchiverError('CONFIG_INVALID', 'must be set: rows.source')
  return {
    source: at(source),
    archive:
      archive.url && !/^file:/i.test(archive.url.reveal()) ? at(archive.url, archive.password) : undefined,
    log: log && at(log),
  }
}

/** Milliseconds for which a password that a command printed is not asked for again. */
const KEPT = 60_000

const commandPassword = (command: string | undefined): (() => string | undefined) => {
  let kept = { text: printed(command), at: monotonic() }
  return () => {
    if (monotonic() - kept.at > KEPT) kept = { text: printed(command), at: monotonic() }
    return kept.text
  }
}

/** What a command prints, without its line end. */
const printed = (command: string | undefined): string | undefined => {
  if (command === undefined) return undefined
  try {
    return execFileSync('/bin/sh', ['-c', command], {
      encoding: 'utf8',
      timeout: 30_000,
      stdio: ['ignore', 'pipe', 'inherit'],
    }).replace(/\r?\n$/, '')
  } catch (cause) {
    throw new ArchiverError('CONFIG_INVALID', 'rows.password_command failed', {
      cause,
      hint: 'run it by hand: it must print the password and end with 0',
    })
  }
}

/** The files of ids or the condition, whichever is set; `--file` stands for rows.files. Throws CONFIG_INVALID where both are set. */
export const idsOf = (
  { rows }: RowsConfig,
  given: readonly string[] | undefined,
): { readonly files: readonly string[]; readonly where: string | undefined } => {
  const patterns = given?.map((file) => resolve(file)) ?? rows.files
  if (rows.where === undefined) return { files: filesOf(patterns), where: undefined }
  if (patterns.length === 0) return { files: [], where: rows.where }
  throw new ArchiverError('CONFIG_INVALID', 'rows.where and files of ids exclude each other', {
    hint: 'leave rows.files and --file out, or rows.where',
  })
}

/** The files of ids, by name. Throws IDS_INVALID where a pattern finds none. */
export const filesOf = (patterns: readonly string[]): readonly string[] => {
  const found = patterns.flatMap((pattern) => {
    const name = basename(pattern)
    if (!/[*?]/.test(name)) return [pattern]
    const matcher = new RegExp(
      `^${name
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
    )
    let names: string[]
    try {
      names = readdirSync(dirname(pattern))
    } catch (cause) {
      throw new ArchiverError('IDS_INVALID', `${dirname(pattern)} cannot be read: ${messageOf(cause)}`, {
        cause,
      })
    }
    const matching = names.filter((one) => matcher.test(one) && !one.startsWith('.'))
    return matching.map((one) => join(dirname(pattern), one))
  })
  if (found.length === 0)
    throw new ArchiverError(
      'IDS_INVALID',
      `no file of ids: ${patterns.join(', ') || 'rows.files is not set'}`,
      {
        hint: 'set rows.files, or give --file',
      },
    )
  return [...new Set(found)].toSorted((a, b) =>
    basename(a) < basename(b) ? -1 : basename(a) > basename(b) ? 1 : a < b ? -1 : 1,
  )
}
