import { faultOfArtdaqPath } from '../../common/artdaq-path.ts'
import { randomUUID } from 'node:crypto'
import { hostname, machine, release, type, userInfo, version } from 'node:os'
import type { DocumentStore, Remember } from '../store.ts'
import type { RunDocuments } from '../run-record.ts'
import type { Warn } from '../../common/warnings.ts'
import { ArchiverError } from '../../errors.ts'
import { FileSystemDb } from './filesystem-db.ts'
import type { Maker } from './format/system-metadata.ts'
import { ToolsDb } from './tools/tools-db.ts'

/** The section `artdaq_db` of the configuration, and the clock. */
export interface ArtdaqSettings {
  readonly databaseUris: readonly string[]
  readonly keepOriginals: boolean
  readonly useTools: boolean
  readonly toolsDir?: string | undefined
  readonly remoteHost?: string | undefined
  /** The environment of the tools; only needed with `useTools`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Runs were stored before, so that a native database that is not there is not mounted. */
  readonly expectExisting?: boolean
  /** Remembers listings of older databases between passes. */
  readonly remember?: Remember
  /** Hears what is set aside or written again. */
  readonly warn?: Warn
  /** Epoch milliseconds. */
  readonly now: () => number
}

/**
 * Opens the artdaqDB that a configuration names: native for `filesystemdb://`, through artdaq's tools with `use_tools`.
 * Creates nothing. Throws CONFIG_INVALID for `mongodb://` without `use_tools`, and for paths that artdaq would expand.
 */
export function openDocumentStore(settings: ArtdaqSettings): DocumentStore {
  const store = settings.useTools ? openTools(settings) : openFileSystemDb(settings)
  return settings.keepOriginals ? store : withoutOriginals(store)
}

/** The native store, for the commands that look into the files themselves. Throws CONFIG_INVALID where there are none. */
export function openFileSystemDb({
  databaseUris,
  now,
  expectExisting,
  remember,
  warn,
}: ArtdaqSettings): FileSystemDb {
  const [first, ...rest] = databaseUris.map(pathOf)
  if (first === undefined) throw invalid('artdaq_db.database_uri is empty')
  return new FileSystemDb({
    paths: [first, ...rest],
    now,
    newUuid: randomUUID,
    maker: maker(),
    expectExisting,
    remember,
    warn,
  })
}

function openTools({ databaseUris, toolsDir, remoteHost, env = {} }: ArtdaqSettings): ToolsDb {
  const uri = databaseUris.at(-1)
  if (uri === undefined || databaseUris.length > 1)
    throw invalid(
      "artdaq_db.database_uri must be one URI with use_tools: true: artdaq's tools know only one database",
    )
  return new ToolsDb({ uri, toolsDir, remoteHost, env: toolEnvironment(env) })
}

/** What artdaq's tools and ssh need; secrets of ours that stand in the environment are no business of theirs. */
const toolEnvironment = (
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> => {
  const needed =
    /^(PATH|HOME|USER|LOGNAME|TMPDIR|TZ|LANG|LC_.*|LD_LIBRARY_PATH|PYTHON.*|SSH_AUTH_SOCK|FHICL_FILE_PATH)$/
  const artdaq = /^ARTDAQ_DATABASE_(DATADIR|CONFDIR)$/
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && (needed.test(name) || artdaq.test(name)) ? [[name, value] as const] : [],
    ),
  )
}

/** The directory of a `filesystemdb://` URI, as artdaq would understand it. */
export function pathOf(uri: string): string {
  const [, path] = /^filesystemdb:\/\/(.+?)\/?$/.exec(uri) ?? []
  if (uri.startsWith('mongo'))
    throw invalid(`artdaq_db.database_uri: ${uri.replace(/\/\/.*@/, '//')} needs use_tools: true`, MONGO)
  if (path === undefined) throw invalid(`artdaq_db.database_uri: ${uri} is no filesystemdb:///path`)
  const fault = faultOfArtdaqPath(path)
  if (fault !== undefined) throw invalid(`artdaq_db.database_uri: ${fault}`)
  return path
}

/** `keep_originals: false`: documents are then artdaq's own, byte for byte, and a record cannot be restored from them. */
const withoutOriginals = (store: DocumentStore): DocumentStore => ({
  list: () => store.list(),
  ...(store.listRemembered ? { listRemembered: store.listRemembered.bind(store) } : {}),
  put: (run: RunDocuments, signal, completing) =>
    store.put({ ...run, manifest: undefined, attached: [] }, signal, completing),
  commitDue: () => store.commitDue(),
  commit: () => store.commit(),
  read: (run, signal) => store.read(run, signal),
  ...(store.mend ? { mend: store.mend.bind(store) } : {}),
  ...(store.sizeOf ? { sizeOf: store.sizeOf.bind(store) } : {}),
  ...(store.bytesOf ? { bytesOf: store.bytesOf.bind(store) } : {}),
  ...(store.placeOf ? { placeOf: store.placeOf.bind(store) } : {}),
  ...(store.knowing ? { knowing: store.knowing.bind(store) } : {}),
  ...(store.room ? { room: store.room.bind(store) } : {}),
  manifest: (run) => store.manifest(run),
  ...(store.manifestAlone ? { manifestAlone: store.manifestAlone.bind(store) } : {}),
  fingerprint: () => store.fingerprint(),
  ...(store.trail ? { trail: store.trail.bind(store) } : {}),
  probe: (signal) => store.probe(signal),
})

const maker = (): Maker => ({
  user: userName(),
  locale: 'en_US.UTF-8',
  uname: {
    sysname: type(),
    nodename: hostname(),
    release: release(),
    version: version(),
    machine: machine(),
  },
})

const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return '' // a uid without an entry in passwd
  }
}

const MONGO =
  "this program reads and writes filesystemdb:// itself; for MongoDB it uses artdaq_database's own tools"

const invalid = (message: string, hint?: string): ArchiverError =>
  new ArchiverError('CONFIG_INVALID', message, hint === undefined ? {} : { hint })
