import { ENVIRONMENT_ALLOWED, STAGE_PATTERNS } from '../../common/stage-patterns.ts'
import { secret, url } from '../addresses.ts'
import { integer, type Kind, map, path, text, words } from '../value-types.ts'
import { key, optional, section } from '../schema.ts'

/** Names and regular expressions. */
const patterns: Kind<ReadonlyMap<string, string>> = {
  ...map,
  type: 'map of regular expressions',
  read: (raw, place) => {
    const found = map.read(raw, place)
    for (const [stage, pattern] of found)
      try {
        new RegExp(pattern)
      } catch {
        throw new SyntaxError(`the value of ${stage} is not a regular expression`)
      }
    return found
  },
}

export const tracking = section(
  'Executions of other pipelines, as `run-archiver track` and the TypeScript library report them. They go to `ledger.url`, unless `MONITOR_DB_CONN` or `url` says otherwise.',
  {
    url: optional(url('http', 'https'), {
      doc: 'A `run-archiver serve` to report to, such as `https://daq.example.org`, for hosts that do not reach the database.',
    }),
    token: optional(secret, { doc: 'The token of its `serve.report_token_file`.' }),
    flush_ms: key(integer(10, 60_000), '500', {
      doc: 'Milliseconds between a report of progress and its being written. Steps, ends and signs of life are written at once.',
    }),
    stage_patterns: key(patterns, STAGE_PATTERNS, {
      doc: 'The stage of a task: the first whose regular expression its name matches, else `UNKNOWN`.',
    }),
    openlineage_url: optional(url('http', 'https'), {
      doc: 'The address that takes OpenLineage events of these executions, such as `https://lineage.example.org/api/v1/lineage`. Left out: none are sent.',
    }),
    openlineage_token: optional(secret, { doc: 'Its bearer token.' }),
    openlineage_file: optional(path, { doc: 'A file to which the events are appended, one a line.' }),
    openlineage_namespace: key(text, 'run-record-archiver', { doc: 'The namespace of the jobs.' }),
    env_allow: key(words(text), ENVIRONMENT_ALLOWED, {
      doc: 'Environment variables that an execution keeps. What looks like a secret is masked.',
    }),
  },
)
