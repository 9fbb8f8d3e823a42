import fc from 'fast-check'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { ArchiverError } from '../../src/errors.ts'
import { CANARY, LEAST, parse, problemsOf, withSection } from './given.ts'
import { sized } from '../sized.ts'

describe('the least configuration', () => {
  const config = parse(LEAST)
  it('has the defaults of the original', () => {
    expect(config.app).toMatchObject({
      workDir: '/tmp/run_record_archiver',
      importStateFile: '/tmp/run_record_archiver/importer_state.json',
      importFailureLog: '/tmp/run_record_archiver/import_failures.log',
      migrateStateFile: '/tmp/run_record_archiver/migrator_state.json',
      migrateFailureLog: '/tmp/run_record_archiver/migrate_failures.log',
      lockFile: '/tmp/run_record_archiver/.archiver.lock',
      batchSize: 5,
      parallelWorkers: 2,
      runProcessRetries: 2,
      retryDelaySeconds: 3,
      logLevel: 'INFO',
      logFile: undefined,
    })
    expect(config.fhiclizeGenerate).toHaveLength(9)
    expect(config.reporting.email).toMatchObject({ enabled: false, smtpPort: 25, smtpUseTls: false })
    expect(config.carbon).toMatchObject({ enabled: false, port: 2003 })
  })
  it('keeps runs apart that are still going on, for seven days', () => {
    expect(config.sourceFiles).toMatchObject({ settleSeconds: 30, incompleteAfterSeconds: 604_800 })
  })
  it('names the folder and object of a directory archive', () => {
    expect(config.uconDb).toMatchObject({ folderName: 'run_records', objectName: 'configuration' })
  })
  it('takes what is empty as not set', () => {
    expect(parse(`${LEAST}app:\nreporting: ~\nlogging:\n    max_files:\n    max_days: ""\n`)).toEqual(config)
  })
  it('is given back by loadConfig too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'))
    writeFileSync(join(folder, 'config.yaml'), LEAST)
    expect(await loadConfig(join(folder, 'config.yaml'), {})).toEqual(config)
    rmSync(folder, { recursive: true })
  })
})

describe('a reference', () => {
  it('is replaced from the environment, its default, or another setting', () => {
    const config = parse(
      withSection(
        'app',
        'work_dir: "${ROOT:-${HOME_OF_ALL:-/srv}/state}"',
        'log_file: ${work_dir}/${NAME}.log',
      ) + 'metrics: {textfile: "${app.work_dir}/run.prom"}\n',
      { NAME: 'archiver', HOME_OF_ALL: '/home/daq' },
    )
    expect(config.app).toMatchObject({ workDir: '/home/daq/state', logFile: '/home/daq/state/archiver.log' })
    expect(config.metrics.textfile).toBe('/home/daq/state/run.prom')
  })
  it('to the folder of the configuration makes a configuration that can be moved', () => {
    expect(
      parse(withSection('artdaq_db', 'database_uri: "filesystemdb://${config_dir}/db"')).artdaqDb
        .databaseUris,
    ).toEqual(['filesystemdb:///etc/archiver/db'])
  })
  it('to a variable that is not set is an error with its line', () => {
    expect(problemsOf(withSection('app', 'log_file: /var/log/${DETECTOR}.log'))).toEqual([
      'config.yaml:8:5 app.log_file: the environment variable DETECTOR is not set; set it, or write ${DETECTOR:-default}',
    ])
  })
  it('in a circle is an error that shows the circle', () => {
    const problems = problemsOf(
      withSection('app', 'work_dir: ${log_file}', 'log_file: ${lock_file}', 'lock_file: ${work_dir}'),
    )
    expect(problems[0]).toBe(
      'config.yaml:8:5 app.work_dir: refers to itself: app.work_dir → app.log_file → app.lock_file → app.work_dir',
    )
  })
  it('in a circle through a default is an error too', () => {
    expect(problemsOf(withSection('app', 'work_dir: ${import_state_file}')).join()).toContain(
      'refers to itself',
    )
  })
  it('to nothing suggests what was meant', () => {
    expect(problemsOf(withSection('app', 'log_file: ${workdir}/x'))).toEqual([
      'config.yaml:8:5 app.log_file: ${workdir} refers to no setting; did you mean ${work_dir}?',
    ])
  })
  it('to a faulty setting does not tell the fault twice', () => {
    expect(problemsOf(withSection('app', 'work_dir: ${NOPE}'))).toHaveLength(1)
  })
  it('cannot carry a secret into a setting that is none', () => {
    const text = withSection(
      'ucon_db',
      'server_url: file:///a',
      `writer_password: ${CANARY}`,
      'writer_user: "${writer_password}"',
    )
    expect(problemsOf(text)).toEqual([
      'config.yaml:8:5 ucon_db.writer_user: ${writer_password} is a secret, and this setting is none',
    ])
  })
})

