import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'
import { randomUUID } from 'node:crypto'
import { ArchiverError } from '../errors.ts'
import type { Guard } from './guard.ts'
import type { PageSources } from './sources.ts'
import { Problem } from './api/question.ts'
import { problemOf, problemReply } from './api/routes.ts'

/** What was started, or asked for, and the command that does the same. */
export interface ActionResult {
  readonly said: string
  readonly command: string
}

/** What a person with the token may do. Each writes an event; none deletes or overwrites anything. */
export interface Actions {
  /** Starts a pass over the failed runs of a stage. */
  retry(stage: 'import' | 'migrate', runs: string | undefined, dryRun: boolean): Promise<ActionResult>
  /** Asks an execution of this host to stop after what is in hand. */
  cancel(id: string): Promise<ActionResult>
  /** Compares what was compared longest ago, now. */
  scrub(): Promise<ActionResult>
  silence(rule: string, subject: string, until: number, why: string): Promise<ActionResult>
}

/** What was done lately, by a number that nobody can guess: the page that says so is shown once it was. */
export type Results = Map<string, ActionResult>

const RESULTS = 100

interface ActionOptions {
  readonly results: Results
  readonly guard: Guard
  readonly base: string
  /** What may be done, asked from an address. */
  readonly actions: ((from: string) => Actions) | undefined
  readonly sources: PageSources
}

/** Signing in and out, and the actions, for forms and for programs. Without the token each answers 401. */
export const actionRoutes = ({ guard, base, actions, sources, results }: ActionOptions): Hono => {
  const said = (result: ActionResult): string => remember(base, results, result)
  const app = new Hono()
  app.onError((error, context) => problemReply(context, problemOf(error, sources.redact)))
  app.post('/login', async (context) => {
    const form = await context.req.parseBody()
    const given = form['token']
    const verdict = guard.login(typeof given === 'string' ? given.trim() : '')
    if (verdict !== 'in') return context.redirect(`${base}/login?${verdict}`, 303)
    return context.body(null, 303, { location: `${base}/`, 'set-cookie': guard.cookie(true) })
  })
  app.post('/logout', (context) =>
    context.body(null, 303, { location: `${base}/`, 'set-cookie': guard.cookie(false) }),
  )
  app.post('/actions/*', async (context, next) => allowed(guard, context.req.raw.headers, actions) ?? next())
  app.post('/actions/retry/:stage', async (context) => {
    const stage = stageOf(context.req.param('stage'))
    return context.redirect(said(await given(actions, context).retry(stage, undefined, false)), 303)
  })
  app.post('/actions/cancel/:id', async (context) => {
    const id = context.req.param('id')
    const form = await context.req.parseBody()
    if (form['confirm'] !== id) throw new Problem(400, 'USAGE', `type ${id} to stop this execution`)
    return context.redirect(said(await given(actions, context).cancel(id)), 303)
  })
  app.post('/actions/scrub', async (context) =>
    context.redirect(said(await given(actions, context).scrub()), 303),
  )
  app.post('/actions/silence', async (context) => {
    const form = await context.req.parseBody()
    const [, rule = '', subject = ''] = /^([^|]+)\|(.+)$/s.exec(textOf(form['alert'])) ?? []
    const until = untilOf(Number(form['hours']), textOf(form['why']), sources)
    return context.redirect(
      said(await given(actions, context).silence(rule, subject, until, textOf(form['why']))),
      303,
    )
  })
  app.post('/api/v1/alerts/:rule/silence', async (context) => {
    const refused = allowed(guard, context.req.raw.headers, actions)
    if (refused) return refused
    const { hours, why, subject } = asRecord(await context.req.json().catch(() => undefined))
    const until = untilOf(Number(hours), textOf(why), sources)
    const only = subject === undefined ? '*' : textOf(subject)
    return context.json(
      await given(actions, context).silence(context.req.param('rule'), only, until, textOf(why)),
      202,
    )
  })
  app.post('/api/v1/runs/retry', async (context) => {
    const refused = allowed(guard, context.req.raw.headers, actions)
    if (refused) return refused
    const body: unknown = await context.req.json().catch(() => undefined)
    const { stage, runs, dry_run: dryRun } = asRecord(body)
    const only = typeof runs === 'string' ? runs : undefined
    const done = await given(actions, context).retry(stageOf(stage), only, dryRun === true)
    return context.json(done, 202)
  })
  app.post('/api/v1/executions/:id/cancel', async (context) => {
    const refused = allowed(guard, context.req.raw.headers, actions)
    if (refused) return refused
    return context.json(await given(actions, context).cancel(context.req.param('id')), 202)
  })
  return app
}

const stageOf = (value: unknown): 'import' | 'migrate' => {
  if (value === 'import' || value === 'migrate') return value
  throw new Problem(400, 'USAGE', 'stage must be import or migrate')
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value.trim() : '')

const untilOf = (hours: number, why: string, { now }: PageSources): number => {
  if (!(hours > 0 && hours <= 24 * 30) || why === '')
    throw new Problem(400, 'USAGE', 'hours (1 to 720) and why are needed')
  return now() + hours * 3_600_000
}

const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

const given = (actions: ActionOptions['actions'], context: Context): Actions => {
  if (actions) return actions(getConnInfo(context).remote.address ?? '')
  throw new ArchiverError('USAGE', 'no archiver is configured here: there is nothing to act on')
}

const allowed = (guard: Guard, headers: Headers, actions: ActionOptions['actions']): Response | undefined => {
  const problem = !guard.mayAct(headers)
    ? new Problem(401, 'USAGE', 'this needs the token: sign in, or send Authorization: Bearer TOKEN')
    : actions
      ? undefined
      : new Problem(404, 'NOT_FOUND', 'no archiver is configured here')
  return (
    problem &&
    Response.json(
      { type: 'about:blank', title: problem.message, status: problem.status, code: problem.code },
      { status: problem.status, headers: { 'content-type': 'application/problem+json' } },
    )
  )
}

const remember = (base: string, results: Results, result: ActionResult): string => {
  const id = randomUUID()
  results.set(id, result)
  const oldest = results.keys().next().value
  if (results.size > RESULTS && oldest !== undefined) results.delete(oldest)
  return `${base}/done/${id}`
}
