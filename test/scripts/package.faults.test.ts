import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const has = (...names: string[]): boolean =>
  names.every((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0)
const mayChroot = process.getuid?.() === 0 && has('debootstrap', 'dpkg-deb', 'chroot')
const hasRpm = process.getuid?.() === 0 && has('rpm', 'rpmbuild')
if (!mayChroot) console.warn('SKIPPED: the .deb needs root, debootstrap and dpkg-deb to be tried')
if (!hasRpm) console.warn('SKIPPED: the .rpm needs root, rpm and rpmbuild to be tried')

let folder: string
let root: string
let deb: string

const run = (command: string, ...words: string[]): string => {
  const { status, stdout, stderr } = spawnSync(command, words, { encoding: 'utf8', env: ENVIRONMENT })
  if (status !== 0) throw new Error(`${command} ${words.join(' ')} ended with ${status}: ${stderr}${stdout}`)
  return stdout
}
const ENVIRONMENT = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  DEBIAN_FRONTEND: 'noninteractive',
}
const inside = (...words: string[]): string => run('chroot', root, ...words)

/** The distribution's server, as this machine uses it. */
const mirror = (): string => {
  const files = [
    '/etc/apt/sources.list',
    ...readdirSync('/etc/apt/sources.list.d').map((name) => `/etc/apt/sources.list.d/${name}`),
  ]
  const text = files
    .filter(existsSync)
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n')
  const found = /^(?:URIs:|deb(?: \[[^\]]*\])?) *(https?:\/\/\S+\/debian)\b/m.exec(text)
  return found?.[1] ?? ''
}

/** Debian 12 offers Node 18, which is too old: a package around the Node that runs this test stands in for a newer one. */
const nodePackage = (): string => {
  const stage = join(folder, 'node')
  mkdirSync(join(stage, 'DEBIAN'), { recursive: true })
  mkdirSync(join(stage, 'usr/bin'), { recursive: true })
  copyFileSync(realpathSync(process.execPath), join(stage, 'usr/bin/node'))
  const arch = run('dpkg', '--print-architecture').trim()
  writeFileSync(
    join(stage, 'DEBIAN/control'),
    `Package: nodejs\nVersion: ${process.versions.node}\nArchitecture: ${arch}\nMaintainer: test <test@localhost>\nDescription: node\n`,
  )
  run('dpkg-deb', '-Znone', '--root-owner-group', '--build', stage, join(folder, 'nodejs.deb'))
  return join(folder, 'nodejs.deb')
}

/** The same package as its next version. */
const nextVersion = (): string => {
  const stage = join(folder, 'next')
  run('dpkg-deb', '-R', deb, stage)
  const control = join(stage, 'DEBIAN/control')
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, 'Version: 99.0.0'))
  appendFileSync(join(stage, 'etc/run-record-archiver/config.yaml'), '\n# a line of the next version\n')
  run('dpkg-deb', '-Znone', '--root-owner-group', '--build', stage, join(folder, 'next.deb'))
  return join(folder, 'next.deb')
}

const install = (path: string): string => {
  const name = path.split('/').at(-1) ?? ''
  cpSync(path, join(root, 'tmp', name))
  return inside('dpkg', '--force-confold', '-i', `/tmp/${name}`)
}

beforeAll(() => {
  if (!mayChroot && !hasRpm) return
  folder = mkdtempSync(join(tmpdir(), 'package-'))
  root = join(folder, 'root')
  run('bash', resolve('scripts/package/package.sh'))
  const made = readdirSync('packages')
  deb = resolve('packages', made.find((name) => name.endsWith('.deb')) ?? '')
  if (!mayChroot) return
  run('debootstrap', '--variant=minbase', '--include=adduser', 'bookworm', root, mirror())
  run('mount', '-t', 'proc', 'proc', join(root, 'proc'))
}, 900_000)
afterAll(() => {
  if (mayChroot) spawnSync('umount', [join(root, 'proc')])
  if (folder) rmSync(folder, { recursive: true, force: true })
})

describe.runIf(mayChroot)('the Debian package', { timeout: 300_000 }, () => {
  const config = '/etc/run-record-archiver/config.yaml'

  it('needs a Node that can run it', () => {
    expect(() => install(deb)).toThrow(/depends on nodejs/)
    install(nodePackage())
    install(deb)
  })
  it('brings the program, its user, its folders, units, man page and completions', () => {
    expect(inside('run-archiver', '--version')).toMatch(/^\d+\.\d+\.\d+/)
    expect(inside('getent', 'passwd', 'archiver')).toContain('/var/lib/run_record_archiver')
    expect(inside('stat', '-c', '%U %a', '/var/lib/run_record_archiver').trim()).toBe('archiver 750')
    for (const path of [
      'usr/lib/systemd/system/run-record-archiver.service',
      'usr/share/man/man1/run-archiver.1.gz',
      'usr/share/bash-completion/completions/run-archiver',
      'usr/share/fish/vendor_completions.d/run-archiver.fish',
      'usr/share/zsh/vendor-completions/_run-archiver',
    ])
      expect(existsSync(join(root, path)), path).toBe(true)
  })
  it('archives the sample records, with its ledger', () => {
    inside('run-archiver', 'init', '/tmp/try')
    expect(inside('run-archiver', '/tmp/try/config.yaml')).toContain('Migrate: ')
    expect(inside('run-archiver', 'history', '--config', '/tmp/try/config.yaml')).toContain('COMPLETED')
  })
  it('keeps an edited configuration when it is upgraded', () => {
    appendFileSync(join(root, config), '\n# edited by the site\n')
    install(nextVersion())
    expect(readFileSync(join(root, config), 'utf8')).toContain('# edited by the site')
  })
  it('keeps configuration and state when it is removed, and state when it is purged', () => {
    writeFileSync(join(root, 'var/lib/run_record_archiver/importer_state.json'), '{}')
    inside('dpkg', '-r', 'run-record-archiver')
    expect(existsSync(join(root, config))).toBe(true)
    expect(existsSync(join(root, 'usr/bin/run-archiver'))).toBe(false)
    inside('dpkg', '-P', 'run-record-archiver')
    expect(existsSync(join(root, config))).toBe(false)
    expect(existsSync(join(root, 'var/lib/run_record_archiver/importer_state.json'))).toBe(true)
  })
})