describe('a faulty configuration', () => {
  it('is told whole, in the order of its lines', () => {
    const text = [
      'app:',
      '    batch_sizes: 5',
      '    parallel_workers: 0',
      '    run_process_retries: many',
      '    log_file: ${NOPE}',
      '    log_file: again',
      'ucon_db: {server_url: "ftp://x", lock_file: 1}',
      'reporting: {email: {enabled: true, smtp_host: mail}}',
      '',
    ].join('\n')
    expect(problemsOf(text)).toEqual([
      'config.yaml:1:1 source_files.run_records_dir: must be set',
      'config.yaml:1:1 artdaq_db.database_uri: must be set',
      'config.yaml:2:5 app.batch_sizes: there is no such setting; did you mean batch_size?',
      'config.yaml:3:5 app.parallel_workers: must be a whole number, from 1 to 64, not "0"',
      'config.yaml:4:5 app.run_process_retries: must be a whole number, from 0 to 100, not "many"',
      'config.yaml:5:5 app.log_file: the environment variable NOPE is not set; set it, or write ${NOPE:-default}',
      'config.yaml:6:5 log_file is set twice in this section',
      'config.yaml:7:11 ucon_db.server_url: must be a URL that begins with https:// or http:// or file://',
      'config.yaml:7:34 ucon_db.lock_file: there is no such setting here; it belongs under app',
      'config.yaml:8:13 reporting.email.sender_email: must be set, because reporting.email.enabled is true',
      'config.yaml:8:13 reporting.email.recipient_email: must be set, because reporting.email.enabled is true',
    ])
  })
  it.each([
    ['nothing at all', ''],
    ['a list', '- a\n'],
    ['a word', 'archiver\n'],
    ['a broken bracket', 'app: [1,\nb: 2\n'],
    ['two documents', `${LEAST}---\na: 1\n`],
    ['a tab', 'app:\n\twork_dir: x\n'],
    ['a tag', `${LEAST}app: !!python/object {}\n`],
    ['an alias inside itself', `${LEAST}app: &a\n    work_dir: *a\n`],
    ['an alias of nothing', `${LEAST}app: *nothing\n`],
    ['a section that is a word', `${LEAST}app: yes\n`],
    ['a value that is a section', `${LEAST}app: {work_dir: {a: b}}\n`],
    ['a list of lists', withSection('artdaq_db', 'database_uri: [[a]]')],
    ['a prototype', `${LEAST}__proto__: {app: 1}\n`],
    ['a constructor', `${LEAST}constructor: 1\n`],
    ['a hundred thousand brackets', `a: ${'['.repeat(100_000)}`],
    ['deep blocks', `a:\n${Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i + 1)}a:\n`).join('')}`],
    ['too much', `# ${'x'.repeat(1_000_001)}`],
  ])('that holds %s is refused with a line', (_what, text) => {
    for (const line of problemsOf(text)) expect(line).toMatch(/^config\.yaml:\d+:\d+ \S/)
  })
  it.each([
    ['a line too far to the right', 'app:\n  a: x\n    b: 1\n  c: 2\n', '2:6 a value with ": " in it'],
    ['a line too far to the left', 'app:\n    a: x\n  b: 1\n  c: 2\n  d: 3\n', '3:1 is indented differently'],
    ['a value with a colon', 'app:\n  a: x: y\n', '2:6 a value with ": " in it needs quotes'],
    ['no space after a colon', 'app:\n  a:1\n  b: 2\n', '2:3 write a setting as "name: value"'],
    ['an open quote', 'app:\n  a: "x\n  b: 2\n', '4:1 a quote is opened above this line'],
    ['an open bracket', 'app:\n  a: [1, 2\n  b: 2\n', '3:3 a bracket is opened above this line'],
    ['an @', 'app:\n  a: @x\n', '2:6 a value that begins with this character needs quotes'],
  ])('that has %s says so in one line, and nothing of the lines below', (_what, text, said) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(`config.yaml:${said}`)])
  })
  it.each(['log_file', '"log_file"', "'log_file'"])('that sets %s twice names it, quoted or not', (name) => {
    expect(problemsOf(withSection('app', `${name}: a`, `${name}: b`))).toEqual([
      'config.yaml:9:5 log_file is set twice in this section',
    ])
  })
  it('that has a password on a line which YAML reads as part of the one above does not show it', () => {
    const text = `${LEAST}carbon:\n  port: 2003\n    writer_password:${CANARY}\n`
    expect(problemsOf(text)).toEqual([
      'config.yaml:8:3 carbon.port: must be a whole number, from 1 to 65535, not "2003 writer_password:[secret]"',
    ])
  })
  it('that is a bomb of aliases is refused at once', () => {
    const bomb = [
      'a: &a [x]',
      ...'bcdefghij'.split('').map((name, i) => `${name}: &${name} [${`*${'abcdefghi'[i]},`.repeat(10)}]`),
    ]
    expect(problemsOf(`${bomb.join('\n')}\nartdaq_db: {database_uri: *j}\n`).length).toBeGreaterThan(1)
  })
  it('that is not there is told with what to do', async () => {
    const error: unknown = await loadConfig('/nowhere/config.yaml', {}).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      message: '/nowhere/config.yaml:1:1 there is no such file',
    })
    expect((error as ArchiverError).hint).toContain('run-archiver init')
  })
  it('never makes anything but CONFIG_INVALID of any text', () => {
    const marks = fc.constantFrom('app:\n', '    work_dir: ', '${A:-', '*a', '&a ', '- ', '\n', ': ', '\t')
    const signs = fc.string({
      unit: fc.constantFrom(...Array.from('ap: ${}[]&*!#"\'-|>%@`?,~\0')),
      maxLength: 3,
    })
    const piece = fc.oneof(marks, signs)
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        try {
          parse(pieces.join(''))
        } catch (error) {
          expect(error).toBeInstanceOf(ArchiverError)
        }
      }),
      { numRuns: sized(300, 2000) },
    )
  })
})

