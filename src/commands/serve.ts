import { dirname, join, resolve } from 'node:path'
import type { Command, Context } from '../app/context.ts'
import { openPage, type PageOptions } from '../app/page.ts'
import { identity } from '../platform/host.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import { openArchiver } from '../app/open-archiver.ts'
import { readAssets } from '../web/assets.ts'
import { problemServer } from '../web/problem-server.ts'
import { pageToken } from './page-token.ts'
import { gatherAgain } from './report.ts'
import { placesOf } from './rows/rows-config.ts'

export interface ServeOptions {
  readonly config: string
  readonly ledger?: string
  readonly host?: string
  readonly port?: string
  readonly tokenFile?: string
  readonly basePath?: string
  readonly publicUrl?: string
}

/**
 * `serve`: the web page and its API, until a signal ends it. Where systemd passes a socket (`run-record-archiver-page.socket`), it listens on
 * that one, and --host and --port say nothing. Reads everything and writes nothing but what its actions say. Throws
 * CONFIG_INVALID where it would be open to others without a token, and STORE_UNAVAILABLE where the address is taken.
 */
export const serve: Command<ServeOptions> = async (options, context) => {
  const archiver = options.ledger === undefined ? await openArchiver(options.config, context) : undefined
  const page = await openPage(archiver, pageOptions(options, context), context, (unanswered) =>
    gatherAgain(archiver, options.config, context, unanswered),
  )
  // Begins before the first reader comes; what cannot be listed is for the pages to say.
  const listed = page.listed().catch(() => undefined)
  const { host, port } = page.address
  const server = problemServer(page.server.fetch, host)
  const passed = isPassed(context.env)
  server.listen(passed ? { fd: FIRST_PASSED } : { host, port })
  const failed = new Promise<never>((_, reject) =>
    server.on('error', (cause: Error) =>
      reject(
        new ArchiverError('STORE_UNAVAILABLE', `cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
          cause,
          hint: 'Another program has the port, or the address is not one of this host. --port chooses another.',
        }),
      ),
    ),
  )
  await Promise.race([failed, new Promise<void>((resolve) => server.on('listening', resolve))])
  const bound = server.address()
  const actual = typeof bound === 'object' && bound ? bound.port : port
  if (passed && typeof bound === 'object' && bound) page.guardAddress(bound.address)
  page.listening(actual)
  context.out(`http://${host.includes(':') ? `[${host}]` : host}:${actual}${page.base}/\n`)
  void listed.then(() => page.server.warm())
  await stopped(context.signal)
  page.server.close()
  server.close()
  server.closeAllConnections()
  await page.close()
  return 0
}

/** The first socket that systemd passes to a program (sd_listen_fds(3)). */
const FIRST_PASSED = 3

/** Whether systemd listens already and passes this very process its socket. */
const isPassed = ({ LISTEN_FDS: count, LISTEN_PID: pid }: Context['env']): boolean =>
  Number(count) >= 1 && Number(pid) === identity().pid

const stopped = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** What a page needs beside its configuration. */
export const pageOptions = (options: ServeOptions, context: Context): PageOptions => ({
  ...options,
  port: options.port === undefined ? undefined : portOf(options.port),
  assets: readAssets(assetsOf(context)),
  placesOf,
  program: programOf(context),
  readToken: (path) => pageToken(path, context),
})

/** The built page lies beside the built program. */
export const assetsOf = ({ threadFile }: Context): string =>
  threadFile === undefined ? resolve('dist/web') : join(dirname(threadFile), 'web')

/** The program that serves this page, to be started for an action. */
const programOf = ({ threadFile }: Context): readonly string[] | undefined =>
  threadFile === undefined ? undefined : [process.execPath, join(dirname(threadFile), 'main.js')]

const portOf = (text: string): number => {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new ArchiverError('USAGE', `--port: "${text}" is not a port from 0 to 65535`)
}
