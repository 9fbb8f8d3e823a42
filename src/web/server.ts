import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { Problem } from './api/question.ts'
import { NOTHING_HERE, problemOf, problemReply, readRoutes, tagged } from './api/routes.ts'
import { reportRoutes, reportTable, type Reports } from './api/writes.ts'
import { type Actions, actionRoutes, type Results } from './actions.ts'
import type { Assets } from './assets.ts'
import { eventReply } from './event-reply.ts'
import { Guard, type GuardOptions, HEADERS } from './guard.ts'
import { LiveHub } from './live.ts'
import { readOn, type LogPlace } from './log-file.ts'
import { jumpTo } from './jump.ts'
import type { PageSources } from './sources.ts'
import { renderPage } from './render.tsx'
import { failedCount } from './components/runs.tsx'
import { viewAt } from './site.tsx'
import { SteadyLedger } from './steady.ts'
import { isReadToEnd } from './unread-body.ts'
import type { FrameFacts } from './view.ts'

export interface ServerOptions extends GuardOptions {
  readonly sources: PageSources
  readonly assets: Assets
  /** `127.0.0.1:8090`, as it stands in the side list. */
  readonly place: () => string
  readonly keys: boolean
  readonly actions: ((from: string) => Actions) | undefined
  /** Takes reports of pipelines; undefined: there is no ledger. */
  readonly reports?: Reports | undefined
  /** The text of /metrics; undefined: there is none. */
  readonly metrics?: (() => Promise<string>) | undefined
  /** Milliseconds between two looks at the ledger. */
  readonly pollEvery?: number
}

export interface PageServer {
  /** `env` holds the connection that a request came by. */
  readonly fetch: (request: Request, env?: object) => Response | Promise<Response>
  readonly hub: LiveHub
  /**
   * Draws pages that nobody has asked for yet, so that the first reader does not wait for what the program reads and compiles once. Never throws: what
   * cannot be shown, the page says when it is asked for.
   */
  warm(): Promise<void>
  close(): void
}

const READERS_AT_MOST = 100
const BODY_AT_MOST = 1_000_000