describe('a value', () => {
  it('a path whose folder has a dollar sign in its name, or a name behind one, is taken as it is', () => {
    expect(parse(withSection('app', 'work_dir: /data/$Recycle/a$HOME/~')).app.workDir).toBe(
      '/data/$Recycle/a$HOME/~',
    )
  })
  it('a URL whose port cannot be one is refused for that', () => {
    expect(problemsOf(LEAST.replace('file:///daq/archive', 'http://localhost:80800/x/y'))[0]).toContain(
      'ucon_db.server_url: must be a URL; what stands as its host or port cannot be one',
    )
  })
  it.each(['false', 'no', 'off', '"false"', "'False'", '${FALSE}'])('%s is false', (text) => {
    expect(
      parse(withSection('artdaq_db', 'database_uri: filesystemdb:///d', `keep_originals: ${text}`), {
        FALSE: 'false',
      }).artdaqDb.keepOriginals,
    ).toBe(false)
  })
  it.each(['5', '"5"', '${FIVE}', '${NONE:-5}'])('%s is the number 5', (text) => {
    expect(parse(withSection('app', `batch_size: ${text}`), { FIVE: '5' }).app.batchSize).toBe(5)
  })
  it.each(['5.5', '-1', '010', '1e3', '0x10', 'true', '5 runs', '99999999999999999999'])(
    '%s is no number of runs',
    (text) => {
      expect(problemsOf(withSection('app', `batch_size: ${text}`))[0]).toContain(
        'app.batch_size: must be a whole number',
      )
    },
  )
  it.each([
    ['7d', 604_800],
    ['30', 30],
    ['1h30m', 5400],
    ['0.5', 0.5],
    ['500ms', 0.5],
    ['2w', 1_209_600],
  ])('%s is a duration', (text, seconds) => {
    expect(
      parse(withSection('source_files', 'run_records_dir: /r', `incomplete_after: ${text}`)).sourceFiles
        .incompleteAfterSeconds,
    ).toBe(seconds)
  })
  it.each(['7 days', 'soon', '-1', '1x', 'd'])('%s is no duration', (text) => {
    expect(
      problemsOf(withSection('source_files', 'run_records_dir: /r', `incomplete_after: ${text}`))[0],
    ).toContain('must be a duration')
  })
  it.each([
    ['app', 'shutdown_grace_seconds'],
    ['app', 'wait_seconds'],
    ['daemon', 'poll_seconds'],
    ['ledger', 'heartbeat_seconds'],
    ['carbon', 'timeout_seconds'],
  ])('that is waited for in one go, %s.%s, is no longer than a timer takes', (section, name) => {
    expect(problemsOf(withSection(section, `${name}: 30d`))).toEqual([
      expect.stringMatching(new RegExp(`${section}\\.${name}: must be a duration .*, 20d at most`)),
    ])
    parse(withSection(section, `${name}: 20d`))
  })
  it('that is only compared may be as long as anybody likes, and yet is a number', () => {
    const incomplete = (text: string): string =>
      withSection('source_files', 'run_records_dir: /r', `incomplete_after: ${text}`)
    expect(parse(incomplete('5200w')).sourceFiles.incompleteAfterSeconds).toBe(5200 * 604_800)
    expect(problemsOf(incomplete('9'.repeat(400)))[0]).toContain('must be a duration')
  })
  it.each([
    ['500 MiB', 524_288_000],
    ['10MB', 10_000_000],
    ['123', 123],
  ])('%s is a size', (text, size) => {
    expect(parse(withSection('logging', `max_bytes: ${text}`)).logging.maxBytes).toBe(size)
  })
  it('may be one URI or a list of them', () => {
    const uris = ['filesystemdb:///a', 'filesystemdb:///b']
    expect(
      parse(withSection('artdaq_db', `database_uri: [${uris.join(', ')}]`)).artdaqDb.databaseUris,
    ).toEqual(uris)
  })
  it('keeps its digits where it is a text', () => {
    expect(parse(`${LEAST}ledger: {schema: 000123}\n`).ledger.schema).toBe('000123')
  })
  it('that is a relative path begins at the folder of the configuration', () => {
    expect(parse(withSection('app', 'work_dir: state')).app.workDir).toBe('/etc/archiver/state')
  })
})

