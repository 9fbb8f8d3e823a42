import { Hono, type Context } from 'hono'
import type { Guard } from '../guard.ts'
import type { Write } from './openapi.ts'
import { Problem } from './question.ts'
import { problemOf, problemReply } from './routes.ts'

/** How an execution stands after a report. */
interface Answer {
  readonly changed: boolean
}

/** Takes reports of pipelines. Each is written when its promise resolves. Throws USAGE, NOT_FOUND, CONFLICT, LEDGER_UNAVAILABLE. */
export interface Reports {
  begin(value: Readonly<Record<string, unknown>>): Promise<Answer>
  report(id: string, value: Readonly<Record<string, unknown>>): Promise<Answer>
  rows(value: unknown): Promise<object>
  /** JSON Schema of the fields of an operation. */
  fields(op: string): Readonly<Record<string, object>>
}

/** A report that has an address of its own; the first operation is meant where the body names none. */
interface Route {
  readonly method: 'post' | 'patch'
  readonly path: string
  readonly doc: string
  readonly ops: readonly string[]
}

const ROUTES: readonly Route[] = [
  {
    method: 'patch',
    path: '/executions/{id}',
    doc: 'Reports how an execution stands. What is left out stays, null clears; "op" names another report than "status".',
    ops: ['status', 'progress', 'add', 'message', 'enter', 'exit', 'heartbeat', 'finish', 'error', 'cancel'],
  },
  {
    method: 'post',
    path: '/executions/{id}/steps',
    doc: 'A step begins ("op": "enter"), ends ("exit") or gets a message ("message").',
    ops: ['enter', 'exit', 'message'],
  },
  {
    method: 'post',
    path: '/executions/{id}/progress',
    doc: 'Items of the step in hand: how many are done ("progress"), or so many more ("add").',
    ops: ['progress', 'add'],
  },
  {
    method: 'post',
    path: '/executions/{id}/heartbeat',
    doc: 'It is alive, with what was measured.',
    ops: ['heartbeat'],
  },
  { method: 'post', path: '/executions/{id}/finish', doc: 'The end: FINISHED.', ops: ['finish'] },
  { method: 'post', path: '/executions/{id}/error', doc: 'The end: FAILED.', ops: ['error'] },
]

const SEQ = {
  type: 'integer',
  minimum: 1,
  description: 'counts up; a report that is sent again changes nothing',
}

const AT = {
  type: 'integer',
  description: 'when it happened, epoch milliseconds, for a report that had to wait; left out: now',
}

/** The reports as the OpenAPI document describes them. */
export const reportTable = (reports: Reports): readonly Write[] => [
  {
    method: 'post',
    path: '/executions',
    doc: 'An execution begins. With a run id that is there already nothing changes.',
    body: {
      type: 'object',
      required: ['task_name'],
      properties: { run_id: { type: 'string', format: 'uuid' }, at: AT, ...reports.fields('init') },
    },
  },
  ...ROUTES.map(({ method, path, doc, ops }) => ({
    method,
    path,
    doc,
    body: {
      type: 'object',
      properties: Object.assign(
        { ...(ops.length > 1 ? { op: { enum: ops, default: ops[0] } } : {}), seq: SEQ, at: AT },
        ...ops.map((op) => reports.fields(op)).reverse(),
      ) as object,
    },
  })),
  {
    method: 'post',
    path: '/reports',
    doc: 'Whole rows, as clients keep them while the service is away. A row that was written before changes nothing.',
    body: {
      type: 'object',
      required: ['rows'],
      properties: {
        rows: {
          type: 'array',
          maxItems: 1000,
          items: {
            type: 'object',
            required: ['t', 'c'],
            properties: {
              t: { type: 'string', description: 'table' },
              c: { type: 'object', description: 'columns' },
            },
          },
        },
      },
    },
  },
]

/** The addresses below /api/v1 that take reports, for holders of the token for reporting. */
export const reportRoutes = (guard: Guard, reports: Reports, redact: (text: string) => string): Hono => {
  const app = new Hono()
  app.onError((error, context) => problemReply(context, problemOf(error, redact)))
  app.post('/executions', async (context) => {
    const answer = await reports.begin(objectOf(await bodyOf(context, guard)))
    return context.json(answer, answer.changed ? 201 : 200)
  })
  app.post('/reports', async (context) => context.json(await reports.rows(await bodyOf(context, guard))))
  for (const { method, path, ops } of ROUTES)
    app[method](path.replace('{id}', ':id'), async (context) => {
      const body = objectOf(await bodyOf(context, guard))
      const { op = ops[0] } = body
      if (typeof op !== 'string' || !ops.includes(op))
        throw new Problem(400, 'USAGE', `"op" must be one of ${ops.join(', ')}`)
      return context.json(await reports.report(context.req.param('id') ?? '', { ...body, op }))
    })
  return app
}

/** The body, once it is known who sends it and that it is JSON, which no form of another site can send. */
const bodyOf = async (context: Context, guard: Guard): Promise<unknown> => {
  if (!guard.mayReport(context.req.raw.headers))
    throw new Problem(
      401,
      'USAGE',
      'reports need the token of serve.report_token_file or serve.token_file: Authorization: Bearer TOKEN',
    )
  if (!/^application\/json\b/i.test(context.req.header('content-type') ?? ''))
    throw new Problem(415, 'USAGE', 'the body must be application/json')
  const text = await context.req.text()
  try {
    return text.trim() === '' ? {} : (JSON.parse(text) as unknown)
  } catch {
    throw new Problem(400, 'USAGE', 'the body is not JSON')
  }
}

const objectOf = (value: unknown): Record<string, unknown> => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new Problem(400, 'USAGE', 'the body must be a JSON object')
}
