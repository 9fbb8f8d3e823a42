import { closeSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { readTextNow } from '../../platform/read-file.ts'
import { makeFolderNow } from '../../platform/make-folder.ts'
import type { Identity } from '../../platform/host.ts'
import { openForAppend, overwriteOwn } from '../../platform/own-file.ts'

export interface InHandOptions {
  readonly folder: string
  readonly task: string
  readonly self: Identity
  readonly startTicksOf: (pid: number) => number | undefined
}

const NOTE = z.object({
  host: z.string(),
  pid: z.number(),
  boot_id: z.string(),
  start_ticks: z.number().nullable(),
  in_hand: z.array(z.string()),
  losses: z.record(z.string(), z.number()),
})
type Note = z.infer<typeof NOTE>

/** Bytes of lines after which the file is written anew. */
const MOST_LINES = 65_536

/**
 * Which items a process has in hand, in a small file of its own, so that the next one knows with what it died. A kill of the process loses
 * nothing of the file; a power cut may, and then nothing is blamed. An item counts as lost once where others were in hand as well, since
 * from then on it is worked on alone. Never decides what is due: only the target's log does.
 *
 * The file is a note in one line, then a line for each item: `+` where it was taken, `-` where it was done. A rename for each item would
 * wait for the disk's journal, and so take longer than the item.
 */
export class InHand {
  readonly #path: string
  readonly #self: Identity
  readonly #items = new Set<string>()
  readonly #losses: Map<string, number>
  #fd: number | undefined
  #lines = 0
  /** Lines that may wait for the next item: until then an item that is done counts as in hand. */
  #waiting = ''

  private constructor(path: string, self: Identity, losses: Map<string, number>) {
    this.#path = path
    this.#self = self
    this.#losses = losses
  }

  /** Reads what dead processes had in hand, and takes their files over. */
  static open({ folder, task, self, startTicksOf }: InHandOptions): InHand {
    makeFolderNow(folder, 0o750)
    const start = `${encodeURIComponent(task)}.in-hand-`
    const losses = new Map<string, number>()
    const gone: string[] = []
    for (const name of readdirSync(folder).filter((one) => one.startsWith(start) && one.endsWith('.json'))) {
      const note = readNote(join(folder, name))
      if (note && (note.host !== self.host || isAlive(note, self, startTicksOf))) continue
      gone.push(join(folder, name))
      if (!note) continue
      for (const [key, count] of Object.entries(note.losses))
        losses.set(key, Math.max(count, losses.get(key) ?? 0))
      // After a reboot the machine may be to blame.
      if (note.boot_id === self.bootId)
        for (const key of note.in_hand) losses.set(key, (losses.get(key) ?? 0) + 1)
    }
    const own = new InHand(join(folder, `${start}${self.pid}-${self.startTicks ?? 0}.json`), self, losses)
    own.#rewrite()
    for (const path of gone) if (path !== own.#path) rmSync(path, { force: true })
    return own
  }

  /** With how many deaths of a process this item was in hand. */
  lossesOf(key: string): number {
    return this.#losses.get(key) ?? 0
  }

  /** Notes an item before anything is done with it. */
  take(key: string): void {
    this.#items.add(key)
    this.#append(`${this.#waiting}+${JSON.stringify(key)}\n`)
  }

  /** The log has the item's end. The file says so with the next one. */
  drop(key: string): void {
    this.release(key)
    // Another process that reads the note must not find what was lost before and is done.
    if (this.#losses.delete(key)) this.#rewrite()
  }

  /** It is given back with nothing done to it: with how many deaths it was in hand still counts. */
  release(key: string): void {
    this.#items.delete(key)
    this.#waiting += `-${JSON.stringify(key)}\n`
  }

  /** The process ends orderly: what is in hand is no longer of interest; what others lost still is. */
  close(): void {
    this.#items.clear()
    if (this.#losses.size > 0) this.#rewrite()
    this.#closeFile()
    if (this.#losses.size === 0) rmSync(this.#path, { force: true })
  }

  #append(lines: string): void {
    if (this.#lines > MOST_LINES) {
      this.#rewrite()
      return
    }
    this.#waiting = ''
    this.#fd ??= openForAppend(this.#path)
    writeSync(this.#fd, lines)
    this.#lines += lines.length
  }

  #rewrite(): void {
    const { host, pid, bootId, startTicks } = this.#self
    const note: Note = {
      host,
      pid,
      boot_id: bootId,
      start_ticks: startTicks ?? null,
      in_hand: [...this.#items],
      losses: Object.fromEntries(this.#losses),
    }
    this.#closeFile()
    overwriteOwn(`${this.#path}.new`, `${JSON.stringify(note)}\n`)
    renameSync(`${this.#path}.new`, this.#path)
    this.#waiting = ''
    this.#lines = 0
  }

  #closeFile(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}

/** Undefined: the file cannot be read as a note, and says nothing. */
const readNote = (path: string): Note | undefined => {
  try {
    const [head = '', ...lines] = readTextNow(path).split('\n')
    const note = NOTE.parse(JSON.parse(head))
    const inHand = new Set(note.in_hand)
    // What stands behind the last line break was cut off while it was written.
    for (const line of lines.slice(0, -1)) {
      const key = z.string().parse(JSON.parse(line.slice(1)))
      if (line.startsWith('+')) inHand.add(key)
      else inHand.delete(key)
    }
    return { ...note, in_hand: [...inHand] }
  } catch {
    return undefined
  }
}

const isAlive = (note: Note, self: Identity, startTicksOf: InHandOptions['startTicksOf']): boolean =>
  note.boot_id === self.bootId &&
  startTicksOf(note.pid) !== undefined &&
  startTicksOf(note.pid) === note.start_ticks
