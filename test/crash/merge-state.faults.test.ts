import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'
import { auditOf, HOOK, troubleOf } from './harness.ts'

const site = new Site()
const merge = (env: Record<string, string> = {}) =>
  site.program(['state', 'merge', '--config', site.config], {
    ...(Object.keys(env).length === 0 ? {} : { NODE_OPTIONS: `--import=${HOOK}` }),
    ...env,
  })
const back = (): void => {
  rmSync(site.path('work'), { recursive: true })
  cpSync(site.path('before'), site.path('work'), { recursive: true })
}
const memory = () => [
  site.state('importer'),
  site.state('migrator'),
  site.failures('import'),
  site.failures('migrate'),
]

let steps: string[] = []
beforeAll(() => {
  // Run 12 has two folders and fails; the other runs are split between two instances by their number.
  for (const run of [10, 11, 12, '012', 13, 14]) site.record(run)
  for (const id of ['0', '1']) site.archiver('--instance-id', id, '--instance-count', '2')
  cpSync(site.path('work'), site.path('before'), { recursive: true })
  merge({ STEPS_TO: site.path('steps') })
  steps = readFileSync(site.path('steps'), 'utf8').trim().split('\n')
}, 60_000)
afterAll(() => site.remove())

describe('a merge of the states of instances that is killed', () => {
  it('at each of its durable steps leaves what the next merge makes whole', async () => {
    back()
    expect(merge().status).toBe(0)
    const whole = memory()
    expect(whole[2]).toBe('12\n')
    expect(new Set(steps).size).toBeGreaterThan(4)
    const trouble: string[] = []
    for (const name of new Set(steps)) {
      back()
      const { signal } = merge({ CRASH_AT: `${name}#1` })
      if (signal !== 'SIGKILL') trouble.push(`${name}: was not reached`)
      // A single archiver may come before the merge is tried again.
      trouble.push(...(await troubleOf(site)).map((one) => `${name}: ${one}`))
      if (merge().status !== 0) trouble.push(`${name}: the next merge failed`)
      if (JSON.stringify(memory()) !== JSON.stringify(whole))
        trouble.push(`${name}: the next merge made something else`)
    }
    expect(trouble).toEqual([])
  }, 300_000)

  it('is judged by what the files say (control): a state that is ahead of the stores is found', async () => {
    back()
    merge()
    const file = site.path('work', 'importer_state.json')
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(/"last_contiguous_run": *\d+/, '"last_contiguous_run": 99'),
    )
    expect((await auditOf(site)).stages.length).toBe(2)
    expect((await troubleOf(site)).join()).toContain('last_contiguous_run 99')
  }, 60_000)
})
