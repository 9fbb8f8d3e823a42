import { type Context, Hono } from 'hono'
import { createHash } from 'node:crypto'
import { ArchiverError, messageOf, type Code } from '../../errors.ts'
import type { PageSources } from '../sources.ts'
import { csvOf } from './csv.ts'
import { openApi, READS, type Write } from './openapi.ts'
import type { Slice } from '../model.ts'
import { LIMIT, Problem, type Query, type Read } from './question.ts'

/** An answer of application/problem+json. */
export const problemReply = (context: Context, problem: Problem): Response =>
  context.json(
    { type: 'about:blank', title: problem.message, status: problem.status, code: problem.code },
    problem.status,
    {
      'content-type': 'application/problem+json',
      ...(problem.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    },
  )

const STATUS: Readonly<Partial<Record<Code, Problem['status']>>> = {
  NOT_FOUND: 404,
  USAGE: 400,
  CONFLICT: 409,
}

/** The answer where no route fits: `notFound` of a part is never asked, only that of the whole. */
export const NOTHING_HERE = new Problem(404, 'NOT_FOUND', 'there is nothing at this address for this method')

/** What was thrown, as a problem: our own errors by their code, a bug without its text. */
export const problemOf = (error: unknown, redact: (text: string) => string): Problem => {
  if (error instanceof Problem) return error
  if (error instanceof ArchiverError) {
    return new Problem(STATUS[error.code] ?? 503, error.code, redact(messageOf(error)))
  }
  return new Problem(503, 'LEDGER_UNAVAILABLE', redact(messageOf(error)))
}

/** A reply with the ETag of its body; 304 without a body where the reader has it already. */
export const tagged = (context: Context, text: string, type: string): Response => {
  // Once into bytes: the hash, the length and the connection would each do it again.
  const body = new TextEncoder().encode(text)
  const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  const headers = { etag: tag, 'cache-control': 'no-cache', 'content-type': type }
  const known = context.req
    .header('if-none-match')
    ?.split(',')
    .map((one) => one.trim().replace(/^W\//, ''))
  if (known?.includes(tag) || known?.includes('*')) return context.body(null, 304, headers)
  return context.body(body, 200, headers)
}

/** Text in pieces, each made when the reader has taken the one before. A reader that leaves ends it. */
const textReply = (context: Context, pieces: AsyncGenerator<string, void>): Response => {
  const encoder = new TextEncoder()
  // Nothing is read ahead: to a HEAD, whose body nobody takes, no file is opened.
  const body = new ReadableStream<Uint8Array>(
    {
      pull: async (stream) => {
        const { done, value } = await pieces.next()
        if (done) stream.close()
        else stream.enqueue(encoder.encode(value))
      },
      cancel: async () => {
        await pieces.return()
      },
    },
    { highWaterMark: 0 },
  )
  return context.body(body, 200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
}

/** Rows of a CSV without a limit of its own, which has no place for the `next` of a list: part after part, so many at most. */
const CSV_ROWS = 10_000
/** Rows that one question reads. */
const PART = 1000

type Part = Slice<unknown>

const manyParts = async (read: Read, ask: Query): Promise<Part> => {
  const isInParts = read.query.some(({ name }) => name === 'cursor') && read.query.includes(LIMIT)
  if (!isInParts || ask.query.get('limit')) return (await read.read(ask)) as Part
  const query = new URLSearchParams(ask.query)
  query.set('limit', String(PART))
  const items: unknown[] = []
  for (;;) {
    const part = (await read.read({ ...ask, query })) as Part
    items.push(...part.items)
    if (part.next === undefined || items.length >= CSV_ROWS) return { items, next: part.next }
    query.set('cursor', part.next)
  }
}

/** The same question for what is behind: relative, whatever stands before the path. */
const nextAddress = (query: URLSearchParams, next: string): string => {
  const other = new URLSearchParams(query)
  other.set('cursor', next)
  return `?${other.toString()}`
}

/** The read side of the API, from the table that also makes its OpenAPI document. */
export const readRoutes = (sources: PageSources, base: string, writes: readonly Write[]): Hono => {
  const app = new Hono()
  app.onError((error, context) => problemReply(context, problemOf(error, sources.redact)))
  app.get('/openapi.json', (context) =>
    tagged(context, JSON.stringify(openApi(sources.version, base, writes)), 'application/json'),
  )
  for (const read of READS)
    app.get(read.path.replace(/\{(\w+)\}/g, ':$1'), async (context) => {
      const query = new URL(context.req.url).searchParams
      const ask = { sources, now: sources.now(), path: context.req.param(), query }
      if (query.get('format') === 'csv' && read.kind === 'list') {
        const { items, next } = await manyParts(read, ask)
        if (next !== undefined) context.header('link', `<${nextAddress(query, next)}>; rel="next"`)
        return tagged(context, csvOf(items), 'text/csv; charset=utf-8')
      }
      const answer = await read.read(ask)
      if (read.kind === 'text') return textReply(context, answer as AsyncGenerator<string, void>)
      return tagged(context, JSON.stringify(answer), 'application/json')
    })
  return app
}
