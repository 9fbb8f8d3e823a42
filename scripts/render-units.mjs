// Makes this installation's units of the templates in systemd/: node render-units.mjs APP NODE CONFIG_DIR STATE_DIR system|user OLD_UNITS OUT
// Standard input: the JSON of `run-archiver config check --json`; nothing where the configuration cannot be read, then the units that are
// there keep their paths. Writes all units into OUT, or none: exit 1 where a path cannot be written into a unit.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [app, node, configDir, stateDir, scope, oldUnits, out] = process.argv.slice(2)
const SERVICE = 'run-record-archiver.service'

/** A path as systemd reads it back: `%` begins a specifier, and a line ends where it ends. */
const plain = (path) => {
  if (/[\u0000-\u001f\u007f]/.test(path))
    throw new Error(`${JSON.stringify(path)} holds a control character, which no unit can`)
  return path.replaceAll('%', '%%')
}
/** The same as one word of a list: quoted where it holds anything that ends or changes a word. */
const word = (path) => {
  const text = plain(path)
  return /^[\w/.,:@+=%-]+$/.test(text) ? text : `"${text.replace(/[\\"]/g, '\\$&')}"`
}
/** The same as a word of a command, in which `$` begins a variable. */
const argument = (path) => word(path).replaceAll('$', '$$$$')

/** The value of a setting that lists URLs, which may hold commas themselves. */
const foldersOf = (value = '') =>
  value
    .replace(/^\[(.*)\]$/s, '$1')
    .split(/, (?=[a-z]+:\/\/)/)
    .flatMap((url) =>
      url.startsWith('file:') ? fileURLToPath(url) : (/^filesystemdb:\/\/(\/.*)$/s.exec(url)?.[1] ?? []),
    )

const FILES = [
  'app.lock_file',
  'app.import_state_file',
  'app.import_failure_log',
  'app.migrate_state_file',
  'app.migrate_failure_log',
  'app.log_file',
  'metrics.textfile',
]

/** Databases in a file; a relative one lies in work_dir. */
const DATABASES = ['ledger.url', 'queue.url']
const databaseFolder = (url = '') => {
  const path = /^sqlite:(?:\/\/)?(\/.*)$/s.exec(url)?.[1]
  return path === undefined ? [] : dirname(path)
}

/** Words of the lists of paths, by the configuration. */
const pathsOf = (settings) => {
  const value = new Map(settings.map(({ setting, value }) => [setting, value ?? undefined]))
  const written = [
    ['app.work_dir', value.get('app.work_dir')],
    ...['artdaq_db.database_uri', 'ucon_db.server_url'].flatMap((name) =>
      foldersOf(value.get(name)).map((path) => [name, path]),
    ),
    ...FILES.flatMap((name) => (value.get(name) ? [[name, dirname(value.get(name))]] : [])),
    ...DATABASES.flatMap((name) => [databaseFolder(value.get(name))].flat().map((path) => [name, path])),
  ]
  if (scope !== 'user') warnOfTmp(written)
  const beside = written.map(([, path]) => path).filter((path) => !`${path}/`.startsWith(`${stateDir}/`))
  const tools = value.get('artdaq_db.use_tools') === 'true' && value.get('artdaq_db.tools_dir')
  return {
    records: word(value.get('source_files.run_records_dir')),
    writable: [...new Set([stateDir, ...beside])].map((path) => word(`-${path}`)).join(' '),
    // Their libraries lie beside `bin`.
    tools: tools ? [word(`-${basename(tools) === 'bin' ? dirname(tools) : tools}`)] : [],
  }
}

/** Each unit has a /tmp of its own, which is gone with it. */
const warnOfTmp = (written) => {
  const lost = written.filter(([, path]) => /^\/(?:var\/)?tmp(?:\/|$)/.test(path))
  const [first] = lost.filter(([name]) => name === 'app.work_dir')
  for (const [name, path] of lost)
    // What lies in work_dir by default is said once.
    if (name === 'app.work_dir' || path !== first?.[1])
      process.stderr.write(
        `install.sh: ${name}: ${path} would be lost after each pass, because the units have a /tmp of their own (PrivateTmp=); name another folder\n`,
      )
}

