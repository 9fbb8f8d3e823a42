import { spawnSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'

let site: Site
beforeEach(() => (site = new Site({ app: '  parallel_workers: 16' })))
afterEach(() => site.remove())

const passWith = (files: number) =>
  spawnSync('sh', ['-c', `ulimit -n ${files}; exec node dist/main.js "$0"`, site.config], {
    encoding: 'utf8',
    timeout: 60_000,
  })

describe('a process that may open few files', () => {
  it.each([24, 32, 63])('ends with exit 1 and names the limit when it is %i, and starts nothing', (files) => {
    site.record(7)
    const { status, stderr } = passWith(files)
    expect([status, stderr]).toEqual([1, expect.stringMatching(/limit of .*open files.*TOO_MANY_OPEN_FILES/)])
    expect(stderr).not.toContain('bug')
  })
  it('archives large records all the same when it is 100, with fewer files open at once', () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`board${n}.fcl`, `x: ${n}\n`]))
    for (let run = 1; run <= 14; run++) site.record(run, { files })
    const { status, stdout } = passWith(100)
    expect([status, stdout]).toEqual([0, expect.stringContaining('Migrate: 14 archived, 0 failed')])
  })
})
