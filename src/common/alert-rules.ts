/** A rule of alerts. */
interface Rule {
  /** When it fires, in a few words; `{}` is its threshold. */
  readonly text: string
  /** What is compared with, where a site may choose it, in the unit that the text names. */
  readonly threshold?: number
  /** What a threshold may be at least, and at most: beyond, the rule fires always or never. Left out: 0, and any. */
  readonly least?: number
  readonly most?: number
  /** Fires only where the configuration turns it on. */
  readonly off?: true
}

/** Every rule by its name, with what holds where the configuration says nothing. docs/monitoring/README.md explains each. */
export const ALERT_RULES = {
  failed: { text: 'the newest execution of a task failed' },
  partial: { text: 'the newest execution of a task ended with failed items' },
  finished: { text: 'an execution of a task ended well', off: true },
  duration: { text: 'longer than p95 × {}, or than expected × 2', threshold: 1.5, least: 1 },
  hung: { text: 'no progress for {} min, or for 5 items', threshold: 10, least: 0.1 },
  lost: { text: 'no heartbeat for {} s', threshold: 45, least: 1 },
  late: { text: 'schedule and grace have passed' },
  kills: { text: '{} in 24 h', threshold: 3, least: 1 },
  reboot: { text: '{} in 24 h', threshold: 1, least: 1 },
  terminated: { text: '{} in 24 h', threshold: 1, least: 1 },
  conflicts: { text: '{} in 24 h', threshold: 1, least: 1 },
  throttled: { text: 'held back for {} min', threshold: 15, least: 0.1 },
  lag_unknown: { text: 'held back because no replica says its lag' },
  failure_log: { text: 'more than {} runs', threshold: 50 },
  gap: { text: 'older than {} h', threshold: 24 },
  backlog_growing: { text: '{} passes in a row left more', threshold: 3, least: 1 },
  distance: { text: 'more than {} runs', threshold: 1000 },
  damaged: { text: 'the scrub found a damaged copy' },
  disk: { text: 'less than {} % free', threshold: 10, most: 100 },
  log_size: { text: 'more than {} GiB', threshold: 1 },
  instance_lost: { text: 'a worker without a sign of life, in 24 h' },
  fenced: { text: '{} refused results in 24 h', threshold: 1, least: 1 },
  poison: { text: 'an item that kills its workers' },
} as const satisfies Readonly<Record<string, Rule>>

export type RuleName = keyof typeof ALERT_RULES

/** One rule as every rule is described. */
export const ruleOf = (name: RuleName): Rule => ALERT_RULES[name]

export const SEVERITIES = ['info', 'warning', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

/** Words of the configuration for the channels of `reporting`. */
export const CHANNELS = ['email', 'slack', 'webhook', 'ntfy', 'command'] as const
export type ChannelWord = (typeof CHANNELS)[number]

/** The rule and the subjects of `RULE` or `RULE:SUBJECT`; undefined where there is no such rule. `*` in a subject stands for any characters. */
export const ruleKey = (key: string): { readonly rule: RuleName; readonly subject: string } | undefined => {
  const [name = '', ...rest] = key.split(':')
  if (!Object.hasOwn(ALERT_RULES, name)) return undefined
  return { rule: name as RuleName, subject: rest.length === 0 ? '*' : rest.join(':') }
}