describe('what belongs together', () => {
  it('is asked of a web service', () => {
    const problems = problemsOf(withSection('ucon_db', 'server_url: https://h/x'))
    expect(problems.map((line) => line.split(' ')[1])).toEqual([
      'ucon_db.folder_name:',
      'ucon_db.object_name:',
      'ucon_db.writer_user:',
      'ucon_db.writer_password:',
    ])
  })
  it.each([
    ['file:///a%2Fb', 'can be read as a path'],
    ['file:///a%zz', 'can be read as a path'],
    ['file:///a%00b', 'can be read as a path'],
    ['file:///a#b', 'must have no ? and no #'],
    ['file:///a?b', 'must have no ? and no #'],
    ['https://h/x?y=1', 'must have no ? and no #'],
    ['https://h/x#y', 'must have no ? and no #'],
    ['https://u:p@h/x', 'must have no user and password'],
    ['https://u@h/x', 'must have no user and password'],
  ])('refuses an archive that would be elsewhere than %s says, with the line', (url, reason) => {
    const [problem] = problemsOf(withSection('ucon_db', `server_url: "${url}"`))
    expect(problem).toMatch(/^config\.yaml:6:5 ucon_db\.server_url: /)
    expect(problem).toContain(reason)
  })
  it('takes a scheme in any case of letters, and escapes in a path', () => {
    expect(parse(withSection('ucon_db', 'server_url: FILE:///a%20b%23')).uconDb).toMatchObject({
      serverUrl: 'file:///a%20b%23',
      folderName: 'run_records',
      objectName: 'configuration',
    })
    expect(parse(withSection('artdaq_db', 'database_uri: FileSystemDB:///A')).artdaqDb.databaseUris).toEqual([
      'filesystemdb:///A',
    ])
    const mongo = 'mongodb://u:p@h1,h2/x?replicaSet=y'
    expect(
      parse(withSection('artdaq_db', `database_uri: ${mongo}`, 'use_tools: true')).artdaqDb.databaseUris,
    ).toEqual([mongo])
  })
  it.each([
    ['folder_name: my folder', 'ucon_db.folder_name: cannot be a name in an archive'],
    ['object_name: a/b', 'ucon_db.object_name: cannot be a name in an archive'],
    ['ca_file: /nowhere/ca.pem', 'ucon_db.ca_file: /nowhere/ca.pem cannot be read'],
    ['writer_user: "a,b"', "ucon_db.writer_user: must be a name that UconDB's sign-in can carry"],
    ['writer_user: 日本', "ucon_db.writer_user: must be a name that UconDB's sign-in can carry"],
    ["writer_user: 'a\"b'", "ucon_db.writer_user: must be a name that UconDB's sign-in can carry"],
  ])('tells before anything is sent what no server would take: %s', (line, problem) => {
    const settings: Record<string, string> = {
      folder_name: 'f',
      object_name: 'o',
      writer_user: 'u',
      writer_password: 'p',
    }
    const [name = '', value = ''] = line.split(/: (.*)/s)
    const lines = Object.entries({ ...settings, [name]: value }).map((entry) => entry.join(': '))
    const problems = problemsOf(withSection('ucon_db', 'server_url: https://h/x', ...lines))
    expect(problems).toEqual([expect.stringMatching(/^config\.yaml:\d+:5 /)])
    expect(problems[0]).toContain(problem)
  })
  it('keeps mongodb for the tools', () => {
    expect(problemsOf(withSection('artdaq_db', 'database_uri: mongodb://h/d'))[0]).toContain(
      'use_tools: true',
    )
  })
  it.each(['sqlite://ledger.db', 'sqlite:////x', 'postgres://h:99999/x', 'mysql://[h/x'])(
    'names the line of a database that is none: %s',
    (url) => {
      expect(problemsOf(withSection('ledger', `url: "${url}"`))[0]).toMatch(
        /:\d+:\d+ ledger\.url: must be sqlite:FILE/,
      )
    },
  )
  it('keeps the state files apart', () => {
    expect(
      problemsOf(withSection('app', 'import_state_file: /s/a', 'migrate_state_file: /s/b/../a'))[0],
    ).toContain('is the same file as import_state_file')
    expect(problemsOf(withSection('app', 'migrate_failure_log: /s/a', 'log_file: /s/a'))[0]).toContain(
      'app.log_file: is the same file as migrate_failure_log',
    )
  })
  it('refuses to trust any server', () => {
    const text = withSection(
      'ucon_db',
      'server_url: https://h/x',
      'folder_name: f',
      'object_name: o',
      'writer_user: u',
      'writer_password: p',
    )
    expect(problemsOf(text, { NODE_TLS_REJECT_UNAUTHORIZED: '0' })[0]).toContain(
      'NODE_TLS_REJECT_UNAUTHORIZED',
    )
  })
  it.each([
    ['https://hooks.example.org/x', true],
    ['http://127.0.0.1:8080/x', true],
    ['http://[::1]/x', true],
    ['http://hooks.example.org/x', false],
    ['http://127.0.0.1.evil.example/x', false],
    ['hooks.example.org', false],
  ])('lets a secret address go over TLS only: %s', (url, isTaken) => {
    const text = `${LEAST}reporting: {webhook: {enabled: true, url: "${url}"}}\n`
    if (isTaken) expect(parse(text).reporting.webhook.url?.reveal()).toBe(url)
    else expect(problemsOf(text)[0]).toContain('reporting.webhook.url: must be an https:// URL')
  })
  it('wants a webhook, or a token and a channel, for Slack', () => {
    expect(problemsOf(`${LEAST}reporting: {slack: {enabled: true}}\n`)[0]).toContain('webhook_url')
    expect(problemsOf(`${LEAST}reporting: {slack: {enabled: true, bot_token: x}}\n`)[0]).toContain(
      'reporting.slack.channel',
    )
  })
})

