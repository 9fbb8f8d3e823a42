// Lets V8 compile what common commands use of the built program, and keeps that beside it: `node scripts/compile-program.mjs [DIST]`. Another version
// of Node needs its own, or does without.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const dist = resolve(process.argv[2] ?? 'dist')
const { compile, run, sealed } = createRequire(import.meta.url)(join(dist, 'load-program.cjs'))
const script = compile()
const { cli } = run(script)
const { runCli } = await cli()

const site = mkdtempSync(join(tmpdir(), 'run-archiver-compile-'))
const config = join(site, 'config.yaml')
const written = []
const command = (...argv) =>
  runCli(argv, {
    out: (text) => written.push(text),
    err: (text) => written.push(text),
    env: {},
    signal: new AbortController().signal,
    onHangup: () => undefined,
    die: () => process.exit(1),
    terminal: { interactive: false, columns: 80, color: false },
    argv,
    version: '0',
  })

const record = (run) => {
  const folder = join(site, 'records', String(run))
  mkdirSync(folder, { recursive: true })
  const files = {
    'metadata.txt':
      'Config name: demo\nComponent #0: tpc01\n\nDAQInterface start time: Fri Oct  3 12:00:41 UTC 2025\n\nDAQInterface stop time: Fri Oct  3 15:42:07 UTC 2025\n',
    'tpc01.fcl':
      '# which\ndaq: {\n  run: 1 rate: 1.5e3 name: "a b" on: true more: [1, 2, @nil]\n  sub: { hex: 0x1f }\n}\n',
    'boot.txt': 'debug level: 1\n',
    'known_boardreaders_list_ranks.txt': 'tpc01 localhost 0 1 0-1 0\n',
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
}

try {
  writeFileSync(
    config,
    [
      `app: { work_dir: ${site}/work, log_file: ${site}/log }`,
      `source_files: { run_records_dir: ${site}/records, settle_seconds: 0 }`,
      `artdaq_db: { database_uri: "filesystemdb://${site}/db" }`,
      `ucon_db: { server_url: "file://${site}/archive" }`,
      '',
    ].join('\n'),
  )
  for (const run of [1, 2]) record(run)
  const commands = [
    [config],
    [config, '--incremental'],
    [config, '--report-status', '--compare-state', '--check'],
    ['verify', '--config', config],
    ['audit', '--deep', '--config', config],
    ['artdaq', 'check', '--config', config],
    ['config', 'check', '--config', config],
    ['extract', '1', '--to', join(site, 'extracted'), '--config', config],
    ['history', '--config', config],
    ['--help'],
  ]
  for (const words of commands) {
    const code = await command(...words)
    if (code !== 0) throw new Error(`${words.join(' ')}: exit ${code}\n${written.join('')}`)
  }
  const [name] = readdirSync(dist).filter((file) => /^program-.*\.cjs$/.test(file))
  const file = join(dist, name.replace(/cjs$/, 'compiled'))
  writeFileSync(`${file}.new`, sealed(script.createCachedData()))
  renameSync(`${file}.new`, file)
} finally {
  rmSync(site, { recursive: true, force: true })
}
process.exit()
