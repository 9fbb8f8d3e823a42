import { CHANNELS, type ChannelWord, type RuleName } from '../../common/alert-rules.ts'
import type { RuleSettings } from './rule-settings.ts'

/** The channels that a site chose for a rule and subject; all of them where it chose none, or none of those it chose is turned on: an alert must never be lost by a setting. */
export const chosenChannels = <Named extends { readonly name: string }>(
  rules: RuleSettings,
  rule: RuleName,
  subject: string,
  channels: readonly Named[],
): readonly Named[] => {
  const wanted = rules.channels(rule, subject)
  const some = channels.filter(({ name }) => wanted?.includes(wordOf(name)))
  return some.length === 0 ? channels : some
}

/** A channel's name as the configuration has it. */
const wordOf = (name: string): ChannelWord =>
  name === 'e-mail' ? 'email' : (CHANNELS.find((word) => word === name.toLowerCase()) ?? 'command')