describe('an empty item of a list', () => {
  it('counts as left out: it is not the folder of the configuration', () => {
    const { serve, rows } = parse(
      `${LEAST}serve: {log_roots: ["", "\${MORE:-}", /var/log]}\nrows: {files: [""]}\n`,
    )
    expect([serve.logRoots, rows.files]).toEqual([['/var/log'], []])
  })
  it.each(['[]', '[""]', '"\${DATABASE:-}"'])('leaves what must be set without a value: %s', (uris) => {
    expect(problemsOf(LEAST.replace('filesystemdb:///daq/db', uris))).toEqual([
      'config.yaml:4:5 artdaq_db.database_uri: must be set',
    ])
  })
  it('leaves its default to a list of nothing else, and a list without items is one', () => {
    for (const text of ['[""]', '["${DOCS:-}"]', '{files: [""]}'])
      expect(parse(`${LEAST}fhiclize_generate: ${text}\n`).fhiclizeGenerate, text).toHaveLength(9)
    expect(parse(`${LEAST}fhiclize_generate: []\n`).fhiclizeGenerate).toEqual([])
    expect(parse(`${LEAST}tracking: {env_allow: [""]}\n`).tracking.envAllow).toContain('PYTHONPATH')
    expect(parse(`${LEAST}tracking: {env_allow: []}\n`).tracking.envAllow).toEqual([])
  })
  it('is no recipient', () => {
    const mail = 'enabled: true, smtp_host: h, sender_email: a@example.org, recipient_email: [""]'
    expect(problemsOf(`${LEAST}reporting: {email: {${mail}}}\n`)).toHaveLength(1)
  })
})