/** What the unit that is there has; else what the templates have. */
const pathsThere = () => {
  const old = join(oldUnits, SERVICE)
  const text = existsSync(old) ? readFileSync(old, 'utf8') : ''
  const valueOf = (key) => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1]
  return {
    records: valueOf('ReadOnlyPaths') || '/daq/run_records',
    writable: valueOf('ReadWritePaths') || word(`-${stateDir}`),
    // Behind the folders of the template, of node and of the program.
    tools: (valueOf('ExecPaths') ?? '').match(/"(?:[^"\\]|\\.)*"|\S+/g)?.slice(EXEC_PATHS + 2) ?? [],
  }
}

/** How many folders the template has. */
const EXEC_PATHS = readFileSync(join(app, 'systemd', SERVICE), 'utf8')
  .match(/^ExecPaths=(.*)$/m)[1]
  .split(' ').length

const given = readFileSync(0, 'utf8').trim()

/** What stands for what in a line of a template, by its key. Every other line stays as it is. */
const rulesOf = ({ records, writable, tools }) => {
  const command = (line) =>
    line
      .replaceAll('/usr/bin/node', () => argument(node))
      .replaceAll('/usr/lib/run-record-archiver/dist/main.js', () => argument(join(app, 'dist/main.js')))
      .replaceAll('/etc/run-record-archiver/config.yaml', () => argument(join(configDir, 'config.yaml')))
  return new Map([
    ['ExecStart', command],
    ['RequiresMountsFor', () => records],
    ['ReadOnlyPaths', () => records],
    ['ReadWritePaths', () => writable],
    ['NoExecPaths', (line) => line.replace('-/var/lib/run_record_archiver', () => writable)],
    ['ExecPaths', (line) => [line, word(dirname(node)), word(app), ...tools].join(' ')],
    ['EnvironmentFile', () => `-${plain(join(configDir, 'archiver.env'))}`],
    ['LoadCredential', () => `run-archiver:${plain(join(configDir, 'credentials'))}`],
  ])
}

/** For one user without the parts that only the system manager can do. */
const forUser = (text) =>
  text
    .replace(/^# --- Sandbox[^]*?^TasksMax=.*\n/m, '')
    .replace(
      /^(?:User|Group|SupplementaryGroups|Wants|After(?!=run-record-archiver)|RequiresMountsFor)=.*\n/gm,
      '',
    )
    .replace(/^(?:State|Logs|Cache)Directory.*\n/gm, '')
    .replace(/^WantedBy=multi-user\.target/m, 'WantedBy=default.target')
    .replace(/^ExecStopPost=-\+/m, 'ExecStopPost=-')
    .replace(/journalctl -u/g, 'journalctl --user -u')
    .replace(/systemctl (show|start)/g, 'systemctl --user $1')

try {
  // As the first word of a command it is no variable's place, and cannot be doubled.
  if (node.includes('$')) throw new Error(`the path of node, ${node}, holds a dollar sign`)
  const rules = rulesOf(given === '' ? pathsThere() : pathsOf(JSON.parse(given).settings))
  const rendered = readdirSync(join(app, 'systemd')).map((name) => {
    const lines = readFileSync(join(app, 'systemd', name), 'utf8')
      .split('\n')
      .map((line) => {
        const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? []
        return rules.has(key) ? `${key}=${rules.get(key)(value)}` : line
      })
    return [name, lines.join('\n')]
  })
  for (const [name, text] of rendered) writeFileSync(join(out, name), scope === 'user' ? forUser(text) : text)
} catch (error) {
  process.stderr.write(`install.sh: the units cannot be made: ${error.message}\n`)
  process.exitCode = 1
}
