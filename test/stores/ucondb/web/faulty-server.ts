import { afterEach, beforeEach, expect } from 'vitest'
import { sameRecord } from '../../../../src/stores/ucondb/blob/blob.ts'
import { ArchiverError } from '../../../../src/errors.ts'
import type { UconArchive, UconArchiveOptions } from '../../../../src/stores/ucondb/web/archive.ts'
import { packed } from '../../../conformance/archive.ts'
import { FaultProxy } from '../../../fakes/fault-proxy.ts'
import type { Fault } from '../../../fakes/ucon-server-faults.ts'
import { UconServer, type UconServerOptions } from '../../../fakes/ucon-server.ts'
import { openTo } from './open-to.ts'

/** For the tests of the fault catalogue's HTTP table: whatever happens, what is called archived is in the store. */
export const signal = new AbortController().signal
export const blob = packed(12000, 'x'.repeat(60_000))
export const IMPATIENT = { timeoutMs: 300, totalTimeoutMs: 1_500 }

const closing: (() => Promise<void>)[] = []
/** The server of the test that runs. */
export let server: UconServer
/** One server more. */
export const started = async (options: UconServerOptions = {}): Promise<UconServer> => {
  const one = await UconServer.start(options)
  closing.push(() => one.close())
  return one
}
/** An archive of ours on that server. */
export const opened = (
  to: { readonly url: string } = server,
  more: Partial<UconArchiveOptions> = {},
): UconArchive => {
  const archive = openTo(to, more)
  closing.push(() => archive.close())
  return archive
}
/** A proxy before that server, which breaks connections. */
export const proxied = async (): Promise<{ proxy: FaultProxy; url: string }> => {
  const proxy = await FaultProxy.before(server)
  closing.push(() => proxy.close())
  return { proxy, url: proxy.urlFor(server) }
}

/** Another server in the place of the test's own. */
export const restart = async (options: UconServerOptions): Promise<void> => {
  server = await started(options)
}

/** Gives each test of the file that calls it a server of its own, and closes all that the test opened. */
export const serverForEachTest = (): void => {
  beforeEach(() => restart({}))
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })
}

/** What a put came to, as a word; checked against what the store really holds. */
export const put = async (archive: UconArchive, run = 12000, what = blob): Promise<string> => {
  try {
    const result = await archive.put(run, 0, what, signal)
    const held = server.blob(`${run}`)
    expect(held && sameRecord(held, what), 'is called archived, and is not there').toBe(true)
    return result
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error
    expect(error.message).not.toContain('secret')
    return error.code
  }
}
/** Has the server fail so once, or as often as the fault says. */
export const fails = (fault: Fault): void => server.faults.add(fault)
/** How often a blob was sent. */
export const posts = (): number =>
  server.seen.filter(({ path }) => path.includes('key=') && path.includes('override')).length
