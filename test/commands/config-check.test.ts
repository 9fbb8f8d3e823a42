import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configCheckWith } from '../../src/commands/config-check.ts'
import type { Probe } from '../../src/commands/config-check.ts'
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
})
