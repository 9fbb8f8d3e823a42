/**
 * Plants bugs, one at a time, in a copy of the source, and shows that the tests find each: a suite that cannot fail proves nothing.
 * `npm run test:mutation` tries all, `npm run test:mutation -- NAME ...` some. Ends with 1 when a bug was not found.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { BUGS, type Bug } from './planted-bugs.ts'

const copy = mkdtempSync(join(tmpdir(), 'archiver-mutation-'))
for (const part of [
  'src',
  'test',
  'docs',
  'scripts',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
  'config.example.yaml',
])
  cpSync(part, join(copy, part), { recursive: true })
symlinkSync(resolve('node_modules'), join(copy, 'node_modules'))

const env = { ...process.env, ARCHIVER_SEQUENCES: '3000', ARCHIVER_KILLS: '40' }
const isFound = ({ file, from, to, tests }: Bug): boolean => {
  const path = join(copy, file)
  const source = readFileSync(path, 'utf8')
  if (source.split(from).length !== 2) throw new Error(`${file} no longer holds, once: ${from}`)
  writeFileSync(
    path,
    source.replace(from, () => to),
  )
  const run = spawnSync('npx', ['vitest', 'run', '--bail=1', ...tests], { cwd: copy, encoding: 'utf8', env })
  writeFileSync(path, source)
  // Only a test that fails has found it; a program that cannot be built has not been tested.
  return run.status !== 0 && /Tests .*\d+ failed/.test(run.stdout.replaceAll(/\u001b\[[0-9;]*m/g, ''))
}

const wanted = process.argv.slice(2)
const missed = BUGS.filter(({ name }) => wanted.length === 0 || wanted.includes(name)).filter((bug) => {
  const found = isFound(bug)
  console.log(`${found ? 'found ' : 'MISSED'}  ${bug.name} (${bug.file})`)
  return !found
})
rmSync(copy, { recursive: true })
console.log(
  missed.length === 0 ? 'every planted bug was found' : `planted bugs that were not found: ${missed.length}`,
)
process.exitCode = missed.length === 0 ? 0 : 1
