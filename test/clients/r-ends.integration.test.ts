import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { canRun } from './harness.ts'

const folder = mkdtempSync(join(tmpdir(), 'r-ends-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a script says through the pipe, line by line. */
const said = (words: readonly string[], last: string): readonly Record<string, unknown>[] => {
  const script = join(folder, 'ends.R')
  const pipe = join(folder, 'said')
  writeFileSync(
    script,
    `source(${JSON.stringify(resolve('clients/R/track_status.R'))})\ntrack_init("t")\n${last}\n`,
  )
  const [file = '', ...rest] = words
  const env = { ...process.env, RUN_ARCHIVER_TRACK: `cat >'${pipe}'` }
  spawnSync(file, [...rest, script], { env, cwd: folder, encoding: 'utf8' })
  const lines = readFileSync(pipe, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe.skipIf(!canRun('/usr/bin/Rscript', '-e', '1'))('an R script', { timeout: 60_000 }, () => {
  it.each([
    ['R CMD BATCH', ['R', 'CMD', 'BATCH'], '1'],
    ['quit("yes")', ['Rscript'], 'quit("yes")'],
  ])('whose end by %s saves the workspace, and closes all connections, has one', (_, words, last) => {
    expect(said(words, last).at(-1)).toEqual({ op: 'finish', message: 'Script completed' })
  })

  it('that removes all that it has keeps its exit code', () => {
    const script = join(folder, 'empty.R')
    writeFileSync(
      script,
      `source(${JSON.stringify(resolve('clients/R/track_status.R'))})\ntrack_init("t")\nrm(list = ls(all.names = TRUE))\nquit(status = 4)\n`,
    )
    const env = { ...process.env, RUN_ARCHIVER_TRACK: 'cat >/dev/null' }
    expect(spawnSync('Rscript', [script], { env, cwd: folder }).status).toBe(4)
  })

  it('reports each line of an error, and masks no words that only look like a password', () => {
    const lines = said(
      ['Rscript'],
      'genter("basic statistics, Bearer 0123456789abcdef"); track_error("bad", c("line 1", "line 2"))',
    )
    expect(lines.at(-2)).toEqual({ op: 'enter', message: 'basic statistics, Bearer [secret]' })
    expect(lines.at(-1)).toEqual({ op: 'error', message: 'bad', detail: 'line 1\nline 2' })
  })
})
