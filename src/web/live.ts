import type { Logged, LogPiece, LogPlace } from './log-file.ts'
import type { View } from './view.ts'
import { renderBlocks } from './render.tsx'

/** One reader of one page. `send` writes an event to its stream. */
export interface Reader {
  readonly path: string
  readonly mayAct: boolean
  /** Where the log that its page shows ends; undefined where it shows none. */
  readonly log?: LogPlace | undefined
  send(event: string, data: unknown): void
}

interface LiveOptions {
  /** Changes with every write to the ledger. Throws where it is away. */
  readonly revision: () => Promise<string>
  /** What changes with each write of a part that the page at an address shows beside the ledger; undefined: it shows none. */
  readonly partOf: (path: string) => (() => Promise<string>) | undefined
  /** Whole lines of a log behind a place. */
  readonly readLog: (log: Logged, place: LogPlace) => Promise<LogPiece | undefined>
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
/** Pieces of a log that one look sends at most. */
const PIECES = 4

interface Room {
  readonly path: string
  /** Each with the place in the log up to which it was sent it. */
  readonly readers: Map<Reader, LogPlace | undefined>
  /** Readers that came while the page could not be made: they are sent it whole. */
  readonly ungreeted: Set<Reader>
  part: string
  log: Logged | undefined
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
    const room = this.#rooms.get(key) ?? roomFor(reader.path)
    this.#rooms.set(key, room)
    room.readers.set(reader, reader.log)
    this.#timer ??= setInterval(() => void this.#look(), this.#options.every)
    void this.#greet(room, reader)
    return () => {
      room.readers.delete(reader)
      room.ungreeted.delete(reader)
      // A reader may leave twice; by then its place may be another room's.
      if (room.readers.size === 0 && this.#rooms.get(key) === room) this.#rooms.delete(key)
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
    if (room.sent.size > 0) sendWhole(room, reader)
    else room.ungreeted.add(reader)
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      const isDue = await this.#isDue()
      const parts = new Map<() => Promise<string>, Promise<string>>()
      for (const room of this.#rooms.values()) {
        const ask = this.#options.partOf(room.path)
        // The page itself says what cannot be read.
        if (ask && !parts.has(ask))
          parts.set(
            ask,
            ask().catch(() => 'away'),
          )
        const part = ask ? ((await parts.get(ask)) ?? '') : ''
        if (isDue || part !== room.part) await this.#make(room)
        room.part = part
        await this.#followLog(room)
      }
    } finally {
      this.#looking = false
    }
  }

  /** Whether the ledger changed, came back or went away, or pages have stood for long enough. */
  async #isDue(): Promise<boolean> {
    const now = this.#options.now()
    const revision = await this.#options.revision().catch(() => undefined)
    const wasAway = this.#away
    this.#away = revision === undefined
    // The ledger is away: the pages that are shown stay, and say so.
    if (revision === undefined) return !wasAway
    if (wasAway) this.#send('back', {})
    if (revision === this.#revision && !wasAway && Math.abs(now - this.#madeAt) < AGAIN) return false
    this.#revision = revision
    this.#madeAt = now
    return true
  }

  /** Sends each reader the lines behind those that it has. Readers that have the same cost one look at the file. */
  async #followLog(room: Room): Promise<void> {
    const { log, readers } = room
    if (!log) return
    for (let i = 0; i < PIECES; i++) {
      const pieces = new Map<string, LogPiece | undefined>()
      for (const [reader, place] of [...readers]) {
        if (!place) continue
        const key = `${place.file}.${place.at}`
        if (!pieces.has(key)) pieces.set(key, await this.#options.readLog(log, place).catch(() => undefined))
        const piece = pieces.get(key)
        if (!piece || !readers.has(reader)) continue
        readers.set(reader, piece.place)
        reader.send('log', piece)
      }
      if (![...pieces.values()].some(Boolean)) return
    }
  }

  /** Makes a room's page, and sends its readers the parts that changed. At most one at a time. */
  #make(room: Room): Promise<void> {
    room.making ??= this.#patch(room).finally(() => (room.making = undefined))
    return room.making
  }

  async #patch(room: Room): Promise<void> {
    const [one] = room.readers.keys()
    if (!one) return
    try {
      const view = await this.#options.view(one.path, one.mayAct)
      room.log = view.log
      const parts = await renderBlocks(view, this.#options.base)
      const changed = [...parts].filter(([id, html]) => room.sent.get(id) !== html)
      const isFirst = room.sent.size === 0
      const ids = partsOf(parts)
      const isOther = ids.join() !== partsOf(room.sent).join()
      room.sent = parts
      for (const reader of room.ungreeted) if (room.readers.has(reader)) sendWhole(room, reader)
      room.ungreeted.clear()
      if (isFirst) return
      for (const reader of room.readers.keys()) {
        if (isOther) reader.send('parts', { ids })
        for (const [id, html] of changed) reader.send('patch', { id, html })
      }
    } catch {
      // A page that cannot be made now is made at the next change.
    }
  }

  #send(event: string, data: unknown): void {
    for (const { readers } of this.#rooms.values())
      for (const reader of readers.keys()) reader.send(event, data)
  }
}

/** The blocks of a page in their order: readers make room for those that come, and drop those that are gone. */
const partsOf = (parts: ReadonlyMap<string, string>): readonly string[] =>
  [...parts.keys()].filter((id) => id !== 'lead')

const sendWhole = ({ sent }: Room, reader: Reader): void => {
  reader.send('parts', { ids: partsOf(sent) })
  for (const [id, html] of sent) reader.send('patch', { id, html })
}

const roomFor = (path: string): Room => ({
  path,
  readers: new Map(),
  ungreeted: new Set(),
  part: '',
  log: undefined,
  sent: new Map(),
  making: undefined,
})

const keyOf = ({ path, mayAct }: Reader): string => `${mayAct ? 'act' : 'read'} ${path}`
