import type { Secret } from '../../common/secret.ts'
import { fetchAnswer } from '../../platform/http-answer.ts'
import type { Channel, Message } from './alerts.ts'
import { textOf } from './email.ts'
import { refusePage } from './web-page.ts'

/** `reporting.slack`: an incoming webhook, or a bot's token and a channel. */
export interface SlackOptions {
  readonly webhookUrl: Secret | undefined
  readonly botToken: Secret | undefined
  readonly channel: string
  /** Member ids that are mentioned. */
  readonly mentionUsers: readonly string[]
  /** Where Slack's API is. */
  readonly api?: string
}

interface Answer {
  readonly ok?: unknown
  readonly error?: unknown
}

const API = 'https://slack.com/api'

/** The longest pause that Slack may ask for and still be asked again. */
const PATIENCE = 2

/** Slack. Rejects with Slack's own word for what is wrong, never with the webhook's URL or the token. */
export const slackChannel = (options: SlackOptions): Channel => ({
  name: 'Slack',
  send: async (message, signal) => {
    const { webhookUrl, botToken, channel, api = API } = options
    const text = textFor(message, options.mentionUsers)
    if (webhookUrl) {
      await post(webhookUrl.current(), {}, { text }, signal)
      return
    }
    const headers = { authorization: `Bearer ${botToken?.current() ?? ''}` }
    const answer: unknown = JSON.parse(
      await post(`${api}/chat.postMessage`, headers, { channel, text }, signal),
    )
    const { ok, error } = typeof answer === 'object' && answer !== null ? (answer as Answer) : {}
    if (ok !== true)
      throw new Error(`Slack refused it: ${typeof error === 'string' ? error : 'no reason given'}`)
  },
})

const post = async (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: unknown,
  signal: AbortSignal,
): Promise<string> => {
  for (let attempt = 1; ; attempt++) {
    const {
      ok,
      status,
      headers: given,
      text,
    } = await fetchAnswer(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
      body: JSON.stringify(body),
      redirect: 'error',
      signal,
    })
    if (ok) {
      refusePage('Slack', text)
      return text
    }
    const pause = Number(given.get('retry-after') ?? Infinity)
    if (status !== 429 || attempt > 1 || pause > PATIENCE)
      throw new Error(`Slack answered ${status}: ${text.slice(0, 200)}`)
    await new Promise((resolve) => setTimeout(resolve, pause * 1000))
  }
}

/** Slack reads `<`, `>` and `&` as its own; nobody but the configured users is mentioned, whatever a run is called. */
const textFor = (message: Message, mentions: readonly string[]): string => {
  const text = textOf(message).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return [mentions.map((user) => `<@${user}>`).join(' '), text].filter((part) => part !== '').join(' ')
}
