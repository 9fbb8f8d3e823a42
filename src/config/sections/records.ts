import { recordsUrl, secret } from '../addresses.ts'
import { choice, integer, map, text } from '../value-types.ts'
import { key, optional, section } from '../schema.ts'

export const records = section(
  'Records: payloads (XML, JSON) into mapped tables. docs/RECORDS.md has a tutorial.',
  {
    tasks: key(map, new Map(), {
      doc: 'Names of tasks, each with its mapping file; relative paths begin at the folder of this file.',
    }),
    source_url: optional(recordsUrl, {
      doc: 'The database that has the payloads: `sqlite:FILE` (relative to `app.work_dir`), `postgres://...`, `mysql://...` or `mssql://...`. Left out: the target.',
    }),
    source_password: optional(secret, { doc: 'For a `source_url` without a password.' }),
    source_files: optional(text, {
      doc: 'A folder of payload files instead of a database: `<key>.xml`, `<key>.json`, also `.gz`.',
    }),
    target_url: optional(recordsUrl, {
      doc: 'The database that has the tables and `processing_log`; as `source_url`.',
    }),
    target: optional(choice('postgres', 'mysql', 'sqlite', 'mssql'), {
      doc: 'The engine of the target where `--server` and `--database` name it, and no `target_url` does.',
    }),
    target_password: optional(secret, {
      doc: 'For a `target_url` without a password, and for its server alone; without `target_url`, for the server that `--server` names.',
    }),
    workers: key(integer(1, 64), '4', { doc: 'Items in hand at once.' }),
    batch_size: key(integer(1, 100_000), '1000', {
      doc: 'Keys that are read at once; payloads are read one by one.',
    }),
    timeout_seconds: key(integer(1, 3600), '60', {
      doc: 'How long a connection, and a statement, may take.',
    }),
  },
)
