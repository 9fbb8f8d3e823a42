import { KEYS } from '../../src/config/settings.ts'
import { isSection, type Key, type Keys, type Section } from '../../src/config/schema.ts'

const INTRODUCTION = `# Configuration

\`run-archiver config.yaml\` and every command with \`--config\` read one YAML file; \`config.example.yaml\` is one to begin
with. \`run-archiver config check --config FILE\` shows the value of every setting and where it came from, and tries out
what it names. This page is generated from the table that the program reads by: \`npm run docs\`.

## How it is read

- **All problems are shown at once.** A faulty file ends in exit 78 with one line for each problem: unknown and doubled
  settings, wrong types, references that lead nowhere. \`config.yaml:8:5 app.batch_size: ...\` is line 8, column 5.
- **References.** \`\${NAME}\` is an environment variable (upper case) and must be set; \`\${NAME:-default}\` may be unset or
  empty, and its default may hold references. \`\${key}\` is another setting of the same section, \`\${section.key}\` one of
  any section, \`\${config_dir}\` the folder of the file. \`$\${\` stands for \`\${\` itself.
- **Not set** are settings that are left out, empty, an empty text, or a list of empty texts: their default counts. \`[]\` is a list without items.
- **Paths** that are relative begin at the folder of the configuration file.
- **Durations** are plain seconds or \`500ms\`, \`30s\`, \`5m\`, \`1h30m\`, \`7d\`, \`2w\`. **Sizes** are plain bytes or \`10 MB\`
  (10^6), \`500 MiB\` (2^20). **true** and **false** may be \`yes\`, \`on\`, \`no\`, \`off\`, also as a text.
- **Secrets** (passwords, tokens, URLs with either) are looked for in this order: the file that \`<key>_file\` names; the
  systemd credential with the setting's name (\`LoadCredential=ucon_db.writer_password:/etc/...\`), which the units load from
  the files of \`/etc/run-record-archiver/credentials/\`; the environment
  variable \`RUN_ARCHIVER_\` with the setting's name (\`RUN_ARCHIVER_UCON_DB_WRITER_PASSWORD\`); the value itself. A file that others
  than its owner and group may read is refused (mode 0640 or less). A relative \`<key>_file\` is looked for among systemd's
  credentials first. Secrets are never shown: not in logs, errors, or \`config check\`. A password or token that is changed in its file
  while a daemon runs is sent from then on, without a restart. systemd copies its credentials when a unit starts: those want a restart.
- **YAML 1.2**, one document, 1 MB at most. Values are taken as they are written: \`000123\` stays \`000123\`.

## What an old configuration means here

Configurations of the Python original are read as they are. Other than there: an environment variable that is not set is
an error instead of an empty text; the text \`false\` is false; unknown settings are errors; \`batch_size: 0\` means no limit
(it meant that nothing was done); an unknown \`log_level\` is an error, not INFO; relative paths begin at the file's folder, not at the current one; \`app_fuzz\` is refused unless it
injects nothing; \`timeout_seconds\` takes effect.
`

/** docs/CONFIG.md: every setting with its type, default and meaning. */
export const configReference = (): string => `${INTRODUCTION}${[...chapters(KEYS, '')].join('')}`

function* chapters(keys: Keys, prefix: string): Generator<string> {
  for (const [name, row] of Object.entries(keys))
    if (isSection(row)) yield* chapter(`${prefix}${name}`, row)
    else if (prefix === '')
      yield `\n## ${name}\n\n${row.doc}\n\nType: ${row.kind.type}. Default: ${defaultOf(row)}.\n`
}

function* chapter(path: string, { doc, keys }: Section): Generator<string> {
  const rows = Object.entries(keys).flatMap(([name, row]) => (isSection(row) ? [] : [line(name, row)]))
  yield `\n## ${path}\n\n${doc}\n\n| setting | type | default | meaning |\n| --- | --- | --- | --- |\n${rows.join('')}`
  yield* chapters(keys, `${path}.`)
}

const line = (name: string, key: Key): string => {
  const named = key.kind.secret ? `\`${name}\`, \`${name}_file\`` : `\`${name}\``
  const environment = key.env === undefined ? '' : ` Or in the environment: \`${key.env}\`.`
  return `| ${named} | ${cell(key.kind.type)} | ${defaultOf(key)} | ${cell(key.doc)}${environment} |\n`
}

const defaultOf = (key: Key): string => {
  const value = key.default
  if (value === undefined) return key.required ? '**required**' : 'none'
  if (typeof value === 'function') return 'see there'
  if (typeof value === 'string') return value === '' ? 'none' : `\`${cell(value)}\``
  if (value instanceof Map)
    return [...value].map(([name, text]: [string, string]) => `\`${name}: ${text}\``).join(', ')
  return [...(value as readonly string[])].map((item) => `\`${item}\``).join(', ') || 'none'
}

const cell = (text: string): string => text.replaceAll('|', '\\|')
