import { createHmac } from 'node:crypto'
import type { Secret } from '../../common/secret.ts'
import { fetchAnswer } from '../../platform/http-answer.ts'
import type { Channel } from './alerts.ts'

/** `reporting.webhook`. */
export interface WebhookOptions {
  readonly url: Secret
  /** Signs the body: `X-Archiver-Signature: sha256=<HMAC-SHA256, hexadecimal>`. */
  readonly signingKey: Secret | undefined
  /** Milliseconds before the second try; doubled for the third. */
  readonly retryDelay?: number
}

const TRIES = 3

/**
 * A JSON document, POSTed: `{severity, title, lines, host, time, held, key}`. Tried three times within the time that the caller gives; what
 * is refused for good (4xx) is not tried again.
 */
export const webhookChannel = ({ url, signingKey, retryDelay = 500 }: WebhookOptions): Channel => ({
  name: 'webhook',
  send: async (message, signal) => {
    const body = JSON.stringify(message)
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      ...(signingKey && {
        'x-archiver-signature': `sha256=${createHmac('sha256', signingKey.current()).update(body).digest('hex')}`,
      }),
    }
    for (let attempt = 1; ; attempt++) {
      const status = await fetchAnswer(url.current(), {
        method: 'POST',
        headers,
        body,
        redirect: 'error',
        signal,
      })
        .then((answer) => answer.status)
        .catch((error: unknown) => {
          if (attempt >= TRIES || signal.aborted) throw error
          return 0
        })
      if (status >= 200 && status < 300) return
      if (attempt >= TRIES || (status >= 400 && status < 500 && status !== 429))
        throw new Error(`the webhook answered ${status}`)
      await new Promise((resolve) => setTimeout(resolve, retryDelay * 2 ** (attempt - 1)))
    }
  },
})
