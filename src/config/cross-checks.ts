import { ARCHIVE_NAME, isArchiveName } from '../common/ucondb-name.ts'
import { errnoOf, messageOf } from '../errors.ts'
import type { Answer } from './resolve-values.ts'
import type { ReadFile } from './secret-sources.ts'

/** What holds between settings. A rule names the setting to change, and says why. */
export interface Breach {
  readonly path: string
  readonly message: string
}

/** The answers by path; a faulty setting counts as set, for it is reported already. */
interface Answers {
  readonly value: (path: string) => unknown
  readonly isSet: (path: string) => boolean
}

const NEEDED_BY_SWITCH: readonly (readonly [enabled: string, ...needed: string[]])[] = [
  [
    'reporting.email.enabled',
    'reporting.email.smtp_host',
    'reporting.email.sender_email',
    'reporting.email.recipient_email',
  ],
  ['reporting.webhook.enabled', 'reporting.webhook.url'],
  ['reporting.ntfy.enabled', 'reporting.ntfy.url'],
  ['reporting.ping.enabled', 'reporting.ping.url'],
  ['carbon.enabled', 'carbon.host'],
]

const NEEDED_BY_SERVER = ['folder_name', 'object_name', 'writer_user', 'writer_password']

const STATE_PATHS = [
  'import_state_file',
  'import_failure_log',
  'migrate_state_file',
  'migrate_failure_log',
  'lock_file',
  'log_file',
]

/** Every rule that is broken. */
export const breaches = (
  answers: readonly Answer[],
  env: Readonly<Record<string, string | undefined>>,
  readFile: ReadFile,
): readonly Breach[] => {
  const byPath = new Map(answers.map((answer) => [answer.setting.path, answer]))
  const all: Answers = {
    value: (path) => byPath.get(path)?.value,
    isSet: (path) => byPath.get(path)?.faulty === true || isSomething(byPath.get(path)?.value),
  }
  return [
    ...switches(all),
    ...slack(all),
    ...archiveNames(all),
    ...archive(all, env, readFile),
    ...database(all),
    ...statePaths(all),
  ]
}

const isSomething = (value: unknown): boolean =>
  value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0)

function* switches({ value, isSet }: Answers): Generator<Breach> {
  for (const [enabled, ...needed] of NEEDED_BY_SWITCH)
    if (value(enabled) === true)
      for (const path of needed)
        if (!isSet(path)) yield { path, message: `must be set, because ${enabled} is true` }
}

function* slack({ value, isSet }: Answers): Generator<Breach> {
  if (value('reporting.slack.enabled') !== true || isSet('reporting.slack.webhook_url')) return
  if (!isSet('reporting.slack.bot_token'))
    yield { path: 'reporting.slack.enabled', message: 'needs webhook_url, or bot_token and channel' }
  else if (!isSet('reporting.slack.channel'))
    yield { path: 'reporting.slack.channel', message: 'must be set beside bot_token' }
}

function* archiveNames({ value }: Answers): Generator<Breach> {
  for (const path of ['ucon_db.folder_name', 'ucon_db.object_name']) {
    const name = value(path)
    if (typeof name === 'string' && name !== '' && !isArchiveName(name))
      yield { path, message: `cannot be a name in an archive; use ${ARCHIVE_NAME}` }
  }
}

/** UconDB splits the header at commas, takes quotes off and nothing else; a header's bytes are Latin-1. */
const CARRIED = /^[\x20-\x7e\xa0-\xff]*$/
const NOT_CARRIED = /[,"\\]/

function* archive(
  { value, isSet }: Answers,
  env: Readonly<Record<string, string | undefined>>,
  readFile: ReadFile,
): Generator<Breach> {
  const server = value('ucon_db.server_url')
  if (typeof server !== 'string' || /^file:/i.test(server)) return
  for (const name of NEEDED_BY_SERVER)
    if (!isSet(`ucon_db.${name}`)) yield { path: `ucon_db.${name}`, message: 'must be set for a web service' }
  const user = value('ucon_db.writer_user')
  if (typeof user === 'string' && (NOT_CARRIED.test(user) || !CARRIED.test(user)))
    yield {
      path: 'ucon_db.writer_user',
      message:
        "must be a name that UconDB's sign-in can carry: no comma, quote or backslash, no character outside Latin-1",
    }
  const fault = unreadable(value('ucon_db.ca_file'), readFile)
  if (fault !== undefined) yield { path: 'ucon_db.ca_file', message: fault }
  if (/^https:/i.test(server) && env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0')
    yield {
      path: 'ucon_db.server_url',
      message:
        'NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would accept any server; unset it, and name the certificate in ca_file',
    }
}

/** Why a file that a setting names cannot be read; what is in it is for whoever uses it. */
const unreadable = (path: unknown, readFile: ReadFile): string | undefined => {
  if (typeof path !== 'string') return undefined
  try {
    readFile(path)
  } catch (error) {
    if (errnoOf(error) !== undefined) return `${path} cannot be read: ${messageOf(error)}`
  }
  return undefined
}

function* database({ value }: Answers): Generator<Breach> {
  const uris = value('artdaq_db.database_uri')
  const isMongo = Array.isArray(uris) && uris.some((uri) => String(uri).toLowerCase().startsWith('mongodb:'))
  if (isMongo && value('artdaq_db.use_tools') !== true)
    yield { path: 'artdaq_db.database_uri', message: 'mongodb:// needs use_tools: true' }
}

function* statePaths({ value }: Answers): Generator<Breach> {
  const seen = new Map<unknown, string>()
  for (const name of STATE_PATHS) {
    const file = value(`app.${name}`)
    const other = seen.get(file)
    if (file !== undefined && other !== undefined)
      yield { path: `app.${name}`, message: `is the same file as ${other}` }
    seen.set(file, name)
  }
}
