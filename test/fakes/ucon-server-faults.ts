/** What goes wrong with a request. Plain values, so that a fault can also stand in the arguments of the started server. */
export type Fault = (
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    }
  /** The listening process is overrun: a status line with bare line feeds. */
  | { readonly kind: 'overrun' }
  /** 500 with a Python traceback, and this as the message. */
  | { readonly kind: 'error'; readonly message: string }
  /** The connection is reset: before anything is read, after the body was read, or after the work was done and before the reply. */
  | { readonly kind: 'reset'; readonly when: 'at once' | 'after body' | 'before reply' }
  /** Silence: before the reply, or after this many bytes of its body. */
  | { readonly kind: 'stall'; readonly after?: number }
  /** The reply ends cleanly after this many bytes of its body: what a database that goes away looks like. */
  | { readonly kind: 'cut'; readonly after: number }
  /** One byte every so many milliseconds. */
  | { readonly kind: 'trickle'; readonly milliseconds: number }
  /** 200 and something else in the store: nothing at all, no bytes, half of the bytes, or other bytes of the same length. */
  | { readonly kind: 'lie'; readonly stores: 'nothing' | 'empty' | 'half' | 'other' }
  /** Another server process on the same database takes the key between the look and the insert, with these bytes. */
  | { readonly kind: 'race'; readonly with: 'same' | 'other' }
  /** Raw bytes instead of a reply; then the connection is closed. */
  | { readonly kind: 'raw'; readonly text: string }
) & {
  /** Which requests: all of these must fit. The path is without the prefix, the query included. */
  readonly method?: string
  readonly path?: string
  /** How many requests it befalls; 1 unless told. */
  readonly times?: number
  /** How many fitting requests go well before. */
  readonly skip?: number
}

/** Faults that wait for their request. */
export class Faults {
  #waiting: { readonly fault: Fault; times: number; skip: number }[] = []

  add(fault: Fault): void {
    this.#waiting.push({ fault, times: fault.times ?? 1, skip: fault.skip ?? 0 })
  }

  clear(): void {
    this.#waiting = []
  }

  /** The fault that befalls a request, used up by one. */
  next(method: string, path: string): Fault | undefined {
    for (const entry of this.#waiting) {
      const { fault } = entry
      if (
        entry.times <= 0 ||
        (fault.method ?? method) !== method ||
        !path.includes(fault.path ?? usual(fault))
      )
        continue
      if (entry.skip-- > 0) continue
      entry.times--
      return fault
    }
    return undefined
  }
}

/** Lies and races are about puts. */
const usual = ({ kind }: Fault): string => (kind === 'lie' || kind === 'race' ? 'override=' : '')