describe('a list of words that is one text', () => {
  it('has an item between commas, in each setting whose items hold none', () => {
    const { reporting, tracking, rows } = parse(
      `${LEAST}reporting:
    email: { recipient_email: 'a@example.org, "Doe, Jane" <b@example.org>,' }
    slack: { mention_users: "U1,U2" }
    rules: { on: "finished:DAILY_*, partial", off: "kills, reboot" }
tracking: { env_allow: "PATH, LANG" }
rows: { columns: "id, part", throttle: { windows: "22:00-06:00, 12:00-13:00" } }
`,
    )
    expect(reporting.email.recipientEmails).toEqual(['a@example.org', '"Doe, Jane" <b@example.org>'])
    expect(reporting.slack.mentionUsers).toEqual(['U1', 'U2'])
    expect(reporting.rules.on).toEqual(['finished:DAILY_*', 'partial'])
    expect(reporting.rules.off).toEqual(['kills', 'reboot'])
    expect(tracking.envAllow).toEqual(['PATH', 'LANG'])
    expect(rows.columns).toEqual(['id', 'part'])
    expect(rows.throttle.windows).toEqual(['22:00-06:00', '12:00-13:00'])
  })
  it('is whole where it is an item of a list, or may hold a comma', () => {
    const { rows } = parse(`${LEAST}rows: { columns: ["id, part"], files: "/a,b/*.csv" }
`)
    expect([rows.columns, rows.files]).toEqual([['id, part'], ['/a,b/*.csv']])
  })
  it('is refused with the item that is wrong', () => {
    expect(problemsOf(`${LEAST}reporting: { rules: { off: "kills, rebot" } }\n`)).toHaveLength(1)
  })
})

