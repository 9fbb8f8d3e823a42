import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Secret } from '../../../src/common/secret.ts'
import { identity, now } from '../../../src/platform/host.ts'
import type { LineageSettings } from '../../../src/tracking/client/lineage.ts'
import { Tracker } from '../../../src/tracking/client/tracker.ts'

/** What https://openlineage.io/spec/2-0-2/OpenLineage.json asks of a RunEvent, and its facets of themselves. */
const uri = z.url().or(z.string().regex(/^urn:[a-z0-9-]+:\S+$/))
/** BaseFacet: "the JSON Pointer URL for the corresponding version of the schema definition for this facet". */
const pointer = /^https:\/\/openlineage\.io\/spec\/facets\/\d+-\d+-\d+\/(\w+)\.json#\/\$defs\/\1$/
const facet = { _producer: uri, _schemaURL: z.url().regex(pointer) }
const job = { namespace: z.string().min(1), name: z.string().min(1) }
const EVENT = z.strictObject({
  eventType: z.enum(['START', 'RUNNING', 'COMPLETE', 'ABORT', 'FAIL', 'OTHER']),
  eventTime: z.iso.datetime(),
  producer: uri,
  schemaURL: z.literal('https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent'),
  run: z.strictObject({
    runId: z.uuid(),
    facets: z.strictObject({
      errorMessage: z
        .strictObject({
          ...{ ...facet, message: z.string(), programmingLanguage: z.string() },
          stackTrace: z.string().optional(),
        })
        .optional(),
      parent: z
        .strictObject({ ...facet, run: z.object({ runId: z.uuid() }), job: z.strictObject(job) })
        .optional(),
    }),
  }),
  job: z.strictObject({
    ...job,
    facets: z.strictObject({
      jobType: z.strictObject({
        ...{ ...facet, processingType: z.enum(['BATCH', 'STREAMING']) },
        ...{ integration: z.string(), jobType: z.string() },
      }),
    }),
  }),
  inputs: z.array(z.never()),
  outputs: z.array(z.never()),
})
type Event = z.infer<typeof EVENT>

let folder = ''
let server: Server | undefined
let bodies: { readonly text: string; readonly token: string | undefined }[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lineage-'))
  bodies = []
})
afterEach(() => {
  server?.close()
  server = undefined
  rmSync(folder, { recursive: true, force: true })
})
const listen = async (status: number): Promise<string> => {
  server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece))
    request.on('end', () => {
      bodies.push({ text, token: request.headers.authorization })
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/lineage`
}
const file = (): string => join(folder, 'events.jsonl')
const events = (): Event[] =>
  readFileSync(file(), 'utf8')
    .trim()
    .split('\n')
    .map((line) => EVENT.parse(JSON.parse(line)))
const typesOf = (task: string): string[] =>
  events()
    .filter((event) => event.job.name === task)
    .map(({ eventType }) => eventType)

const warned: string[] = []
const open = (lineage: Partial<LineageSettings>, url = `sqlite:${join(folder, 'ledger.db')}`): Tracker =>
  new Tracker({
    place: { url, folder, schema: 'tasker', password: undefined },
    ...{ env: {}, runner: identity(), version: '1.2.3', now, heartbeatEvery: 0, flushEvery: 10 },
    lineage: { url: undefined, token: undefined, file: undefined, namespace: 'pipelines', ...lineage },
    log: {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => warned.push(message),
      error: (message) => warned.push(message),
    },
  })

describe('executions of the library, as OpenLineage has them', () => {
  it('begin and end once each, with the error, the parent and the run id', async () => {
    const tracker = open({ file: file() })
    const good = tracker.init({ taskName: 'good' })
    await tracker.flush()
    good.enter('a')
    await tracker.flush()
    good.progress(1, 2)
    await tracker.flush()
    const child = good.child({ taskName: 'child' })
    child.error(new Error('no disk'), 'line 1')
    good.finish()
    good.finish()
    tracker.init({ taskName: 'stopped' }).cancel('SIGTERM')
    await tracker.close()
    expect(typesOf('good')).toEqual(['START', 'RUNNING', 'COMPLETE'])
    expect(typesOf('child')).toEqual(['START', 'FAIL'])
    expect(typesOf('stopped')).toEqual(['START', 'ABORT'])
    const failed = events().find(({ eventType }) => eventType === 'FAIL')
    expect(failed?.run).toMatchObject({
      runId: child.runId,
      facets: {
        errorMessage: { message: 'no disk', programmingLanguage: 'NODE', stackTrace: 'line 1' },
        parent: { run: { runId: good.runId }, job: { namespace: 'pipelines', name: 'good' } },
      },
    })
  })

  it('are sent where no database keeps them, and need no memory when they have ended', async () => {
    const tracker = open({ file: file() }, 'off')
    const execution = tracker.init({ taskName: 'unkept' })
    execution.enter('a')
    execution.finish()
    expect(tracker.find(execution.runId)).toBeUndefined()
    await tracker.close()
    expect(typesOf('unkept')).toEqual(['START', 'RUNNING', 'COMPLETE'])
  })

  it('are posted, with the token', async () => {
    const tracker = open({ url: await listen(201), token: new Secret('t0ken-of-the-test') })
    tracker.init({ taskName: 'posted' }).finish()
    await tracker.close()
    expect(bodies.map(({ text }) => EVENT.parse(JSON.parse(text)).eventType)).toEqual(['START', 'COMPLETE'])
    expect(bodies[0]?.token).toBe('Bearer t0ken-of-the-test')
  })

  it('cost nothing but the events where the service refuses them, which is told', async () => {
    warned.length = 0
    const tracker = open({ url: await listen(500), token: new Secret('t0ken-of-the-test') })
    tracker.init({ taskName: 'refused' }).finish()
    await tracker.close()
    expect(warned).toEqual([
      'OpenLineage took no event; the pipeline goes on: it answers 500',
      'OpenLineage: 2 events were given up',
    ])
    expect(bodies).toHaveLength(1)
  })

  it('name the reason where the service does not answer', async () => {
    warned.length = 0
    server = createServer(() => undefined)
    await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done))
    const tracker = open({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` })
    tracker.init({ taskName: 'unanswered' })
    await tracker.close(200)
    server.closeAllConnections()
    expect(warned).toEqual(['OpenLineage: 1 event was given up: there was no answer in time'])
  })

  it('hold the process for two seconds at most where the service takes the connection and never answers', async () => {
    const closed = new Promise<void>((done) => {
      server = createServer((request) => void request.on('close', done))
    })
    await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done))
    const began = performance.now()
    const url = `http://127.0.0.1:${(server?.address() as AddressInfo).port}/`
    open({ url }, 'off').init({ taskName: 'good' }).finish()
    await closed
    expect(performance.now() - began).toBeLessThan(3200)
  })

  it('are told to nobody unless the configuration asks for it (control)', async () => {
    const tracker = open({})
    tracker.init({ taskName: 'quiet' }).finish()
    await tracker.close()
    expect(existsSync(file())).toBe(false)
  })
})

