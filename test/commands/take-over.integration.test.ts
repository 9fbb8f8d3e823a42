import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { UconServer } from '../fakes/ucon-server.ts'
import { type Mode, originalBlob, recordFiles, writeOriginal } from '../original.ts'
import { programBeside, Site } from '../site.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const RUNS = [12000, 12001, 12003]

/** A site whose database the Python original wrote, before a UconDB server in this process. */
const scene = async (mode: Mode, written: Parameters<typeof writeOriginal>[3] = {}, source?: string) => {
  const server = await UconServer.start()
  const site = new Site({
    ...(source === undefined ? {} : { source }),
    ucon: `  server_url: ${server.url}\n  folder_name: test01\n  object_name: configuration\n  writer_user: writer\n  writer_password: secret`,
  })
  closing.push(
    () => site.remove(),
    () => server.close(),
  )
  for (const run of RUNS) site.record(run, { files: recordFiles(run, written) })
  writeOriginal(site.path('db'), RUNS, mode, written)
  // The server in this process answers meanwhile.
  const program = async (...words: string[]): Promise<{ code: number | null; out: string }> => {
    const { status, stdout, stderr } = await programBeside(words)
    return { code: status, out: stdout + stderr }
  }
  const command = (name: string, ...more: string[]) =>
    program(...name.split(' '), ...more, '--config', site.config)
  return { server, site, program, command, pass: () => program(site.config, '--incremental') }
}
type Scene = Awaited<ReturnType<typeof scene>>

