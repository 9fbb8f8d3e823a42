/** An answer with its whole body. */
export interface HttpAnswer {
  readonly status: number
  /** The status is 200 to 299. */
  readonly ok: boolean
  readonly headers: Headers
  readonly text: string
}

/** Characters. No service that is asked here says more; another one may, without end. */
const MOST = 8_000_000

/**
 * Sends a request and reads the whole answer, until the signal aborts; rejects with its reason then. `fetch` alone may forget the signal once the head of an
 * answer is there (Node 20), and waits without end for a body that never ends. Rejects an answer of more than 8 MB, too: it is read by no one, and fills the memory.
 */
export const fetchAnswer = async (
  url: string | URL,
  { signal, ...init }: RequestInit & { readonly signal: AbortSignal },
): Promise<HttpAnswer> => {
  let giveUp = (): void => undefined
  const late = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(signal.reason as Error)
    signal.addEventListener('abort', giveUp, { once: true })
  })
  try {
    const { status, ok, headers, body } = await Promise.race([fetch(url, { ...init, signal }), late])
    return { status, ok, headers, text: await readAll(body, late) }
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

const readAll = async (body: Response['body'], late: Promise<never>): Promise<string> => {
  const reader = body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const piece = await Promise.race([reader?.read(), late])
      if (!piece || piece.done) return text + decoder.decode()
      text += decoder.decode(piece.value as Uint8Array, { stream: true })
      if (text.length > MOST) throw new Error(`an answer of more than ${MOST / 1e6} MB`)
    }
  } finally {
    // Closes the connection of an answer that is given up: it would else keep the process alive.
    void reader?.cancel().catch(() => undefined)
  }
}
