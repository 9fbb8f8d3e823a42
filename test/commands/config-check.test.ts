import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configCheckWith } from '../../src/commands/config-check.ts'
import type { Probe } from '../../src/commands/probe.ts'
import { readConfig } from '../../src/config/load-config.ts'
import { settingsOf } from '../../src/config/schema.ts'
import { KEYS } from '../../src/config/settings.ts'
import { probesOf } from '../../src/commands/site-probes.ts'
import { contextOf } from '../context.ts'
import { CANARY, withSection } from '../config/given.ts'

let folder: string
let path: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-check-'))
  path = join(folder, 'config.yaml')
  writeFileSync(path, withSection('ucon_db', 'server_url: "${URL}"', `writer_password: ${CANARY}`), {
    mode: 0o600,
  })
})
afterAll(() => rmSync(folder, { recursive: true }))

const fine: Probe = {
  name: 'run records',
  setting: 'source_files.run_records_dir',
  probe: async () => Promise.resolve('3 runs'),
}
const refused: Probe = {
  name: 'UconDB',
  setting: 'ucon_db.server_url',
  probe: () => Promise.reject(new Error('connect ECONNREFUSED', { cause: new Error('no route') })),
}

/** Runs `config check` and gives back its exit code and its output. */
const check = async (options: { json?: boolean; connect?: boolean }, ...probes: Probe[]) => {
  let output = ''
  const context = contextOf({ out: (text) => (output += text), env: { URL: 'file:///daq/archive' } })
  const command = configCheckWith(() => Promise.resolve(probes))
  return { code: await command({ config: path, ...options }, context), output }
}

