import { cutBytes } from '../../common/cut-bytes.ts'
import type { Secret } from '../../common/secret.ts'
import { fetchAnswer } from '../../platform/http-answer.ts'
import type { Channel } from './alerts.ts'
import { refusePage } from './web-page.ts'

/** `reporting.ntfy`. */
export interface NtfyOptions {
  /** `https://ntfy.sh/topic`, or a server of one's own. The topic is what others must not know. */
  readonly url: Secret
  readonly token: Secret | undefined
}

/** Bytes of a message: of one of more than 4096 ntfy makes an attachment. */
const LONGEST = 4000

const PRIORITY = { info: 2, warning: 3, critical: 5 } as const

/** Push messages by ntfy. Rejects with its status, never with the topic. */
export const ntfyChannel = ({ url, token }: NtfyOptions): Channel => ({
  name: 'ntfy',
  send: async ({ title, lines, severity, host, time }, signal) => {
    const address = new URL(url.current())
    const parts = address.pathname.replace(/\/$/, '').split('/')
    const topic = parts.pop() ?? ''
    address.pathname = parts.join('/') || '/'
    const message = [...lines, `${host}, ${time}`].join('\n')
    const reply = await fetchAnswer(address, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        ...(token && { authorization: `Bearer ${token.current()}` }),
      },
      body: JSON.stringify({
        topic,
        title,
        message: cutBytes(message, LONGEST),
        priority: PRIORITY[severity],
      }),
      redirect: 'error',
      signal,
    })
    if (!reply.ok) throw new Error(`ntfy answered ${reply.status}`)
    refusePage('ntfy', reply.text)
  },
})
