import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** Exit code of manager.sh: no `systemd --user` can be started on this machine. */
const IMPOSSIBLE = 77

const isRoot = process.getuid?.() === 0
if (!isRoot) console.warn('a systemd of its own needs root: the units are not run under systemd')

describe.skipIf(!isRoot)('under a real systemd', () => {
  let folder: string
  let impossible = false
  const facts = new Map<string, string>()

  beforeAll(() => {
    // Not in /tmp, which the sandbox replaces.
    folder = mkdtempSync('/var/lib/run-archiver-test-')
    const { status, stdout } = spawnSync('test/systemd/manager.sh', [folder, 'test/systemd/proof.sh'], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], APP: process.cwd() },
      timeout: 280_000,
      killSignal: 'SIGKILL',
    })
    impossible = status === IMPOSSIBLE
    if (impossible) console.warn('no systemd can be started here: the units are not run under systemd')
    for (const [, name, value] of stdout.matchAll(/^([\w ]+): (.*)$/gm)) facts.set(name!, value!)
  }, 300_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each([
    ['daemon up', /^active$/],
    ['daemon archives', /^yes$/],
    ['daemon status', /^archived 1, 0 pending, 0 failed, last success \d\d:\d\d$/],
    ['idle daemon lives', /^0$/],
    ['reloaded daemon', /^active$/],
    ['daemon that hung', /^active after 1 restart$/],
    ['stopped daemon', /^inactive success$/],
    ['wrong configuration', /^78 after 0 restarts$/],
    ['sandbox holds', /^yes$/],
    ['pass by the timer', /^archived success$/],
    ['pass beside the retry', /^inactive not archived, then archived success$/],
    ['told of the failure', /^1$/],
    ['weekly report', /^success, weekly report, all well, END OF STATUS REPORT$/],
    ['secret', /^ucon_db\.writer_password \[secret\] \/.*\/run-archiver_ucon_db\.writer_password$/],
  ])('%s', (name, expected) => {
    if (!impossible) expect(facts.get(name)).toMatch(expected)
  })
})
