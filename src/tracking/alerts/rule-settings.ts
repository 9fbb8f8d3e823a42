import { ruleKey, ruleOf, type ChannelWord, type RuleName, type Severity } from '../../common/alert-rules.ts'

/** `reporting.rules`. Keys are `RULE` or `RULE:SUBJECT`. */
export interface RulesConfig {
  readonly on: readonly string[]
  readonly off: readonly string[]
  readonly threshold: ReadonlyMap<string, number>
  readonly severity: ReadonlyMap<string, Severity>
  readonly channels: ReadonlyMap<string, readonly ChannelWord[]>
}

export const NO_SETTINGS: RulesConfig = {
  on: [],
  off: [],
  threshold: new Map(),
  severity: new Map(),
  channels: new Map(),
}

/** What a site chose for each rule and subject. Of several keys that fit, the one that says most of the subject wins. */
export class RuleSettings {
  readonly #config: RulesConfig

  constructor(config: RulesConfig = NO_SETTINGS) {
    this.#config = config
  }

  isOn(rule: RuleName, subject: string): boolean {
    const { on, off } = this.#config
    const chosen = [...on.map((key) => [key, true] as const), ...off.map((key) => [key, false] as const)]
    return this.#best(chosen, rule, subject) ?? ruleOf(rule).off !== true
  }

  /** Whether there is any subject for which the rule is on. */
  isAnywhere(rule: RuleName): boolean {
    return ruleOf(rule).off !== true || this.#config.on.some((key) => ruleKey(key)?.rule === rule)
  }

  threshold(rule: RuleName, subject: string): number {
    return this.chosenThreshold(rule, subject) ?? ruleOf(rule).threshold ?? 0
  }

  /** Undefined: the site chose none. */
  chosenThreshold(rule: RuleName, subject: string): number | undefined {
    return this.#best([...this.#config.threshold], rule, subject)
  }

  severity(rule: RuleName, subject: string): Severity | undefined {
    return this.#best([...this.#config.severity], rule, subject)
  }

  /** Undefined: all channels that are turned on. */
  channels(rule: RuleName, subject: string): readonly ChannelWord[] | undefined {
    return this.#best([...this.#config.channels], rule, subject)
  }

  /** Whether it fires for nothing here. */
  isOff(rule: RuleName): boolean {
    return !this.isAnywhere(rule) || !this.#isOnSomewhere(rule)
  }

  /** When the rule fires here, in a few words. */
  text(rule: RuleName): string {
    const { text } = ruleOf(rule)
    if (this.isOff(rule)) return `${text} (off)`
    return text.replace('{}', String(this.threshold(rule, '*')))
  }

  #isOnSomewhere(rule: RuleName): boolean {
    return this.isOn(rule, '*') || this.#config.on.some((key) => ruleKey(key)?.rule === rule)
  }

  #best<T>(
    chosen: readonly (readonly [key: string, value: T])[],
    rule: RuleName,
    subject: string,
  ): T | undefined {
    let best: { readonly weight: number; readonly value: T } | undefined
    for (const [key, value] of chosen) {
      const wanted = ruleKey(key)
      if (wanted?.rule !== rule || !fits(wanted.subject, subject)) continue
      const weight = wanted.subject === subject ? Infinity : wanted.subject.replaceAll('*', '').length
      if (!best || weight >= best.weight) best = { weight, value }
    }
    return best?.value
  }
}

/** Whether a subject is one of those that a pattern stands for. */
const fits = (pattern: string, subject: string): boolean => {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 's').test(subject)
}
