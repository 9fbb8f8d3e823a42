import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'

let site: Site
beforeEach(() => {
  site = new Site({ app: '  batch_size: 0' })
})
afterEach(() => site.remove())

/** How many documents artdaqDB has. */
const documents = (): number => {
  const folder = site.path('db', 'RunHistory')
  return existsSync(folder) ? readdirSync(folder).length : 0
}

describe('the numbers that `cat` shows', () => {
  it('are right again after the first pass that follows a kill', async () => {
    for (let run = 1; run <= 120; run++) site.record(run)
    const pass = site.start('--import-only')
    while (documents() < 40 && pass.exitCode === null) await sleep(5)
    const ended = once(pass, 'exit')
    pass.kill('SIGKILL')
    await ended
    expect(pass.signalCode).toBe('SIGKILL')
    expect(site.archiver('--import-only').status).toBe(0)
    expect(site.state('importer')).toMatchObject({ last_contiguous_run: 120, last_attempted_run: 120 })
  })
  it('are right again after a pass that has nothing to do', () => {
    for (const run of [1, 2, 5]) site.record(run)
    expect(site.archiver('--incremental').status).toBe(0)
    const file = site.path('work', 'importer_state.json')
    const right = readFileSync(file, 'utf8')
    // As a kill leaves them: the runs are stored, the last checkpoint was before them.
    writeFileSync(file, '{"last_contiguous_run": 2, "last_attempted_run": 2}')
    expect(site.archiver('--incremental').stdout).toContain('Import:  0 archived')
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(right))
    expect(right).toContain('"last_attempted_run": 5')
  })
})