describe('a value that nothing could work with', () => {
  it.each([
    ['rows: {throttle: {max_load: {Threads_running: many}}}', 'rows.throttle.max_load: the limit of'],
    ['rows: {throttle: {windows: ["25:00-x"]}}', 'rows.throttle.windows: must be windows'],
    ['rows: {throttle: {windows: ["22:00-24:30"]}}', 'rows.throttle.windows: must be windows'],
    [
      'rows: {throttle: {windows: ["22:00-22:00"]}}',
      'windows: must be windows such as 22:00-06:00; 22:00-22:00',
    ],
    [
      'rows: {throttle: {max_load: Threads_running=50}}',
      'rows.throttle.max_load: must be a map of whole numbers',
    ],
    ['records: {tasks: [orders.yaml]}', 'records.tasks: must be a map of texts'],
    ['reporting: {rules: {threshold: {disk: 5, gap: many}}}', 'threshold: gap: must be a number, 0 or more'],
    ['reporting: {rules: {severity: {"disk:/x": bad}}}', 'disk:/x: must be one of info, warning, critical'],
    [
      'reporting: {rules: {channels: {disk: "email, pager"}}}',
      'disk: must be one of email, slack, webhook, ntfy, command',
    ],
    ['serve: {base_path: archiver}', 'serve.base_path: must be a path such as /archiver, not "archiver"'],
    [
      'app: {work_dir: ~/work}',
      'app.work_dir: must not begin with ~, which only a shell replaces; write ${HOME}',
    ],
    [
      'app: {log_file: $HOME/a.log}',
      'app.log_file: must not hold $HOME, which only a shell replaces; write ${HOME}',
    ],
    ['reporting: {rules: {off: [partail]}}', 'did you mean partial?'],
    ['reporting: {rules: {off: ["late:"]}}', 'reporting.rules.off: late: has nothing behind its colon'],
    ['reporting: {rules: {threshold: {disk: 500}}}', 'disk: must be 100 or less, else it fires always'],
    ['reporting: {rules: {threshold: {"kills:A": 0}}}', 'kills:A: must be 1 or more, else it fires always'],
    [
      'ledger:\n  url:off',
      'ledger: must be a section with keys of its own; behind each key stand a colon and a space',
    ],
    ['serve: {public_url: daq.example.org}', 'serve.public_url: must be a URL that begins with https://'],
    ['queue: {lease_seconds: 60d}', 'queue.lease_seconds: must be a duration'],
  ])('is refused when the configuration is read: %s', (text, problem) => {
    const [line] = problemsOf(`${LEAST}${text}\n`)
    expect(line).toContain(problem)
  })
  it('is none where scrub is off in one word', () => {
    for (const text of ['scrub: off', 'scrub: {share: OFF}', 'scrub: 0'])
      expect(parse(`${LEAST}${text}\n`).scrub.share).toBe(0)
    expect(parse(`${LEAST}scrub: 10%\n`).scrub.share).toBe(0.1)
  })
})
