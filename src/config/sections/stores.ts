import { ledgerUrl, secret, url } from '../addresses.ts'
import { duration, pause } from '../quantities.ts'
import { boolean, choice, integer, list, map, path, text } from '../value-types.ts'
import { key, optional, required, section } from '../schema.ts'

/** A default for directory archives only. */
const onDisk =
  (name: string) =>
  (setting: (name: string) => string): string =>
    /^file:/i.test(setting('server_url')) ? name : ''

export const artdaqDb = section('artdaqDB, the first destination: documents of each run.', {
  database_uri: required(list(url('filesystemdb', 'mongodb')), {
    as: 'databaseUris',
    doc: 'Where the documents go: `filesystemdb:///path`, or `mongodb://...` with `use_tools`. Of a list, new runs go into the last one.',
  }),
  fcl_conf_dir: optional(path, {
    doc: 'A folder with a `schema.fcl` of your own. Left out: the built-in one.',
  }),
  keep_originals: key(boolean, 'true', {
    doc: 'Keep the name and bytes of each original file beside its document, so that a record can be restored byte for byte.',
  }),
  use_tools: key(boolean, 'false', {
    doc: "Work through artdaq_database's own tools instead of the native store.",
  }),
  tools_dir: optional(path, {
    doc: 'The folder of bulkloader, bulkdownloader and conftool. Left out: they are looked for in PATH.',
  }),
  remote_host: optional(text, {
    env: 'ARTDAQ_DATABASE_REMOTEHOST',
    doc: 'Run the tools on this host, through ssh.',
  }),
})

export const uconDb = section('UconDB, the long-term archive: one blob a run.', {
  server_url: required(url('https', 'http', 'file'), {
    doc: 'The web service, `https://host:port/instance/app`, or `file:///path` for a directory archive.',
  }),
  folder_name: key(text, onDisk('run_records'), {
    doc: 'The folder of the archive. May be left out for `file:///`: `run_records` then.',
  }),
  object_name: key(text, onDisk('configuration'), {
    doc: 'The object in the folder. May be left out for `file:///`: `configuration` then.',
  }),
  writer_user: optional(text, { doc: 'Needed for a web service.' }),
  writer_password: optional(secret, { doc: 'Needed for a web service.' }),
  timeout_seconds: key(pause(0.001), '10', {
    doc: 'Idle timeout for the response of the server.',
  }),
  verify: key(choice('checksum', 'content'), 'content', {
    doc: "After each put: trust the server's checksum of what it received, or read the blob back and compare it.",
  }),
  blob_content: key(choice('original', 'canonical'), 'original', {
    doc: "What a blob carries of a document: the original file's text, or what artdaq's own export gives.",
  }),
  other_files: key(choice('include', 'leave'), 'include', {
    doc: 'Whether files that became no document (rc_info, unknown and binary files) are in the blob.',
  }),
  ca_file: optional(path, {
    doc: "Certificates (PEM) that the server's certificate may be signed with, besides the usual ones.",
  }),
  connections: key(integer(1, 64), '2', { doc: 'Connections to the server at the same time.' }),
  metadata_parameters: key(
    map,
    new Map([
      ['components', 'components'],
      ['configuration', 'config_name'],
      ['projectversion', 'sbndaq_commit_or_version'],
    ]),
    {
      doc: 'What `--validate` looks for in `metadata.fcl` of each blob: the name it reports, and the key it must find exactly once.',
    },
  ),
})

export const ledger = section(
  'The record of who ran, when, how far and how it ended. A ledger that is down never stops the archiving.',
  {
    url: key(ledgerUrl, 'sqlite:ledger.db', {
      doc: '`sqlite:FILE` (relative to `app.work_dir`), `postgres://...`, `mysql://...` or `off`.',
    }),
    password: optional(secret, { doc: 'The password, where the URL has none.' }),
    schema: key(text, 'tasker', { doc: 'The schema of the tables on PostgreSQL.' }),
    keep_days: key(integer(0, 36_500), '0', {
      doc: 'Executions that ended longer ago are removed. 0: kept for ever.',
    }),
    heartbeat_seconds: key(pause(1), '15', {
      doc: 'How often a running execution says that it is alive.',
    }),
    foreign_host_timeout: key(duration(1), '1h', {
      as: 'foreignHostTimeoutSeconds',
      doc: 'An execution on another host that has been silent for so long counts as dead.',
    }),
  },
)
