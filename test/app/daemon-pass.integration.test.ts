import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { daemonPass } from '../../src/app/daemon-pass.ts'
import { openArchiver } from '../../src/app/open-archiver.ts'
import { RunSet } from '../../src/common/run-set.ts'
import { IdleScrub } from '../../src/runs/scrub/idle-scrub.ts'
import { contextOf } from '../context.ts'
import { Site } from '../site.ts'

let site: Site
beforeEach(() => {
  site = new Site({ more: 'scrub: {share: 5%}' })
})
afterEach(() => site.remove())

const NONE = { import: RunSet.EMPTY, migrate: RunSet.EMPTY }

it('a pass of the daemon that finds damage ends as any other pass that does: with 1, and with its work done', async () => {
  site.record(1)
  expect(site.archiver().status).toBe(0)
  const folder = site.path('db', 'RunHistory')
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), 'utf8')
    writeFileSync(join(folder, name), text.replace('"debug_level" : "1"', '"debug_level" : "3"'))
  }
  site.record(2)
  const context = contextOf()
  const archiver = await openArchiver(site.config, context)
  const nothing = (): void => undefined
  const options = { verbose: false, alive: nothing, idleScrub: new IdleScrub(), warn: nothing }
  expect(await daemonPass(archiver, context, NONE, options)).toMatchObject({
    succeeded: 2,
    trouble: undefined,
  })
  const { stdout } = site.command('history', '--json')
  const [last] = (JSON.parse(stdout) as { executions: { task: string; exitCode: number }[] }).executions
  expect(last).toMatchObject({ task: 'daemon', exitCode: 1 })
})

it('a round of the daemon on a shared backlog in which runs failed ends as a worker does: with 1', async () => {
  appendFileSync(site.config, '\nqueue: {url: "sqlite:queue.db"}\n')
  for (const name of ['7', '0007', '8']) site.record(name) // two directories for run 7: it fails
  const context = contextOf()
  const archiver = await openArchiver(site.config, context)
  const nothing = (): void => undefined
  const options = { verbose: false, alive: nothing, idleScrub: new IdleScrub(), warn: nothing }
  await daemonPass(archiver, context, NONE, options)
  expect([site.archived(), site.failures('import')]).toEqual([['8'], '7\n'])
  const { stdout } = site.command('history', '--json')
  const { executions } = JSON.parse(stdout) as { executions: { exitCode: number }[] }
  expect(executions.map(({ exitCode }) => exitCode)).toContain(1)
})
