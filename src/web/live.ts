import type { View } from './view.ts'
import { renderBlocks } from './render.tsx'

/** One reader of one page. `send` writes an event to its stream. */
export interface Reader {
  readonly path: string
  readonly mayAct: boolean
  send(event: string, data: unknown): void
}

interface LiveOptions {
  /** Changes with every write to the ledger. Throws where it is away. */
  readonly revision: () => Promise<string>
  /** A page as it is now. */
  readonly view: (path: string, mayAct: boolean) => Promise<View>
  readonly base: string
  readonly now: () => number
  /** Milliseconds between two looks at the ledger. */
  readonly every: number
  readonly readersAtMost: number
}

/** Milliseconds after which pages are made again although nothing was written: their durations go on. */
const AGAIN = 10_000

interface Room {
  readonly readers: Set<Reader>
  sent: ReadonlyMap<string, string>
  making: Promise<void> | undefined
}

/**
 * Sends readers what changed on their page. One look at the ledger a second serves all of them, and each page is made once whoever reads it;
 * with no reader nothing is looked at. A reader that comes, or comes back, is sent the page's parts as they are: nothing is missed.
 */
export class LiveHub {
  readonly #options: LiveOptions
  readonly #rooms = new Map<string, Room>()
  #timer: NodeJS.Timeout | undefined
  #revision = ''
  #madeAt = 0
  #away = false
  #looking = false

  constructor(options: LiveOptions) {
    this.#options = options
  }

  get readers(): number {
    return [...this.#rooms.values()].reduce((sum, { readers }) => sum + readers.size, 0)
  }

  /** Lets a reader in; returns what lets it out. Undefined: there are too many. */
  enter(reader: Reader): (() => void) | undefined {
    if (this.readers >= this.#options.readersAtMost) return undefined
    const key = keyOf(reader)
    const room = this.#rooms.get(key) ?? { readers: new Set(), sent: new Map(), making: undefined }
    this.#rooms.set(key, room)
    room.readers.add(reader)
    this.#timer ??= setInterval(() => void this.#look(), this.#options.every)
    void this.#greet(room, reader)
    return () => {
      room.readers.delete(reader)
      if (room.readers.size === 0) this.#rooms.delete(key)
      if (this.#rooms.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#rooms.clear()
  }

  async #greet(room: Room, reader: Reader): Promise<void> {
    await this.#make(room)
    for (const [id, html] of room.sent) reader.send('patch', { id, html })
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      const revision = await this.#options.revision()
      if (this.#away) this.#send('back', {})
      this.#away = false
      const now = this.#options.now()
      if (revision === this.#revision && now - this.#madeAt < AGAIN) return
      this.#revision = revision
      this.#madeAt = now
      for (const room of this.#rooms.values()) await this.#make(room)
    } catch {
      // The ledger is away: the pages that are shown stay, and say so.
      if (!this.#away) for (const room of this.#rooms.values()) await this.#make(room)
      this.#away = true
    } finally {
      this.#looking = false
    }
  }

  /** Makes a room's page, and sends its readers the parts that changed. At most one at a time. */
  #make(room: Room): Promise<void> {
    room.making ??= this.#patch(room).finally(() => (room.making = undefined))
    return room.making
  }

  async #patch(room: Room): Promise<void> {
    const [one] = room.readers
    if (!one) return
    try {
      const parts = await renderBlocks(await this.#options.view(one.path, one.mayAct), this.#options.base)
      const changed = [...parts].filter(([id, html]) => room.sent.get(id) !== html)
      const isFirst = room.sent.size === 0
      room.sent = parts
      if (isFirst) return
      for (const reader of room.readers) for (const [id, html] of changed) reader.send('patch', { id, html })
    } catch {
      // A page that cannot be made now is made at the next change.
    }
  }

  #send(event: string, data: unknown): void {
    for (const { readers } of this.#rooms.values()) for (const reader of readers) reader.send(event, data)
  }
}

const keyOf = ({ path, mayAct }: Reader): string => `${mayAct ? 'act' : 'read'} ${path}`
