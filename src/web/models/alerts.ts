/** Until when a rule's alerts are recorded and not sent, and why. `*` stands for every rule or subject. */
export interface AlertSilence {
  readonly rule: string
  readonly subject: string
  /** Epoch milliseconds. */
  readonly until: number
  readonly why: string | undefined
  readonly by: string | undefined
}

/** Something that is wrong now. */
export interface FiringAlert {
  readonly rule: string
  readonly subject: string
  readonly severity: string
  readonly title: string
  readonly detail: string
  /** Epoch milliseconds; undefined: found now, and not recorded by `alerts check` yet. */
  readonly since: number | undefined
  /** When a channel took it. */
  readonly sentAt: number | undefined
  readonly silence: AlertSilence | undefined
}

export interface AlertRule {
  readonly rule: string
  readonly threshold: string
  /** It fires for nothing on this site. */
  readonly isOff: boolean
  readonly firing: number
  readonly silence: AlertSilence | undefined
  /** How often it began to fire, by UTC day, the oldest of 30 first. */
  readonly days: readonly number[]
}

/** A message that a channel took. */
export interface SentAlert {
  readonly at: number
  readonly title: string
  /** `check`: by `alerts check`; `pass`: by a pass of the archiver. */
  readonly by: 'check' | 'pass'
  readonly resolvedAt: number | undefined
  /** Equal messages since that were held back. */
  readonly held: number
}

export interface AlertsFacts {
  readonly firing: readonly FiringAlert[]
  readonly rules: readonly AlertRule[]
  /** The newest first. */
  readonly sent: readonly SentAlert[]
  readonly silences: readonly AlertSilence[]
  /** Names of the channels that are turned on; undefined: no configuration is read here. */
  readonly channels: readonly string[] | undefined
}

export type AlertReads = () => Promise<AlertsFacts>
