import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fhicl-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}
const fhicl = (args: readonly string[], stdin?: string) =>
  spawnSync(process.execPath, ['dist/main.js', 'fhicl', ...args], { input: stdin, encoding: 'utf8' })

const STAMP = '2017-07-18T12:48:10.123-0500'

describe('run-archiver fhicl to-json', () => {
  it('takes a FIFO or a device, and of what never ends no more than a record may have', () => {
    const piped = 'echo "a: 1" | "$0" dist/main.js fhicl to-json /dev/stdin'
    expect(execFileSync('sh', ['-c', piped, process.execPath], { encoding: 'utf8' })).toContain('"a" : "1"')
    const endless = fhicl(['to-json', '/dev/zero'])
    expect(endless.status).toBe(1)
    expect(endless.stderr).toContain('/dev/zero has more than 256 MB')
  })

  it('prints exactly the JSON that artdaq makes, without a newline at the end', () => {
    const path = file('a.fcl', 'a: "x" # c\n')
    const { stdout, stderr, status } = fhicl(['to-json', path, '--name', 'boot', '--stamp', STAMP])
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    expect(
      stdout.startsWith('{\n"document" : {\n"data" : {\n"prolog" : {\n\n},\n"main" : {\n"a" : "x"\n}\n},'),
    ).toBe(true)
    expect(stdout).toContain(`"name" : "boot",\n"source" : "fhicl_to_json",\n"timestamp" : "${STAMP}"\n}`)
    expect(stdout.endsWith('"configurations" : [\n\n]\n}')).toBe(true)
  })

  it('names the document notprovided, and stamps it with the time, unless told otherwise', () => {
    const { stdout } = fhicl(['to-json', file('b.fcl', '# nothing\n')])
    expect(stdout).toContain('"name" : "notprovided"')
    const stamp = /"timestamp" : "(.*)"/.exec(stdout)?.[1] ?? ''
    expect(stamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}$/)
    expect(Math.abs(Date.parse(stamp.replace(/(\d\d)(\d\d)$/, '$1:$2')) - Date.now())).toBeLessThan(60_000)
  })

  it('refuses what artdaq refuses, with file, line, column and a caret', () => {
    const path = file('bad.fcl', 'a: 1\nb: x-y\n')
    const { stdout, stderr, status } = fhicl(['to-json', path])
    expect({ stdout, status }).toEqual({ stdout: '', status: 1 })
    expect(stderr).toBe(
      `${path}:2:4: "x-y" where a value should be\nb: x-y\n   ^\nPut it in quotes: "x-y".\n`,
    )
  })

  it('takes standard input for -', () => {
    expect(fhicl(['to-json', '-'], 'a: 1').stdout).toContain('"a" : "1"')
    expect(fhicl(['to-json', '-'], '').stderr).toContain('standard input:1:1: the text is empty')
  })

  it('says which file is not there', () => {
    const { stderr, status } = fhicl(['to-json', join(folder, 'absent.fcl')])
    expect(status).toBe(1)
    expect(stderr).toContain('absent.fcl')
  })
})

describe('run-archiver fhicl from-json', () => {
  it('prints exactly the FHiCL that artdaq exports, from what to-json gave', () => {
    const json = execFileSync(process.execPath, [
      'dist/main.js',
      'fhicl',
      'to-json',
      file('c.fcl', 'a: 1 // x\nt: { b: [1] }'),
    ])
    const { stdout, stderr, status } = fhicl(['from-json', file('c.json', json)])
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    expect(stdout).toBe('\na: 1 // x\n\nt: {\n\nb: [1] \n\n}')
  })

  it.each([
    ['JSON that artdaq cannot read', '{"a" : null}', 'line 1, column 8'],
    ['JSON that is no document', '{}', 'document.data has no object "prolog"'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'not UTF-8'],
  ])('refuses %s', (_what, content, message) => {
    const path = file('d.json', content)
    const { stdout, stderr, status } = fhicl(['from-json', path])
    expect({ stdout, status }).toEqual({ stdout: '', status: 1 })
    expect(stderr).toContain(`${path}: `)
    expect(stderr).toContain(message)
  })
})
