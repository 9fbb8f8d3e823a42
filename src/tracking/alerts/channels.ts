import type { Secret } from '../../common/secret.ts'
import type { Channel } from './alerts.ts'
import { emailChannel } from './email.ts'
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
}

/** The channels that are turned on. Opens nothing. */
export const channelsOf = ({ email, slack, webhook }: ReportingSettings, timeout: number): Channel[] => [
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
]