/** The whole page: documents, assets, API, live updates and actions, behind one guard. */
export const pageServer = (options: ServerOptions): PageServer => {
  const { sources: given, base, assets } = options
  const guard = new Guard(options)
  const steady = given.ledger && new SteadyLedger(given.ledger, given.now)
  const sources: PageSources = { ...given, ledger: steady?.reads }
  const results: Results = new Map()
  const site = { sources, steady, hasToken: guard.hasToken, canAct: options.actions !== undefined, results }
  const hub = new LiveHub({
    revision: async () => (sources.ledger ? sources.ledger.revision() : ''),
    partOf: (path) => partOf(path, sources),
    readLog: (log, place) => readOn(log, sources, place),
    view: (path, mayAct) => viewAt(path, mayAct, site),
    base,
    now: sources.now,
    every: options.pollEvery ?? 1000,
    readersAtMost: READERS_AT_MOST,
  })
  const app = base === '' ? new Hono() : new Hono().basePath(base)
  app.use(async (context, next) => {
    await next()
    const { method, raw } = context.req
    const unread = ['GET', 'HEAD'].includes(method) || raw.bodyUsed ? null : raw.body
    if (unread && !(await isReadToEnd(unread))) context.header('connection', 'close')
  })
  app.use(async (context, next) => {
    for (const [name, value] of Object.entries(HEADERS)) context.header(name, value)
    const isProbe = context.req.path === `${base}/healthz` || context.req.path === `${base}/readyz`
    if (!isProbe && !guard.isKnownHost(context.req.header('host')))
      return problemReply(
        context,
        new Problem(403, 'USAGE', 'this name is not one of the page; serve --public-url adds it'),
      )
    // Nothing that is stored holds one, and a database that is asked for one refuses: that is not the ledger's fault.
    if (/%00/.test(context.req.url))
      return problemReply(context, new Problem(400, 'USAGE', 'an address cannot hold a NUL character (%00)'))
    const isWrite = !['GET', 'HEAD'].includes(context.req.method)
    if (isWrite && !guard.isOwnOrigin(context.req.raw.headers))
      return problemReply(context, new Problem(403, 'USAGE', 'a write must come from a page of this server'))
    return next()
  })
  // Also of a body that does not say how long it is: whatever reads one holds it whole.
  const onError = (context: Context): Response =>
    problemReply(context, new Problem(413, 'USAGE', 'the body is larger than 1 MB'))
  app.use(bodyLimit({ maxSize: BODY_AT_MOST, onError }))
  app.get('/assets/:name', (context) => {
    const asset = assets.files.get(context.req.param('name'))
    if (!asset) return context.notFound()
    const keep = 'public, max-age=31536000, immutable'
    return context.body(asset.body.slice().buffer, 200, { 'content-type': asset.type, 'cache-control': keep })
  })
  app.get('/healthz', (context) => context.text('ok\n'))
  app.get('/readyz', async (context) => {
    try {
      await given.ledger?.revision()
      return context.text('ready\n')
    } catch {
      return context.text('the ledger does not answer\n', 503)
    }
  })
  const { metrics } = options
  if (metrics)
    app.get('/metrics', async (context) =>
      context.body(await metrics(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
    )
  app.get('/events', (context) => events(context, hub, guard))
  app.get('/api/v1/events', (context) => events(context, hub, guard))
  app.get('/search', async (context) =>
    context.redirect(`${base}${await jumpTo(context.req.query('q') ?? '', sources)}`, 303),
  )
  const { reports } = options
  if (reports) app.route('/api/v1', reportRoutes(guard, reports, sources.redact))
  app.route('/', actionRoutes({ guard, base, actions: options.actions, sources, results }))
  app.route('/api/v1', readRoutes(sources, base, reports ? reportTable(reports) : []))
  app.notFound((context) => problemReply(context, NOTHING_HERE))
  app.onError((error, context) => problemReply(context, problemOf(error, sources.redact)))
  app.all('/api/*', (context) => problemReply(context, NOTHING_HERE))
  app.get('*', async (context) => {
    const url = new URL(context.req.url)
    const path = `${url.pathname.slice(base.length) || '/'}${url.search}`
    const mayAct = guard.mayAct(context.req.raw.headers)
    const view = await viewAt(path, mayAct, site)
    const html = await renderPage(view, await frameFacts(options, sources, { mayAct, path }), base)
    if (view.status && view.status !== 200) return context.html(html, view.status)
    return tagged(context, html, 'text/html; charset=utf-8')
  })
  const warm = async (): Promise<void> => {
    const snapshot = await sources.runs?.snapshot().catch(() => undefined)
    const newest = snapshot?.artdaq.known ? snapshot.artdaq.value.last : undefined
    for (const path of ['/', '/runs', ...(newest === undefined ? [] : [`/runs/${newest}`])]) {
      const headers = { host: options.place() }
      await (await app.fetch(new Request(`http://${options.place()}${base}${path}`, { headers }))).text()
    }
  }
  return { fetch: (request, env) => app.fetch(request, env), hub, warm, close: () => hub.close() }
}

/** What the frame shows. It never fails: what cannot be read has no badge. */
const frameFacts = async (
  options: Pick<ServerOptions, 'assets' | 'place' | 'keys' | 'token'>,
  sources: PageSources,
  { mayAct, path }: { readonly mayAct: boolean; readonly path: string },
): Promise<FrameFacts> => {
  const snapshot = await sources.runs?.snapshot().catch(() => undefined)
  const alerts = await sources.alerts?.().catch(() => undefined)
  return {
    assets: options.assets.names,
    site: sources.site,
    version: sources.version,
    place: options.place(),
    failures: snapshot && failedCount(snapshot),
    firing: alerts?.firing.filter(({ silence }) => !silence).length,
    mayAct,
    hasToken: options.token !== undefined,
    keys: options.keys,
    path,
    revision: '',
  }
}

/** What a page shows that has no place in the ledger. */
const partOf = (path: string, { changes }: PageSources): (() => Promise<string>) | undefined => {
  const [page = ''] = path.split('?')
  if (page === '/' || /^\/runs(?:\/|$)/.test(page)) return changes?.runs
  if (page === '/rows' || page === '/records') return changes?.[page === '/rows' ? 'rows' : 'records']
  return page === '/instances' ? changes?.backlog : undefined
}

/** `2049-1234.56`: the file and the byte up to which a page shows its log. */
const logPlace = (text: string | undefined): LogPlace | undefined => {
  const [, file, at] = /^(\d{1,20}-\d{1,20})\.(\d{1,15})$/.exec(text ?? '') ?? []
  return file === undefined ? undefined : { file, at: Number(at) }
}

const events = (context: Context, hub: LiveHub, guard: Guard): Response =>
  eventReply(context, hub, {
    path: context.req.query('page') ?? '/',
    mayAct: guard.mayAct(context.req.raw.headers),
    log: logPlace(context.req.query('log')),
  })