describe('executions of a shell, as OpenLineage has them', () => {
  const PROGRAM = resolve('dist/main.js')
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(MONITOR|TASKER)_/.test(name)),
  )
  const track = (...words: string[]) =>
    spawnSync(process.execPath, [PROGRAM, 'track', ...words], { env, encoding: 'utf8', cwd: folder })
  const configure = (more: string, ledger = 'sqlite:ledger.db'): string => {
    const config = join(folder, 'track.yaml')
    writeFileSync(
      config,
      `app: { work_dir: ${folder} }\nledger: { url: "${ledger}" }\ntracking: { ${more} }\n`,
    )
    return config
  }

  it('begin once and end once, although each report is a process', () => {
    const config = configure(`openlineage_file: ${file()}, openlineage_namespace: mu2e`)
    const id = track('init', '--task-name', 'by_steps', '--config', config).stdout.trim()
    for (const words of [['enter', 'a'], ['exit'], ['finish']])
      expect(track(...words, '--run-id', id, '--config', config)).toMatchObject({ status: 0, stderr: '' })
    track('run', '--config', config, '--task-name', 'by_run', '--', 'sh', '-c', 'exit 3')
    const types = typesOf('by_steps')
    expect([types[0], types.at(-1)]).toEqual(['START', 'COMPLETE'])
    expect(types.slice(1, -1).every((type) => type === 'RUNNING')).toBe(true)
    expect(typesOf('by_run')).toEqual(['START', 'FAIL'])
    expect(events().every((event) => event.job.namespace === 'mu2e')).toBe(true)
  })

  it('are sent where no database keeps them, and leave no journal', () => {
    const config = configure(`openlineage_file: ${file()}`, 'off')
    track('run', '--config', config, '--task-name', 'by_run', '--no-log', '--', 'sh', '-c', 'exit 3')
    const id = track('init', '--task-name', 'by_steps', '--config', config).stdout.trim()
    expect(track('finish', '--run-id', id, '--config', config)).toMatchObject({ status: 0, stderr: '' })
    expect(typesOf('by_run')).toEqual(['START', 'FAIL'])
    expect(typesOf('by_steps')).toEqual(['START', 'COMPLETE'])
    expect(readdirSync(join(folder, 'tracking'))).toEqual([])
  })

  it('keep their exit code and their time where nobody answers', () => {
    const config = configure('openlineage_url: "http://127.0.0.1:1/api/v1/lineage"')
    const began = performance.now()
    const ran = track('run', '--config', config, '--task-name', 'away', '--', 'sh', '-c', 'exit 3')
    expect(ran.status).toBe(3)
    expect(ran.stderr).toContain('OpenLineage took no event; the pipeline goes on')
    expect(performance.now() - began).toBeLessThan(8000)
  })
})
