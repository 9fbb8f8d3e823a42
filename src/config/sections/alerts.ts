import {
  ALERT_RULES,
  CHANNELS,
  ruleKey,
  type RuleName,
  ruleOf,
  SEVERITIES,
} from '../../common/alert-rules.ts'
import { suggest } from '../../common/suggest.ts'
import { secret, webhookUrl } from '../addresses.ts'
import { pause } from '../quantities.ts'
import {
  boolean,
  choice,
  decimal,
  integer,
  type Kind,
  type Place,
  map,
  path,
  special,
  text,
  words,
} from '../value-types.ts'
import { key, optional, section } from '../schema.ts'

/** `RULE`, or `RULE:SUBJECT` with `*` in it. */
const ruleAndSubject: Kind<string> = special('RULE or RULE:SUBJECT', (value) => {
  const named = ruleKey(value)
  if (named === undefined) {
    const near = suggest(value.split(':')[0] ?? '', Object.keys(ALERT_RULES))
    throw new SyntaxError(
      `must begin with the name of a rule of docs/monitoring/README.md${near === undefined ? '' : `; did you mean ${near}?`}`,
    )
  }
  if (named.subject === '')
    throw new SyntaxError(`${named.rule}: has nothing behind its colon; leave the colon out`)
  return value
})

/** A map whose keys are rules. */
const byRule = <T>(of: Kind<T>, { numbersOnly = false } = {}): Kind<ReadonlyMap<string, T>> => ({
  ...map,
  type: `map of RULE or RULE:SUBJECT to ${of.type}`,
  json: { type: 'object', additionalProperties: of.json },
  read: (raw, place) =>
    new Map(
      [...map.read(raw, place)].map(([name, value]) => {
        const rule = ruleKey(ruleAndSubject.read(name, place))?.rule
        const read = readFor(name, of, value, place)
        if (numbersOnly && rule !== undefined) checkThreshold(name, rule, Number(value))
        return [name, read]
      }),
    ),
  show: (entries) => `{${[...entries].map(([name, value]) => `${name}: ${of.show(value)}`).join(', ')}}`,
})

/** Refuses a threshold with which a rule would fire always. */
const checkThreshold = (name: string, rule: RuleName, value: number): void => {
  const { threshold, least = 0, most = Infinity } = ruleOf(rule)
  if (threshold === undefined) throw new SyntaxError(`${name} has no threshold`)
  if (value < least) throw new SyntaxError(`${name}: must be ${least} or more, else it fires always`)
  if (value > most) throw new SyntaxError(`${name}: must be ${most} or less, else it fires always`)
}

/** What a rule is given; the error names the rule. No value is quoted: it may come from the environment. */
const readFor = <T>(name: string, of: Kind<T>, value: string, place: Place): T => {
  try {
    return of.read(value, place)
  } catch (error) {
    throw error instanceof SyntaxError ? new SyntaxError(`${name}: ${error.message}`) : error
  }
}

/** Words with commas between them: in a map a value is one text. */
const channelWords: Kind<readonly (typeof CHANNELS)[number][]> = {
  ...special(
    `${CHANNELS.join(', ')}, with commas between them`,
    (value, place) => value.split(',').map((word) => choice(...CHANNELS).read(word.trim(), place)),
    (words) => words.join(', '),
  ),
}