describe('config check', () => {
  it('shows every value and where it came from, secrets as [secret]', async () => {
    const { code, output } = await check({}, fine)
    expect(code).toBe(0)
    expect(output).toMatch(/^app\.batch_size +5 +default$/m)
    expect(output).toMatch(new RegExp(`^ucon_db\\.server_url +file:///daq/archive +${path}:6$`, 'm'))
    expect(output).toMatch(/^ucon_db\.writer_password +\[secret\]/m)
    expect(output).not.toContain(CANARY)
    expect(output).toContain('✓ run records: 3 runs')
    expect(output.trimEnd().split('\n').at(-1)).toBe(`${path} is valid`)
  })
  it('ends in 1 and names the line where something cannot be reached', async () => {
    const { code, output } = await check({}, fine, refused)
    expect(code).toBe(1)
    expect(output).toContain(`✗ UconDB: ${path}:6:5 ucon_db.server_url: connect ECONNREFUSED: no route`)
  })
  it('gives one JSON document when asked', async () => {
    const { output } = await check({ json: true }, refused)
    const report = JSON.parse(output) as {
      settings: { setting: string; value: string | null; source: string }[]
      findings: unknown[]
    }
    expect(report.settings).toContainEqual({ setting: 'app.log_file', value: null, source: '' })
    expect(report.settings).toContainEqual({
      setting: 'ucon_db.writer_password',
      value: '[secret]',
      source: `${path}:7`,
    })
    expect(report.findings).toHaveLength(1)
  })
  it('does not connect with --no-connect', async () => {
    const { code, output } = await check({ connect: false }, refused)
    expect(code).toBe(0)
    expect(output).not.toContain('UconDB')
  })
  it('fails as every command does where the configuration is faulty', async () => {
    writeFileSync(path, 'app: {nonsense: 1}\n')
    await expect(check({})).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
  it('names all that is wrong at once: what is unknown, and what is lacking', async () => {
    writeFileSync(path, 'app: {batch_sice: 1}\nsource_files: {run_records_dir: /srv/records}\n')
    await expect(check({})).rejects.toThrow(
      /artdaq_db.database_uri: must be set[^]*ucon_db.server_url: must be set[^]*batch_sice: there is no such setting/,
    )
  })
  it('asks for nothing that a file for rows alone need not have', async () => {
    writeFileSync(path, 'app: {batch_sice: 1}\nrows: {table: t}\n')
    const error = await check({}).catch((thrown: unknown) => String(thrown))
    expect(error).toContain('batch_sice')
    expect(error).not.toContain('must be set')
  })
})

/** What `ALL` below names, and is not there. */
const AWAY = [
  'e-mail',
  'Slack',
  'webhook',
  'ntfy',
  'ping',
  'Carbon',
  'OpenLineage',
  'OpenLineage file',
  'textfile folder',
  'tracking',
  'queue',
  'rows: source',
  'rows: archive',
  'rows: log',
  'rows: replica 1',
  'records frb: mapping',
  'records frb: target',
  'records frb: source',
  'records: source',
]

describe('what config check looks at', () => {
  const namesFor = async (text: string): Promise<readonly string[]> => {
    writeFileSync(path, text, { mode: 0o600 })
    const probes = await probesOf(path, readConfig(path, {}, []), contextOf())
    return probes.map(({ name }) => name)
  }
  const ALL = `reporting:
  email: {enabled: true, smtp_host: 127.0.0.1, smtp_port: 1, sender_email: a@b, recipient_email: c@d}
  slack: {enabled: true, webhook_url: "http://127.0.0.1:1/x"}
  webhook: {enabled: true, url: "http://127.0.0.1:1/y"}
  ntfy: {enabled: true, url: "http://127.0.0.1:1/z"}
  ping: {enabled: true, url: "http://127.0.0.1:1/p"}
carbon: {enabled: true, host: 127.0.0.1, port: 1}
metrics: {textfile: ${tmpdir()}/no/such/folder/a.prom}
source_files: {run_records_dir: /srv/records}
artdaq_db: {database_uri: "filesystemdb:///srv/db"}
ucon_db: {server_url: "file:///srv/archive"}
queue: {url: "postgres://a@127.0.0.1:1/d"}
rows:
  source: "mysql://a@127.0.0.1:1/d"
  table: t
  archive: {url: "mysql://a@127.0.0.1:1/d", table: t}
  log: "postgres://a@127.0.0.1:1/d"
  throttle: {replicas: ["mysql://a@127.0.0.1:1/d"]}
records:
  tasks: {frb: no-such-mapping.yaml}
  target_url: "postgres://a@127.0.0.1:1/d"
  source_url: "mysql://a@127.0.0.1:1/d"
  source_files: no/such/folder
tracking: {url: "http://127.0.0.1:1", openlineage_url: "http://127.0.0.1:1/o", openlineage_file: ${tmpdir()}/no/such/folder/o.jsonl}
`
  it('is everything that is configured', async () => {
    expect(await namesFor(`app: {work_dir: ${folder}}\n${ALL}`)).toEqual(
      expect.arrayContaining(['work_dir', 'ledger', ...AWAY]),
    )
  })
  it('is every setting that holds an address', async () => {
    writeFileSync(path, `app: {work_dir: ${folder}}\n${ALL}`, { mode: 0o600 })
    const probes = await probesOf(path, readConfig(path, {}, []), contextOf())
    const looked = new Set(probes.map(({ setting }) => setting))
    const addresses = [...settingsOf(KEYS)].filter(([, { kind }]) => /URL|database|URI/i.test(kind.type))
    expect(addresses.map(([name]) => name).filter((name) => !looked.has(name))).toEqual([])
  })
  it('is each folder of state and failure logs: none is made but work_dir, for its disk may not be mounted', async () => {
    const site = (more: string): string =>
      `app: {work_dir: ${folder}/work${more}}
source_files: {run_records_dir: ${folder}}
artdaq_db: {database_uri: "filesystemdb://${folder}/db"}
ucon_db: {server_url: "file://${folder}/archive"}
`
    const looked = async (more: string): Promise<string> => {
      writeFileSync(path, site(more), { mode: 0o600 })
      const probes = await probesOf(path, readConfig(path, {}, []), contextOf())
      return probes.find(({ name }) => name === 'state files')!.probe(AbortSignal.timeout(1000))
    }
    expect(await looked('')).toBe(`${folder}/work will be made`)
    for (const key of [
      'import_state_file',
      'import_failure_log',
      'migrate_state_file',
      'migrate_failure_log',
    ])
      await expect(looked(`, ${key}: ${folder}/other/x`), key).rejects.toThrow(
        `there is no folder ${folder}/other; it is not made`,
      )
    mkdirSync(join(folder, 'other'))
    expect(await looked(`, migrate_failure_log: ${folder}/other/x`)).toBe(
      `${folder}/work will be made; ${folder}/other can be written`,
    )
  })
  it('is whether serve would start, and whom it lets in', async () => {
    const looked = async (serve: string): Promise<string | undefined> => {
      writeFileSync(path, `app: {work_dir: ${folder}}\nserve: {${serve}}\n`, { mode: 0o600 })
      const probes = await probesOf(path, readConfig(path, {}, []), contextOf())
      return probes.find(({ name }) => name === 'page')?.probe(AbortSignal.timeout(1000))
    }
    const token = join(folder, 'token')
    writeFileSync(token, 'a-token-of-the-test-0123456789\n', { mode: 0o600 })
    expect(await looked('port: 8091')).toBeUndefined()
    expect(await looked(`host: 0.0.0.0, token_file: ${token}`)).toBe('for others too, with a token')
    expect(await looked(`token_file: ${token}`)).toBe('for this host, with a token')
    await expect(looked('host: 0.0.0.0')).rejects.toThrow('which others can reach, and has no token')
    await expect(looked(`token_file: ${folder}/none`)).rejects.toThrow(/none cannot be read: ENOENT/)
  })
  it('fails with the setting where nothing answers', async () => {
    writeFileSync(path, `${ALL}app: {work_dir: ${folder}}\n`, { mode: 0o600 })
    const probes = await probesOf(path, readConfig(path, {}, []), contextOf())
    const signal = AbortSignal.timeout(10_000)
    for (const { name, probe } of probes.filter((one) => AWAY.includes(one.name)))
      await expect(probe(signal), name).rejects.toThrow()
  })
})
