import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFile } from '../../src/sql/libsql-database.ts'

// A site as release 1.0.0 left it after a pass (test/upgrade/README.md): five runs archived, one failed, one that comes late.
const SITE = resolve('test/upgrade/site-1.0.0.tar.gz')
const roots: string[] = []

const site = () => {
  const root = mkdtempSync(join(tmpdir(), 'archiver-upgrade-'))
  roots.push(root)
  execFileSync('tar', ['xzf', SITE, '-C', root])
  const path = (...names: string[]): string => join(root, ...names)
  const archiver = (...args: string[]) =>
    spawnSync(process.execPath, [resolve('dist/main.js'), ...args], { encoding: 'utf8', cwd: root })
  return { root, path, archiver, text: (...names: string[]) => readFileSync(path(...names), 'utf8') }
}

/** The digest of every file below a folder, by its name; indexes grow, so they are left out. */
const digests = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'index.json')
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, createHash('sha256').update(readFileSync(path)).digest('hex')]),
  )

afterAll(() => {
  for (const root of roots) {
    execFileSync('chmod', ['-R', 'u+w', root])
    rmSync(root, { recursive: true })
  }
})

describe('a site of release 1.0.0, after the upgrade', () => {
  const { path, archiver, text } = site()
  const before = { ...digests(path('artdaqdb')), ...digests(path('archive')) }
  let pass: ReturnType<typeof archiver>

  beforeAll(() => {
    cpSync(path('late', '1007'), path('run_records', '1007'), { recursive: true, preserveTimestamps: true })
    pass = archiver('config.yaml', '--incremental')
  })

  it('archives what is new, and nothing twice', () => {
    expect(pass.stdout).toContain('Import:  1 archived, 0 failed')
    expect(pass.stdout).toContain('Migrate: 1 archived, 0 failed')
    expect(pass.status, pass.stderr).toBe(0)
  })
  it('keeps its two numbers and its failure log', () => {
    expect(text('work', 'importer_state.json')).toContain('"last_attempted_run": 1010')
    expect(text('work', 'import_failures.log')).toBe('1010\n')
  })
  it('has changed no document and no blob that was there', () => {
    expect({ ...digests(path('artdaqdb')), ...digests(path('archive')) }).toMatchObject(before)
  })
  it('still has its executions in the ledger, beside the new one', () => {
    const { executions } = JSON.parse(archiver('history', '--json', '--config', 'config.yaml').stdout) as {
      executions: { version: string; host: string; total: number; status: string }[]
    }
    expect(executions.at(-1)).toMatchObject({ version: '1.0.0', host: 'daq01', total: 11, status: 'PARTIAL' })
    expect(executions).toHaveLength(2)
  })
  it('proves every run, the old ones too', () => {
    expect(archiver('verify', '--config', 'config.yaml').stdout).not.toMatch(/damaged|differs/)
    expect(archiver('audit', '--deep', '--config', 'config.yaml').stdout).toContain('archived')
  })
  it('gives an old run back byte for byte', () => {
    const extract = archiver('extract', '1005', '--from', 'artdaq', '--to', 'back', '--config', 'config.yaml')
    expect(extract.status, extract.stderr).toBe(0)
    expect(
      execFileSync('diff', ['-r', path('run_records', '1005'), path('back')], { encoding: 'utf8' }),
    ).toBe('')
  })
  it('archives the failed run once its cause is gone', () => {
    execFileSync('chmod', ['-R', 'u+w', path('run_records', '01010')])
    rmSync(path('run_records', '01010'), { recursive: true })
    expect(archiver('config.yaml', '--retry-failed-import').stdout).toContain('1 archived, 0 failed')
    expect(archiver('config.yaml', '--incremental').stdout).toContain('Migrate: 1 archived')
    expect(archiver('config.yaml', '--report-status', '--check').status).toBe(0)
  })
})

describe('a downgrade', () => {
  it('is refused with a sentence where a newer release wrote the state', () => {
    const { path, archiver, text } = site()
    const state = '{\n  "last_contiguous_run": 1,\n  "last_attempted_run": 1,\n  "version": 2\n}\n'
    writeFileSync(path('work', 'importer_state.json'), state)
    const { status, stdout } = archiver('config.yaml', '--import-only')
    expect(stdout).toContain('version 2, this program knows version 1')
    expect(stdout).toContain('run the program that wrote it')
    expect(status).toBe(1)
    expect(text('work', 'importer_state.json')).toBe(state)
  })
  it('of the ledger is said, changes nothing in it, and stops no run', () => {
    const { path, archiver } = site()
    archiver('config.yaml', '--incremental')
    const ledger = openFile(path('work', 'ledger.db'), 5000)
    ledger.exec("INSERT INTO schema_version VALUES (99, 'of the future', '2030-01-01', '9.0.0')")
    ledger.close()
    cpSync(path('late', '1007'), path('run_records', '1007'), { recursive: true, preserveTimestamps: true })
    const { stdout, stderr } = archiver('config.yaml', '--incremental')
    expect(stdout).toContain('Import:  1 archived')
    expect(stdout + stderr).toMatch(/ledger.*newer|newer.*ledger|version 99/i)
  })
})
