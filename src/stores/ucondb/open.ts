import { fileURLToPath } from 'node:url'
import type { Secret } from '../../common/secret.ts'
import { ArchiverError } from '../../errors.ts'
import { readNamedFile } from '../../platform/named-file.ts'
import type { Warn } from '../../common/warnings.ts'
import type { Archive } from '../store.ts'

/** The section `ucon_db` of the configuration. */
export interface UconSettings {
  /** `http(s)://host:port/instance/app` of a web service, or `file:///path` of a directory. */
  readonly serverUrl: string
  readonly folderName: string
  readonly objectName: string
  readonly writerUser: string | undefined
  readonly writerPassword: Secret | undefined
  /** What counts as proof of a put. */
  readonly verify: 'checksum' | 'content'
  readonly timeoutSeconds: number
  readonly connections: number
  readonly caFile: string | undefined
}

/** What the archive gets from outside. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Ends listings and fingerprints. */
  readonly stop: AbortSignal | undefined
  /** The one run whose key may be taken from another record. */
  readonly overrideConflict: number | undefined
  /** Whether runs were archived here before: then an archive that is not there is an unmounted disk, or another server. */
  readonly expectExisting: boolean
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Hears what is set aside. */
  readonly warn?: Warn
}

/** Opens the archive that a configuration names; connects to nothing and creates nothing. Throws CONFIG_INVALID, and USAGE for an override in a directory. */
export const openArchive = async (
  settings: UconSettings,
  { env, stop, overrideConflict, expectExisting, now, warn }: Surroundings,
): Promise<Archive> => {
  if (settings.serverUrl.startsWith('file:')) {
    if (overrideConflict !== undefined) throw onlyOneBlob(overrideConflict)
    const { DirectoryArchive } = await import('./directory/archive.ts')
    return new DirectoryArchive({
      root: fileURLToPath(settings.serverUrl),
      folder: settings.folderName || 'run_records',
      object: settings.objectName || 'configuration',
      now,
      expectExisting,
      warn,
    })
  }
  const { UconArchive } = await import('./web/archive.ts')
  const { caFile } = settings
  return new UconArchive({
    serverUrl: settings.serverUrl,
    folder: settings.folderName,
    object: settings.objectName,
    user: settings.writerUser,
    password: settings.writerPassword,
    verify: settings.verify,
    timeoutMs: settings.timeoutSeconds * 1000,
    connections: settings.connections,
    ca: caFile === undefined ? undefined : await readNamedFile('ucon_db.ca_file', caFile),
    tlsRejectUnauthorized: env['NODE_TLS_REJECT_UNAUTHORIZED'],
    overrideConflict,
    stop,
    expectExisting,
    now,
    random: Math.random,
  })
}

/** UconDB keeps a record whose key was taken from it; in a directory a name is there once, and no file of ours is moved or removed. */
const onlyOneBlob = (run: number): ArchiverError =>
  new ArchiverError(
    'USAGE',
    '--override-conflict is for a web service: a directory archive keeps one blob for a key',
    {
      hint: `If the new record is right, move the file that the conflict named, and the .sha256 beside it, out of the archive; then: run-archiver --migrate-only --runs ${run}`,
    },
  )
