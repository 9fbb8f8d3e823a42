import { rmSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { UconServer } from '../fakes/ucon-server.ts'
import { programBeside, Site } from '../site.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A site before a UconDB server in this process. */
const scene = async (runs: readonly number[]) => {
  const server = await UconServer.start()
  const site = new Site({
    ucon: `  server_url: ${server.url}\n  folder_name: test01\n  object_name: configuration\n  writer_user: writer\n  writer_password: secret`,
    more: 'scrub:\n  share: 0%',
  })
  closing.push(
    () => site.remove(),
    () => server.close(),
  )
  for (const run of runs) site.record(run)
  const program = async (...words: string[]): Promise<{ code: number | null; out: string }> => {
    const { status, stdout, stderr } = await programBeside(words)
    return { code: status, out: stdout + stderr }
  }
  const puts = (): number => server.seen.filter(({ path }) => path.includes('override=')).length
  const mark = (key: string): void => {
    server.folder.find('configuration', key)!.deleted = true
  }
  return { server, site, program, puts, mark, pass: () => program(site.config, '--incremental') }
}

describe('a version that is marked as deleted, and holds what was archived', () => {
  it('is not put again by any pass, and counts as archived everywhere', async () => {
    const { server, site, program, puts, mark, pass } = await scene([11, 12, 13])
    expect(await pass()).toMatchObject({ code: 0 })
    mark('12')
    mark('13')
    const before = puts()
    for (const words of [['--incremental'], [], ['--migrate-only', '--runs', '12']])
      expect(await program(site.config, ...words)).toMatchObject({ code: 0 })
    expect(puts()).toBe(before)
    expect(site.state('migrator')).toMatchObject({ last_contiguous_run: 13, last_attempted_run: 13 })
    const report = await program(site.config, '--report-status', '--compare-state', '--check')
    expect(report).toMatchObject({ code: 0 })
    expect(report.out).toContain('marked as deleted')
    expect(await program('audit', '--deep', '--config', site.config)).toMatchObject({ code: 0 })
    const verified = await program('verify', '--config', site.config)
    expect(verified).toMatchObject({ code: 0 })
    expect(verified.out).not.toContain('not in the archive')
    expect(await program(site.config, '--recover-migrate-state')).toMatchObject({ code: 0 })
    expect(site.failures('migrate')).toBe('')
    expect(server.folder.versions.length).toBe(3)
  })

  it('of an update likewise', async () => {
    const { site, puts, mark, pass } = await scene([])
    site.record(7, { ended: false, ageSeconds: 8 * 86_400 })
    expect(await pass()).toMatchObject({ code: 0 })
    site.end(7)
    expect(await pass()).toMatchObject({ code: 0 })
    mark('7-update-1')
    const before = puts()
    for (let i = 0; i < 2; i++) expect(await pass()).toMatchObject({ code: 0 })
    expect(puts()).toBe(before)
  })

  it('that nobody has compared yet is compared by one pass, and by no other', async () => {
    const { site, server, puts, mark, pass } = await scene([21, 22])
    expect(await pass()).toMatchObject({ code: 0 })
    mark('22')
    rmSync(site.path('work'), { recursive: true })
    const before = puts()
    expect(await pass()).toMatchObject({ code: 0 })
    expect(puts()).toBe(before + 1)
    for (let i = 0; i < 2; i++) expect(await pass()).toMatchObject({ code: 0 })
    expect(puts()).toBe(before + 1)
    expect(server.folder.versions.length).toBe(2)
  })
})

describe('a version that is marked as deleted, and holds something else', () => {
  it('is a conflict, and stays one', async () => {
    const { site, server, mark, pass } = await scene([31])
    server.folder.store('configuration', '30', Buffer.from('x'), { tr: 1 })
    server.folder.store('configuration', '31', Buffer.from('something else'), { tr: 1 })
    mark('31')
    expect(await pass()).toMatchObject({ code: 1 })
    expect(site.failures('migrate')).toBe('31\n')
    expect(await pass()).toMatchObject({ code: 0 })
    expect(site.failures('migrate')).toBe('31\n')
  })
})

describe('a read-only database role behind UconDB', () => {
  it.each([[[41]], [[41, 42, 43]]])('stops the pass and blames no run: %j', async (runs) => {
    const { site, server, pass } = await scene(runs)
    const message = 'permission denied for table test01_data'
    server.faults.add({ kind: 'error', message, path: 'override', times: Infinity })
    const { code, out } = await pass()
    expect(code).toBe(1)
    expect(out).toContain(message)
    expect(site.failures('migrate')).toBe('')
    server.faults.clear()
    expect(await pass()).toMatchObject({ code: 0 })
    expect(server.folder.versions.length).toBe(runs.length)
  })
})
