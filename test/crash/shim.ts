import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** Compiles shim.c for the tests of a file; undefined, and a warning that names what is not tested, where there is no C compiler. */
export const compileShim = (what: string): string | undefined => {
  const shim = join(tmpdir(), `archiver-shim-${process.pid}.so`)
  const { status } = spawnSync('cc', ['-shared', '-fPIC', '-o', shim, 'test/crash/shim.c', '-ldl'])
  if (status !== 0) console.warn(`SKIPPED: ${what}, because there is no C compiler here`)
  afterAll(() => rmSync(shim, { force: true }))
  return status === 0 ? shim : undefined
}
