import { chmodSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { runProgram, Site } from '../site.ts'

let site: Site
beforeEach(() => {
  site = new Site()
  for (const run of [8, 9]) site.record(run)
  expect(site.archiver().status).toBe(0)
})
afterEach(() => site.remove())

/** Changes one byte of a file, as rot does. */
const rot = (path: string, word: string): void => {
  chmodSync(path, 0o644)
  const bytes = readFileSync(path)
  const at = bytes.indexOf(word)
  expect(at, `${word} in ${path}`).toBeGreaterThan(0)
  bytes[at]! ^= 1
  writeFileSync(path, bytes)
}
const shard = (): string => site.path('archive', 'run_records', 'configuration', '0-999')
const documentOf = (run: number): string =>
  readdirSync(site.path('db', 'RunHistory'))
    .map((name) => site.path('db', 'RunHistory', name))
    .find((path) => path !== site.path('db', 'RunHistory', 'index.json') && readFileSync(path, 'utf8').includes(`"${run}/`))! // prettier-ignore

/** The commands that `diff` names, as they are to be typed. */
const advised = (run: number): string[][] => {
  const { status, stdout } = site.command('diff', String(run))
  expect(status).toBe(1)
  const { restore } = JSON.parse(site.command('diff', String(run), '--json').stdout) as { restore: string }
  for (const line of restore.split('\n')) expect(stdout).toContain(`  ${line}\n`)
  return restore
    .split('\n')
    .filter((line) => line.startsWith('node '))
    .map((line) => line.split(' ').slice(2))
}
const SOUND = expect.stringContaining('0 with differences') as string

it('of a blob that rots names what writes it again from artdaqDB, and that restores it', () => {
  rot(join(shard(), '8.txt'), 'DAQInterface')
  const [command] = advised(8)
  expect(command).toEqual([site.config, '--migrate-only', '--runs', '8'])
  for (const name of ['8.txt', '8.sha256']) renameSync(join(shard(), name), site.path(name))
  expect(runProgram(command!).status).toBe(0)
  expect(site.command('verify')).toMatchObject({ status: 0, stdout: SOUND })
})

it('of a document that rots names the repair and the import, and each restores it', () => {
  const sound = readFileSync(documentOf(8))
  rot(documentOf(8), 'notprovided')
  const [repair, again] = advised(8)
  expect(runProgram(repair!).status).toBe(0)
  expect(site.command('verify')).toMatchObject({ status: 0, stdout: SOUND })

  writeFileSync(documentOf(8), sound)
  rot(documentOf(8), 'notprovided')
  rmSync(documentOf(8))
  expect(again).toEqual([site.config, '--import-only', '--runs', '8'])
  expect(runProgram(again!).status).toBe(0)
  expect(site.command('verify')).toMatchObject({ status: 0, stdout: SOUND })
})

it('of a document that rots, whose record is gone, sends nobody to the record', () => {
  rot(documentOf(8), 'notprovided')
  rmSync(site.path('records', '8'), { recursive: true })
  const commands = advised(8)
  expect(commands).toHaveLength(1)
  expect(runProgram(commands[0]!).status).toBe(0)
  expect(site.command('verify')).toMatchObject({ status: 0, stdout: SOUND })
})

it('of a record that rots, its time unchanged, gives it as it was archived', () => {
  site.record(10)
  const [name] = readdirSync(site.path('records', '10')).filter((one) => one.endsWith('.txt'))
  const path = site.path('records', '10', name!)
  utimesSync(path, 1e9, 1e9)
  expect(site.archiver('--incremental').status).toBe(0)
  const archived = readFileSync(path)
  rot(path, archived.toString('latin1').slice(-6))
  utimesSync(path, 1e9, 1e9)
  const [command] = advised(10)
  const to = site.path('restored')
  expect(runProgram(command!.map((word) => (word === 'DIR' ? to : word))).status).toBe(0)
  expect(readFileSync(join(to, name!))).toEqual(archived)
})

it('names nothing where nothing differs, and where the record alone went on', () => {
  expect(JSON.parse(site.command('diff', '8', '--json').stdout)).toMatchObject({ restore: null })
  writeFileSync(site.path('records', '8', 'more.txt'), 'a note')
  const { status, stdout } = site.command('diff', '8', '--json')
  expect(status).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({ changed: true, restore: null })
})
