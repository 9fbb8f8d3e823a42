/** The shared backlog as alerts look at it. */
export interface BacklogFacts {
  /** Instances that gave no more sign of life, and when they last did, in milliseconds ago; of the last 24 hours. */
  readonly lost: readonly { readonly instance: string; readonly silent: number }[]
  /** Results that were refused because another worker had the item. */
  readonly fenced: number
  /** Items that killed worker after worker. */
  readonly poison: readonly { readonly stage: string; readonly key: string }[]
}

interface Found {
  readonly subject: string
  readonly severity: 'warning' | 'critical'
  readonly title: string
  readonly detail: string
}

/** What a rule names at most, so that a backlog that is bad as a whole does not send thousands of messages. */
const SHOWN = 20

/** What is wrong with a backlog, by rule. */
export const BACKLOG_FINDINGS = {
  instance_lost: ({ lost }: BacklogFacts): readonly Found[] =>
    lost.slice(0, SHOWN).map(({ instance, silent }) => ({
      subject: instance,
      severity: 'critical',
      title: `The instance ${instance} is lost`,
      detail: `No sign of life for ${Math.round(silent / 60_000)} minutes; others take over what it held.`,
    })),
  fenced: ({ fenced }: BacklogFacts, most: number): readonly Found[] =>
    fenced < most
      ? []
      : [
          {
            subject: 'backlog',
            severity: 'warning',
            title: 'Results of workers were refused',
            detail: `${fenced} in 24 hours: another worker had the item by then. Is queue.lease_seconds too short?`,
          },
        ],
  poison: ({ poison }: BacklogFacts): readonly Found[] =>
    poison.slice(0, SHOWN).map(({ stage, key }) => ({
      subject: `${stage} ${key}`,
      severity: 'critical',
      title: `${stage} ${key} kills its workers${poison.length > SHOWN ? `, one of ${poison.length}` : ''}`,
      detail: `It is not handed out any more. Once its cause is mended: run-archiver queue retry`,
    })),
} as const
