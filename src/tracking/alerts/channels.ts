import type { Secret } from '../../common/secret.ts'
import type { Channel } from './alerts.ts'
import { commandChannel, commandWatcher, type CommandHooks } from './command-hook.ts'
import { emailChannel } from './email.ts'
import { ntfyChannel } from './ntfy.ts'
import type { PassWatcher } from './pass-watchers.ts'
import { pingWatcher } from './ping.ts'
import { slackChannel } from './slack.ts'
import { webhookChannel } from './webhook.ts'

/** `reporting` of the configuration. */
export interface ReportingSettings {
  readonly email: {
    readonly enabled: boolean
    readonly smtpHost: string
    readonly smtpPort: number
    readonly smtpUseTls: boolean
    readonly smtpUser: string | undefined
    readonly smtpPassword: Secret | undefined
    readonly senderEmail: string
    readonly recipientEmails: readonly string[]
  }
  readonly slack: {
    readonly enabled: boolean
    readonly webhookUrl: Secret | undefined
    readonly botToken: Secret | undefined
    readonly channel: string
    readonly mentionUsers: readonly string[]
  }
  readonly webhook: {
    readonly enabled: boolean
    readonly url: Secret | undefined
    readonly signingKey: Secret | undefined
  }
  readonly ntfy: {
    readonly enabled: boolean
    readonly url: Secret | undefined
    readonly token: Secret | undefined
  }
  readonly ping: { readonly enabled: boolean; readonly url: Secret | undefined }
  readonly command: CommandHooks
}

type Env = Readonly<Record<string, string | undefined>>

/** The channels that are turned on. Opens nothing. */
export const channelsOf = (
  { email, slack, webhook, ntfy, command }: ReportingSettings,
  timeout: number,
  env: Env,
): Channel[] => [
  ...(email.enabled
    ? [
        emailChannel({
          host: email.smtpHost,
          port: email.smtpPort,
          useTls: email.smtpUseTls,
          user: email.smtpUser,
          password: email.smtpPassword,
          from: email.senderEmail,
          to: email.recipientEmails,
          timeout,
        }),
      ]
    : []),
  ...(slack.enabled ? [slackChannel(slack)] : []),
  ...(webhook.enabled && webhook.url
    ? [webhookChannel({ url: webhook.url, signingKey: webhook.signingKey })]
    : []),
  ...(ntfy.enabled && ntfy.url ? [ntfyChannel({ url: ntfy.url, token: ntfy.token })] : []),
  ...(command.onAlert === undefined ? [] : [commandChannel(command.onAlert, env)]),
]

/** Those who hear when a pass begins and ends. Opens nothing. */
export const watchersOf = ({ ping, command }: ReportingSettings, env: Env): PassWatcher[] => [
  ...(ping.enabled && ping.url ? [pingWatcher(ping.url)] : []),
  ...((command.before ?? command.after ?? command.onError) === undefined
    ? []
    : [commandWatcher(command, env)]),
]
