import { counted } from '../common/counted.ts'
import { lookAtBacklog } from '../app/alert-queue.ts'
import { siteFacts } from '../app/alert-site.ts'
import { withLedger } from '../app/with-ledger.ts'
import { type Command, untilStopped } from '../app/context.ts'
import { ALERT_RULES } from '../common/alert-rules.ts'
import { printable, redactor } from '../common/redact.ts'
import { loadConfig } from '../config/load-config.ts'
import { secretsOf } from '../config/secrets-of.ts'
import type { Config } from '../config/settings.ts'
import { ArchiverError } from '../errors.ts'
import { identity, now } from '../platform/host.ts'
import type { LedgerDatabase } from '../tracking/ledger/schema-types.ts'

export interface AlertsOptions {
  readonly config: string
  readonly json?: boolean
  readonly all?: boolean
  readonly rule?: string
  readonly subject?: string
  readonly for?: string
  readonly reason?: string
}

/** Milliseconds for one message to one channel. */
const PATIENCE = 5000

/**
 * `alerts check`: looks at every rule, records what changed and sends it. Exit 0 when it did so, whatever it found; throws NOBODY_TOLD when
 * channels are configured and none took a message.
 */
export const alertsCheck: Command<AlertsOptions> = async (options, context) => {
  const config = await loadConfig(options.config, context.env, ['app', 'ledger', 'reporting', 'queue'])
  const [{ checkAlerts }, { channelsOf }, { RuleSettings }] = await Promise.all([
    import('../tracking/alerts/check-alerts.ts'),
    import('../tracking/alerts/channels.ts'),
    import('../tracking/alerts/rule-settings.ts'),
  ])
  const result = await withLedger(config, context, async (database) =>
    checkAlerts(database, {
      rules: new RuleSettings(config.reporting.rules),
      channels: channelsOf(config.reporting, PATIENCE, context.env),
      now: now(),
      host: identity().host,
      redact: redactor(secretsOf(config)),
      timeout: PATIENCE,
      warn: (message) => context.err(`${message}\n`),
      site: await everyFact(database, config),
    }),
  )
  const lines = [
    ...result.found.map(({ severity, rule, subject, title }) => `${severity}  ${rule}  ${subject}  ${title}`),
    ...result.sent.flatMap(({ rule, subject, title }) =>
      rule === 'finished' ? [`finished  ${subject}  ${title}`] : [],
    ),
    ...result.resolved.map(({ rule, subject }) => `resolved  ${rule}  ${subject}`),
  ]
  const text = lines.length === 0 ? 'Nothing is wrong.\n' : linesText(lines)
  context.out(options.json ? `${JSON.stringify(result, null, 2)}\n` : text)
  if (result.unsent.length > 0)
    throw new ArchiverError(
      'NOBODY_TOLD',
      `no channel of \`reporting\` took ${counted(result.unsent.length, 'alert')}`,
      {
        hint: 'The lines above say why. The next check sends them again.',
      },
    )
  return 0
}

const everyFact = async (database: LedgerDatabase, { app, queue }: Pick<Config, 'app' | 'queue'>) => {
  const [site, backlog] = await Promise.all([siteFacts(database, app), lookAtBacklog(queue, app.workDir)])
  return { ...site, ...backlog, notKnown: [...(site.notKnown ?? []), ...backlog.notKnown] }
}

/** `alerts list`: what fires now; with `--all` what has ended too. */
export const alertsList = untilStopped<AlertsOptions>(async (options, context) => {
  const config = await loadConfig(options.config, context.env, ['app', 'ledger'])
  const { listAlerts, listSilences } = await import('../tracking/alerts/alert-store.ts')
  const [alerts, silences] = await withLedger(
    config,
    context,
    async (database) =>
      [
        await listAlerts(database, { all: options.all === true, limit: 500 }),
        await listSilences(database, now()),
      ] as const,
  )
  if (options.json) context.out(`${JSON.stringify({ alerts, silences }, null, 2)}\n`)
  else
    context.out(
      linesText([
        ...alerts.map(
          ({ firedAt, resolvedAt, severity, rule, subject, title }) =>
            `${new Date(firedAt).toISOString()}  ${resolvedAt === undefined ? severity : 'resolved'}  ${rule}  ${subject}  ${title}`,
        ),
        ...silences.map(
          ({ rule, subject, until }) => `silent until ${new Date(until).toISOString()}  ${rule}  ${subject}`,
        ),
      ]) || 'No alert.\n',
    )
  return 0
})

/** Names of tasks come from programs that report: none of them steers the terminal. */
const linesText = (lines: readonly string[]): string => lines.map((line) => `${printable(line)}\n`).join('')

/** `alerts silence RULE`: records alerts of the rule and does not send them, for a time. `--for 0` ends the silence. */
export const alertsSilence: Command<AlertsOptions> = async (options, context) => {
  const { rule = '*', subject = '*', reason } = options
  if (rule !== '*' && !Object.hasOwn(ALERT_RULES, rule))
    throw new ArchiverError('USAGE', `"${rule}" is not the name of a rule`, {
      hint: `one of ${Object.keys(ALERT_RULES).join(', ')}, or *`,
    })
  const until = now() + spanOf(options.for ?? '1h')
  const named = `${rule === '*' ? 'Every rule' : rule} of ${subject === '*' ? 'every task' : subject} is`
  const config = await loadConfig(options.config, context.env, ['app', 'ledger'])
  const { silence } = await import('../tracking/alerts/alert-store.ts')
  await withLedger(config, context, (database) =>
    silence(database, { rule, subject, until }, { user: identity().user, reason, now: now() }),
  )
  context.out(
    options.json
      ? `${JSON.stringify({ rule, subject, until })}\n`
      : `${named} silent until ${new Date(until).toISOString()}\n`,
  )
  return 0
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

const spanOf = (text: string): number => {
  const [, count, unit = 'm'] = /^(\d{1,5})([mhdw])?$/.exec(text) ?? []
  if (count !== undefined) return Number(count) * (UNITS[unit] ?? 0)
  throw new ArchiverError('USAGE', `--for: "${text}" is not a time`, {
    hint: 'such as 30m, 8h, 2d; 0 ends it',
  })
}