const documents = ({ site }: Scene): readonly string[] =>
  readdirSync(site.path('db'), { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.json') && !name.startsWith('SystemMetadata'),
  )

const contents = (all: Scene): ReadonlyMap<string, string> =>
  new Map(
    documents(all)
      .filter((name) => !name.endsWith('index.json'))
      .map((name) => [name, readFileSync(all.site.path('db', name), 'utf8')]),
  )

/** The archive as the original filled it: what artdaq's export gives, under the run as key and tag. */
const fillArchive = async ({ server, site, command }: Scene): Promise<void> => {
  for (const run of RUNS) {
    const to = site.path(`export-${run}`)
    mkdirSync(to)
    expect(await command('artdaq export', String(run), '--to', to)).toMatchObject({ code: 0 })
    const files = readdirSync(to, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.fcl'),
    )
    const exported = new Map(
      files.map((name) => [name.replace(/^.*\/|\.fcl$/g, ''), readFileSync(join(to, name), 'utf8')]),
    )
    server.folder.store('configuration', String(run), originalBlob(run, exported), {
      tr: run,
      tags: [String(run)],
    })
  }
}

/** All commands agree that everything is archived, and nothing is done again. */
const nothingLeft = async (all: Scene, keys: readonly string[]): Promise<void> => {
  const { server, site, command, pass, program } = all
  const before = documents(all)
  const puts = server.seen.filter(({ path }) => path.includes('override=')).length
  const { code, out } = await pass()
  expect(code, out).toBe(0)
  expect((await pass()).out).toContain('Nothing new')
  const full = await program(site.config)
  expect(full.code, full.out).toBe(0)
  expect(full.out).toMatch(/Import: +0 archived/)
  for (const words of [['verify'], ['audit', '--deep'], ['artdaq check']]) {
    const { code, out } = await command(words[0]!, ...words.slice(1))
    expect(code, `${words.join(' ')}: ${out}`).toBe(0)
  }
  const report = await program(site.config, '--report-status', '--compare-state', '--check')
  expect(report.code, report.out).toBe(0)
  expect(documents(all)).toEqual(before)
  expect(server.seen.filter(({ path }) => path.includes('override=')).length).toBe(puts)
  expect(server.folder.versions.map(({ key }) => key).sort()).toEqual(keys)
  expect([site.failures('import'), site.failures('migrate')]).toEqual(['', ''])
}

describe.each<Mode>(['conftoolp', 'tools'])('a database that the original wrote, in its mode %s', (mode) => {
  it('with the archive that it filled: nothing is to be done', async () => {
    const all = await scene(mode)
    await fillArchive(all)
    await nothingLeft(all, RUNS.map(String))
  })

  it('without one: each run is migrated once, under its number', async () => {
    const all = await scene(mode)
    const before = documents(all)
    const { code, out } = await all.pass()
    expect(code, out).toBe(0)
    expect(out).toMatch(/Import: +0 archived/)
    expect(out).toMatch(/Migrate: +3 archived/)
    expect(documents(all)).toEqual(before)
    await nothingLeft(all, RUNS.map(String))
  })

  it('and of which a document is lacking: the next pass completes that run, and no other', async () => {
    const all = await scene(mode, { leaveOut: (run, entity) => run === 12001 && entity === 'tpc01' })
    const before = documents(all)
    const { out } = await all.pass()
    expect(out).toMatch(/Import: +1 archived, 0 failed/)
    expect(documents(all).length).toBe(before.length + 1)
    expect(await all.command('verify')).toMatchObject({ code: 0 })
    expect(all.server.folder.versions.map(({ key }) => key).sort()).toEqual(RUNS.map(String))
  })

  it('and runs that had not ended then: each is stored again beside what is there, once its record has', async () => {
    const all = await scene(mode, { ended: false })
    await fillArchive(all)
    expect((await all.pass()).out).toMatch(/Import: +0 archived/)
    const before = contents(all)
    for (const run of RUNS) all.site.record(run, { files: recordFiles(run) })
    expect((await all.command('artdaq check')).code).toBe(0)
    expect((await all.program(all.site.config, '--migrate-only')).code).toBe(0)
    const { code, out } = await all.pass()
    expect(code, out).toBe(0)
    expect(out).toMatch(/Import: +3 archived, 0 failed/)
    for (const [name, text] of before) expect(contents(all).get(name), name).toBe(text)
    const record = all.site.path('records', '12001')
    const restored = all.site.path('restored')
    expect(await all.command('extract', '12001', '--from', 'artdaq', '--to', restored)).toMatchObject({
      code: 0,
    })
    for (const name of readdirSync(record))
      expect(readFileSync(join(restored, name)), name).toEqual(readFileSync(join(record, name)))
    await nothingLeft(
      all,
      RUNS.flatMap((run) => [`${run}`, `${run}-update-1`]),
    )
  })
})

describe('a run that the original stored before it had ended', () => {
  const mode = 'conftoolp'

  it('is not read as it was then, where a document of its update and the indexes are lost', async () => {
    const all = await scene(mode, { ended: false })
    const before = documents(all)
    for (const run of RUNS) all.site.record(run, { files: recordFiles(run) })
    expect((await all.program(all.site.config, '--import-only')).code).toBe(0)
    const added = [...contents(all)].filter(([name]) => !before.includes(name))
    const [metadata] = added.find(([, text]) => text.includes('"name" : "metadata"'))!
    rmSync(all.site.path('db', metadata))
    for (const name of ['RunHistory', 'SystemLayout']) rmSync(all.site.path('db', name, 'index.json'))
    const run = /"(\d+)\/beam_a"/.exec(new Map(added).get(metadata)!)![1]!
    expect((await all.command('extract', run, '--from', 'artdaq', '--to', all.site.path('to'))).code).toBe(1)
    expect((await all.command('artdaq check')).code).toBe(1)
  })

  it('is compared once while it goes on, and looked at again when its record changes', async () => {
    const all = await scene(mode, { ended: false }, '  settle_seconds: 0\n  incomplete_after: 0')
    for (let n = 0; n < 2; n++) expect((await all.pass()).code).toBe(0)
    expect((await all.pass()).out).toContain('Nothing new')
    all.site.record(12001, { files: recordFiles(12001) })
    const { out } = await all.pass()
    expect(out).toMatch(/Import: +1 archived, 0 failed/)
    expect(all.server.folder.versions.map(({ key }) => key).sort()).toEqual(
      [...RUNS.map(String), '12001-update-1'].sort(),
    )
    // The list of what is watched is made again, and what was compared is compared again for it.
    rmSync(all.site.path('work', '.watched-records.json'))
    expect((await all.program(all.site.config)).code).toBe(0)
    all.site.record(12003, { files: recordFiles(12003) })
    expect((await all.pass()).out).toMatch(/Import: +1 archived, 0 failed/)
  })

  it('is a conflict where its documents are damaged beside that', async () => {
    const change = (entity: string, text: string): string =>
      entity === 'boot' ? text.replace('1', '2') : text
    const all = await scene(mode, { ended: false, change })
    for (const run of RUNS) all.site.record(run, { files: recordFiles(run) })
    const before = documents(all)
    const { out } = await all.pass()
    expect(out).toMatch(/Import: +0 archived, 3 failed/)
    expect(documents(all)).toEqual(before)
  })
})

const golden = '../shared/fixtures/artdaqdb/golden'
describe.skipIf(!existsSync(golden))("a database that artdaq's own tools wrote", () => {
  it('has nothing to be imported anew, and is migrated once', () => {
    const site = new Site({ source: '  settle_seconds: 0\n  incomplete_after: 0' })
    closing.push(() => site.remove())
    cpSync(join(golden, 'main', 'db'), site.path('db'), { recursive: true })
    const folders = readdirSync(join(golden, 'input'))
    for (const folder of folders) {
      const record = site.path('records', folder.replace(/_.*/, ''))
      cpSync(join(golden, 'input', folder), record, { recursive: true })
      rmSync(join(record, 'schema.fcl'), { force: true })
      utimesSync(record, 1, 1)
    }
    const first = site.archiver('--incremental')
    expect(first.stdout).toMatch(/Import: +0 archived, 0 failed/)
    expect(first.stdout).toMatch(new RegExp(`Migrate: +${folders.length} archived, 0 failed`))
    expect(site.archiver('--incremental').stdout).toMatch(/Import: +0 archived[^]*Migrate: +0 archived/)
    expect(site.archiver('--incremental').stdout).toContain('Nothing new')
    expect(site.command('artdaq check')).toMatchObject({ status: 0 })
  })
})
