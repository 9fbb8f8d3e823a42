import type { Socket } from 'node:net'
import { durationText } from '../common/duration.ts'

/** Milliseconds that the server has for its own word, such as the end of a wait for a lock, and an answer for its way. */
const OWN_WORD = 2000

/** Milliseconds in which bytes that have come are read. */
const UNREAD = 200

/** The error that statements fail with whose connection was given up. */
export const silentError = (message: string): Error =>
  Object.assign(new Error(message), { code: 'ETIMEDOUT' })

/** The answer, or an error with `said` where it takes longer than `timeout` milliseconds. */
export const inTime = <Answer>(answer: Promise<Answer>, timeout: number, said: string): Promise<Answer> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(silentError(`${said} within ${durationText(timeout / 1000)}`)), timeout)
  })
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}

/**
 * Breaks a connection whose server is frozen. The drivers would wait for ever, and the kernel of a frozen server answers every probe of TCP. Where a
 * statement is in hand and no byte has come for `timeout` milliseconds and a little more, the server is asked over another connection whether it works on
 * that statement. Where it does, the wait goes on; where it does not, or there is no way to ask, the connection is broken. What a statement did whose
 * connection was broken is not known. A connection without a statement in hand is left alone.
 */
export class SilenceWatch {
  readonly #socket: Socket
  readonly #timeout: number
  readonly #isInHand: () => boolean
  #running = 0
  #isAtWork: (() => Promise<boolean>) | undefined

  /** `isInHand` says whether a statement is; left out: those run by `during` are. */
  constructor(socket: Socket, timeout: number, isInHand = (): boolean => this.#running > 0) {
    this.#socket = socket
    this.#timeout = timeout
    this.#isInHand = isInHand
    socket.on('timeout', () => void this.#onSilence())
    this.#listen()
  }

  /** How the server is asked whether it works on the statement; before, silence alone breaks the connection. A question that fails means no. */
  askBy(isAtWork: () => Promise<boolean>): void {
    this.#isAtWork = isAtWork
  }

  /** Runs a statement under the watch. */
  async during<Answer>(statement: () => Promise<Answer>): Promise<Answer> {
    this.#running += 1
    try {
      return await statement()
    } finally {
      this.#running -= 1
    }
  }

  #listen(): void {
    this.#socket.setTimeout(this.#timeout + OWN_WORD)
  }

  async #onSilence(): Promise<void> {
    if (!this.#isInHand()) return
    const socket = this.#socket
    const heard = { anything: false }
    const hear = (): void => {
      heard.anything = true
    }
    socket.setTimeout(0)
    socket.once('data', hear)
    const isAtWork = await (this.#isAtWork?.().catch(() => false) ?? false)
    // What it had just done when it was asked may be on its way; and where this process stood still, what has come is not read yet.
    const onItsWay = this.#isAtWork ? OWN_WORD : UNREAD
    if (!isAtWork && !heard.anything) await new Promise((resolve) => setTimeout(resolve, onItsWay))
    socket.off('data', hear)
    if (isAtWork || heard.anything || !this.#isInHand()) this.#listen()
    else
      socket.destroy(
        silentError(`the server has not answered for ${durationText((this.#timeout + OWN_WORD) / 1000)}`),
      )
  }
}
