import type { Secret } from '../../common/secret.ts'
import { fetchAnswer } from '../../platform/http-answer.ts'
import type { EndedPass, PassWatcher, WatchedPass } from './pass-watchers.ts'

/** Milliseconds before the second try. */
const PAUSE = 500

/**
 * Pings a service that expects to hear of every pass, and notifies people when it hears nothing: the one alarm that works when this host is
 * gone. `URL/start` at the beginning, `URL` after success, `URL/fail` after a failure, `URL/log` where a signal ended the pass; each with
 * `rid`, which pairs beginning and end, and the end with up to 10 KB of text.
 */
export const pingWatcher = (url: Secret): PassWatcher => ({
  name: 'ping',
  began: (pass, signal) => post(url, '/start', pass, '', signal),
  ended: (pass, signal) => post(url, endOf(pass), pass, pass.text, signal),
})

const endOf = ({ exitCode, signal }: EndedPass): string => {
  if (signal !== undefined) return '/log'
  return exitCode === 0 ? '' : '/fail'
}

const post = async (
  url: Secret,
  tail: string,
  { runId }: WatchedPass,
  body: string,
  signal: AbortSignal,
): Promise<void> => {
  const address = new URL(url.current())
  address.pathname = address.pathname.replace(/\/$/, '') + tail
  address.searchParams.set('rid', runId)
  for (let attempt = 1; ; attempt++) {
    const status = await fetchAnswer(address, { method: 'POST', body, redirect: 'error', signal }).then(
      (reply) => reply.status,
      (error: unknown) => {
        // fetch's own message holds the address, which is a secret.
        if (attempt > 1 || signal.aborted) throw new Error('the connection failed', { cause: codeOf(error) })
        return 0
      },
    )
    if (status >= 200 && status < 300) return
    if (attempt > 1 || (status >= 400 && status < 500)) throw new Error(`it answered ${status}`)
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && error.cause instanceof Error && 'code' in error.cause
    ? String(error.cause.code)
    : 'no answer'