export const reporting = section('Who is notified when something is wrong.', {
  stale_after_hours: key(integer(0, 87_600), '0', {
    doc: 'Notify when nothing has succeeded for so long. 0: never.',
  }),
  email: section(
    'By mail. The old form, these keys directly under `reporting` with `send_email_on_error`, is read too.',
    {
      enabled: key(boolean, 'false', { doc: 'Whether mail is sent.' }),
      smtp_host: key(text, '', { doc: 'Needed when enabled.' }),
      smtp_port: key(integer(1, 65_535), '25', { doc: 'Old form: 587.' }),
      smtp_use_tls: key(boolean, 'false', { doc: 'Whether STARTTLS is required. Old form: true.' }),
      smtp_user: optional(text, { doc: 'Left out: no login.' }),
      smtp_password: optional(secret, { doc: 'For `smtp_user`.' }),
      sender_email: key(text, '', { doc: 'Needed when enabled.' }),
      recipient_email: key(words(text), [], {
        doc: 'Needed when enabled; one address, several with commas between them, or a list.',
        as: 'recipientEmails',
      }),
    },
  ),
  slack: section('By Slack: a webhook, or a bot token and a channel.', {
    enabled: key(boolean, 'false', { doc: 'Whether Slack is notified.' }),
    webhook_url: optional(webhookUrl, { doc: 'An incoming webhook.' }),
    bot_token: optional(secret, { doc: 'A bot token, with `channel`.' }),
    channel: key(text, '', { doc: 'Needed with `bot_token`.' }),
    mention_users: key(words(text), [], {
      doc: 'Member ids that are mentioned; a list, or a text with commas between them.',
    }),
  }),
  webhook: section('By a JSON document, POSTed.', {
    enabled: key(boolean, 'false', { doc: 'Whether the webhook is called.' }),
    url: optional(webhookUrl, { doc: 'Where it is posted. Needed when enabled.' }),
    signing_key: optional(secret, { doc: 'Key of the HMAC-SHA256 that signs the body.' }),
  }),
  ntfy: section('By ntfy, as a push message.', {
    enabled: key(boolean, 'false', { doc: 'Whether ntfy is used.' }),
    url: optional(webhookUrl, { doc: 'Server and topic: `https://ntfy.sh/TOPIC`. Needed when enabled.' }),
    token: optional(secret, { doc: 'An access token.' }),
  }),
  ping: section(
    "A dead man's switch: a service that hears of every pass, idle ones too, and notifies people when it hears nothing.",
    {
      enabled: key(boolean, 'false', { doc: 'Whether it is pinged.' }),
      url: optional(webhookUrl, {
        doc: 'The address of the check, as Healthchecks gives it: `/start`, `/fail` and `/log` are added. Needed when enabled.',
      }),
    },
  ),
  rules: section(
    'Which alerts are sent, and how: by `alerts check`, and by a pass at its end. Each rule is named `RULE`, or `RULE:SUBJECT` for one task, stage, path or run; `*` in a subject stands for any characters. Of several that fit, the one that says most of the subject wins. docs/monitoring/README.md lists the rules.',
    {
      on: key(words(ruleAndSubject), [], {
        doc: 'Rules that are turned on: `finished:DAILY_*` sends a message for each execution of these tasks that ended well.',
      }),
      off: key(words(ruleAndSubject), [], { doc: 'Rules that are turned off.' }),
      threshold: key(byRule(decimal(0), { numbersOnly: true }), new Map(), {
        doc: 'Thresholds, in the units of the list of rules: `{disk: 5, "duration:NIGHTLY": 3}`.',
      }),
      severity: key(byRule(choice(...SEVERITIES)), new Map(), {
        doc: 'How bad it is: info, warning or critical.',
      }),
      channels: key(byRule(channelWords), new Map(), {
        doc: 'Who is notified: `{finished: webhook, failed: "email, slack"}`. Left out, or none of them turned on: all channels that are.',
      }),
    },
  ),
  command: section(
    'Commands of your own, run by `/bin/sh` for 5 s at most, with `ARCHIVER_*` variables and text on standard input.',
    {
      before: optional(text, { doc: 'When a pass begins.' }),
      after: optional(text, { doc: 'When a pass has ended, however it ended.' }),
      on_error: optional(text, { doc: 'When a pass has failed, before `after`.' }),
      on_alert: optional(text, { doc: 'For each alert. Exit code 0: somebody was notified.' }),
    },
  ),
})

export const carbon = section("Metrics to Carbon, with the original's names.", {
  enabled: key(boolean, 'false', { doc: 'Whether metrics are sent.' }),
  host: key(text, '', { doc: 'Needed when enabled.' }),
  port: key(integer(1, 65_535), '2003', { doc: 'The plaintext port.' }),
  metric_prefix: key(text, '', { doc: 'Stands before each name, with a dot.' }),
  timeout_seconds: key(pause(0.001), '2', { doc: 'How long a pass waits for Carbon at its end.' }),
})

export const metrics = section('Metrics for Prometheus.', {
  textfile: optional(path, {
    doc: 'A file for the textfile collector, such as `/var/lib/node_exporter/textfile/run_archiver.prom`.',
  }),
})
