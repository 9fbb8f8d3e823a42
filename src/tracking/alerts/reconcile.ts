import type { Finding, NotKnown } from './watch-rules.ts'

/** An alert as the ledger has it. Times in epoch milliseconds. */
export interface OpenAlert {
  readonly rule: string
  readonly subject: string
  readonly isSent: boolean
}

/** Until `until`, alerts of this rule and subject are recorded and not sent. `*` stands for all. */
export interface Silence {
  readonly rule: string
  readonly subject: string
  readonly until: number
}

export interface Changes {
  /** New: recorded, and sent unless silenced. */
  readonly fire: readonly Finding[]
  /** Recorded before and not sent yet, because of a silence that has ended or channels that failed. */
  readonly send: readonly Finding[]
  /** Found before, looked for now and not found: they end. Only those that were sent are announced as resolved. */
  readonly resolve: readonly OpenAlert[]
}

export const isSilenced = (
  { rule, subject }: { readonly rule: string; readonly subject: string },
  silences: readonly Silence[],
  now: number,
): boolean =>
  silences.some(
    (silence) =>
      silence.until > now &&
      (silence.rule === '*' || silence.rule === rule) &&
      (silence.subject === '*' || silence.subject === subject),
  )

const keyOf = ({ rule, subject }: { readonly rule: string; readonly subject: string }): string =>
  JSON.stringify([rule, subject])

/** What changes: each finding fires once for as long as it lasts, and resolves once. Of what is not known now nothing ends. */
export const reconcile = (
  found: readonly Finding[],
  open: readonly OpenAlert[],
  silences: readonly Silence[],
  now: number,
  notKnown: readonly NotKnown[] = [],
): Changes => {
  const current = new Map(found.map((finding) => [keyOf(finding), finding]))
  const before = new Map(open.map((alert) => [keyOf(alert), alert]))
  const distinct = [...current.values()]
  return {
    fire: distinct.filter((finding) => !before.has(keyOf(finding))),
    send: distinct.filter(
      (finding) => before.get(keyOf(finding))?.isSent !== true && !isSilenced(finding, silences, now),
    ),
    resolve: open.filter((alert) => !current.has(keyOf(alert)) && !isCovered(alert, notKnown)),
  }
}

const isCovered = ({ rule, subject }: OpenAlert, notKnown: readonly NotKnown[]): boolean =>
  notKnown.some((one) => one.rule === rule && (one.subject === undefined || one.subject === subject))
