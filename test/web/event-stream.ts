import { performance } from 'node:perf_hooks'

export interface SentEvent {
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
  /** Milliseconds by performance.now(). */
  readonly at: number
}

/** A reader of `/events`, as a browser is one. */
export class EventStream {
  readonly seen: SentEvent[] = []
  readonly #abort = new AbortController()
  /** Resolves when the server ends the stream. */
  readonly ended: Promise<void>
  status = 0

  private constructor(url: string, opened: () => void) {
    this.ended = this.#read(url, opened).catch(() => undefined)
  }

  static open(url: string): Promise<EventStream> {
    return new Promise((done) => {
      const stream: EventStream = new EventStream(url, () => done(stream))
    })
  }

  async #read(url: string, opened: () => void): Promise<void> {
    const reply = await fetch(url, { signal: this.#abort.signal })
    this.status = reply.status
    setImmediate(opened)
    const decoder = new TextDecoder()
    let text = ''
    for await (const piece of reply.body ?? []) {
      text += decoder.decode(piece as Uint8Array, { stream: true })
      const parts = text.split('\n\n')
      text = parts.pop() ?? ''
      for (const part of parts) this.#hear(part)
    }
  }

  #hear(part: string): void {
    const field = (name: string): string =>
      part
        .split('\n')
        .filter((line) => line.startsWith(`${name}: `))
        .map((line) => line.slice(name.length + 2))
        .join('\n')
    if (field('event') === '') return
    const data = JSON.parse(field('data')) as SentEvent['data']
    this.seen.push({ event: field('event'), data, at: performance.now() })
  }

  /** The first event that fits, of those that came since `from`; waits for it. */
  async next(fits: (event: SentEvent) => boolean, from = 0, patience = 15_000): Promise<SentEvent> {
    const end = performance.now() + patience
    for (;;) {
      const found = this.seen.slice(from).find(fits)
      if (found) return found
      if (performance.now() > end) throw new Error(`no such event in ${patience} ms`)
      await new Promise((done) => setTimeout(done, 10))
    }
  }

  close(): void {
    this.#abort.abort()
  }
}