describe('the list of what is in the packages', () => {
  it.runIf(mayChroot || hasRpm)(
    'names each library with its version and licence, and none that only developers need',
    () => {
      const name = readdirSync('packages').find((file) => file.endsWith('.cdx.json')) ?? ''
      const { bomFormat, components } = JSON.parse(readFileSync(join('packages', name), 'utf8')) as Bom
      expect(bomFormat).toBe('CycloneDX')
      const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
        dependencies: Record<string, string>
      }
      const listed = new Map(components.map((one) => [[one.group, one.name].filter(Boolean).join('/'), one]))
      for (const [library, version] of Object.entries(dependencies)) {
        expect(listed.get(library), library).toMatchObject({ version })
        expect(listed.get(library)?.licenses ?? [], library).not.toEqual([])
      }
      expect(listed.has('vitest')).toBe(false)
    },
  )
})

/** A list of components in CycloneDX's JSON, as far as it is looked at. */
interface Bom {
  readonly bomFormat: string
  readonly components: readonly {
    readonly group?: string
    readonly name: string
    readonly version: string
    readonly licenses?: readonly unknown[]
  }[]
}

describe('the package of npm', { timeout: 300_000 }, () => {
  it('installs for everybody without a compiler, with its man page and the library', () => {
    const home = mkdtempSync(join(tmpdir(), 'npm-package-'))
    try {
      // Only what npm and the program need: no compiler, no make, no python.
      const bin = join(home, 'bin')
      mkdirSync(bin)
      for (const tool of [
        'node',
        'npm',
        'sh',
        'env',
        'dirname',
        'uname',
        'sed',
        'ls',
        'tar',
        'gzip',
        'flock',
      ])
        symlinkSync(run('which', tool).trim(), join(bin, tool))
      // Where packages come from is this machine's business, and stays.
      const settings = Object.entries(process.env).filter(([name]) =>
        /^npm_config_|^https?_proxy$|^NODE_EXTRA_CA/i.test(name),
      )
      const userconfig = join(homedir(), '.npmrc')
      const env = {
        ...Object.fromEntries(settings),
        ...(existsSync(userconfig) ? { npm_config_userconfig: userconfig } : {}),
        npm_config_globalconfig: run('npm', 'config', 'get', 'globalconfig').trim(),
        PATH: bin,
        HOME: home,
        TMPDIR: home,
      }
      const packed = spawnSync('npm', ['pack', '--silent', '--pack-destination', home], { encoding: 'utf8' })
      const prefix = join(home, 'prefix')
      const archive = join(home, packed.stdout.trim().split('\n').at(-1) ?? '')
      const installed = spawnSync('npm', ['install', '--global', '--prefix', prefix, archive], {
        encoding: 'utf8',
        env,
        cwd: home,
        timeout: 240_000,
      })
      expect(installed.status, installed.stdout + installed.stderr).toBe(0)
      const program = join(prefix, 'bin', 'run-archiver')
      const started = (...words: string[]) => spawnSync(program, words, { encoding: 'utf8', env, cwd: home })
      expect(started('--version').stdout).toMatch(/^\d+\.\d+\.\d+/)
      expect(existsSync(join(prefix, 'share/man/man1/run-archiver.1'))).toBe(true)
      started('init', join(home, 'site'))
      const pass = started(join(home, 'site', 'config.yaml'))
      expect(pass.stdout, pass.stderr).toContain('Migrate: ')
      expect(started('history', '--config', join(home, 'site', 'config.yaml')).stdout).toContain('COMPLETED')
      const library = `const { tracker } = await import('run-record-archiver/tracking'); console.log(typeof tracker.init)`
      const { stdout } = spawnSync('node', ['--input-type=module', '-e', library], {
        encoding: 'utf8',
        env,
        cwd: join(prefix, 'lib/node_modules/run-record-archiver'),
      })
      expect(stdout).toBe('function\n')
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  })
})

describe.runIf(hasRpm)('the rpm', { timeout: 300_000 }, () => {
  it('holds the program and installs into a root of its own', () => {
    const name = readdirSync('packages').find((file) => file.endsWith('.rpm')) ?? ''
    const target = join(folder, 'rpm-root')
    mkdirSync(target, { recursive: true })
    run('rpm', '--root', target, '--initdb')
    run('rpm', '--root', target, '--nodeps', '--noscripts', '-i', resolve('packages', name))
    expect(statSync(join(target, 'usr/lib/run-record-archiver/dist/main.js')).mode & 0o111).not.toBe(0)
    expect(run('rpm', '--root', target, '-q', '--configfiles', 'run-record-archiver').trim()).toBe(
      '/etc/run-record-archiver/config.yaml',
    )
  })
})
