import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** Prints what the program would be given. */
const PROGRAM =
  'console.log(JSON.stringify({ argv: process.argv.slice(2), site: process.env.SITE, other: process.env.OTHER }))'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'run archiver '))
  mkdirSync(join(root, 'app', 'dist'), { recursive: true })
  mkdirSync(join(root, 'app', 'scripts'))
  cpSync('scripts/run_archiver.sh', join(root, 'app', 'scripts', 'run_archiver.sh'))
  writeFileSync(join(root, 'app', 'dist', 'main.js'), PROGRAM)
  mkdirSync(join(root, 'site'))
  writeFileSync(join(root, 'site', 'config.yaml'), '')
  writeFileSync(join(root, 'site', 'archiver.env'), 'SITE="near detector"\nOTHER=${SITE}-x\n')
  symlinkSync('../app/scripts/run_archiver.sh', join(root, 'site', 'run_archiver.sh'))
  symlinkSync(join(root, 'site', 'run_archiver.sh'), join(root, 'link'))
})
afterAll(() => rmSync(root, { recursive: true }))

interface Given {
  argv: string[]
  site?: string
  other?: string
}
const run = (script: string, cwd: string, ...argv: string[]): Given =>
  JSON.parse(execFileSync(script, argv, { cwd, encoding: 'utf8' })) as Given

describe('run_archiver.sh', () => {
  it('hands every word on, and the variables of archiver.env beside the configuration', () => {
    expect(run('./run_archiver.sh', join(root, 'site'), 'config.yaml', '--runs', '1-3, 5')).toEqual({
      argv: ['config.yaml', '--runs', '1-3, 5'],
      site: 'near detector',
      other: 'near detector-x',
    })
  })
  it('works from elsewhere, through links, and with the default configuration', () => {
    expect(run(join(root, 'link'), '/', '--incremental', join(root, 'site', 'config.yaml')).site).toBe(
      'near detector',
    )
    expect(run(join(root, 'link'), join(root, 'site')).site).toBe('near detector')
    expect(run(join(root, 'link'), '/', 'audit', '--config', join(root, 'site', 'config.yaml')).site).toBe(
      'near detector',
    )
    expect(run(join(root, 'link'), '/', 'audit', `--config=${join(root, 'site', 'config.yaml')}`).site).toBe(
      'near detector',
    )
  })
  it('does without archiver.env', () => {
    expect(run(join(root, 'link'), '/', 'config.yaml').site).toBeUndefined()
  })
  it('does not run an archiver.env that anyone may have written', () => {
    chmodSync(join(root, 'site', 'archiver.env'), 0o646)
    const { status, stderr } = spawnSync('./run_archiver.sh', ['config.yaml'], {
      cwd: join(root, 'site'),
      encoding: 'utf8',
    })
    chmodSync(join(root, 'site', 'archiver.env'), 0o640)
    expect(status).toBe(78)
    expect(stderr).toContain('may be written by anyone')
  })
  it.skipIf(process.getuid?.() !== 0)('does not run an archiver.env of another user', () => {
    const environment = join(root, 'site', 'archiver.env')
    chownSync(environment, 65534, 65534)
    const { status, stderr } = spawnSync('./run_archiver.sh', ['config.yaml'], {
      cwd: join(root, 'site'),
      encoding: 'utf8',
    })
    chownSync(environment, 0, 0)
    expect(status).toBe(78)
    expect(stderr).toContain('archiver.env belongs to another user: chown it to root or to root')
  })
  it('says what is missing', () => {
    const { status, stderr } = spawnSync('./run_archiver.sh', [], {
      cwd: join(root, 'site'),
      encoding: 'utf8',
      env: { ...process.env, NODE: '/nowhere/node' },
    })
    expect(status).toBe(78)
    expect(stderr).toContain('node is not in PATH')
  })
})

const scripts = ['scripts', 'test/systemd', 'docs/completions'].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => /\.(?:ba)?sh$/.test(name))
    .map((name) => join(folder, name)),
)
const remarksOn = (script: string): unknown =>
  JSON.parse(execFileSync(process.execPath, ['test/scripts/shellcheck.mjs', script], { encoding: 'utf8' }))

describe('the shell scripts', () => {
  it.each(scripts)('%s is free of what ShellCheck warns of', (script) => {
    expect(remarksOn(script)).toEqual([])
  })
  it('would not be, with a variable that is not quoted (control)', () => {
    const faulty = join(mkdtempSync(join(tmpdir(), 'faulty-')), 'faulty.sh')
    writeFileSync(faulty, '#!/bin/sh\necho $1\n')
    expect(remarksOn(faulty)).toMatchObject([{ code: 2086, line: 2 }])
    rmSync(dirname(faulty), { recursive: true })
  })
})
