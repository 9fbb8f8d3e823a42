import { formatState, NEW_STAGE, parseState, type StageState } from './state-format.ts'
import { dirname } from 'node:path'
import { ArchiverError, errnoOf, messageOf } from '../errors.ts'
import { replaceFile, step } from '../platform/atomic-file.ts'
import { openSafely, readSafely } from './safe-open.ts'

/** Far above what two numbers take; a file above it is damaged and is not even read. */
const LARGEST = 65_536

/** What one stage remembers between processes. A reader sees the old state or the new one, never a mixture. */
export class StateFile {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /**
   * The state; `{0, 0}` where there is no file (a first pass). Throws STATE_CORRUPT for a damaged file, STATE_NEWER for one of a
   * later version, STATE_UNSAFE and STATE_UNREADABLE: it decides nothing and changes nothing.
   */
  async read(): Promise<StageState> {
    const text = await this.#text()
    return text === undefined ? NEW_STAGE : parseState(text, this.path)
  }

  /** Whether there is a file at all: an absent one is a first pass. */
  async exists(): Promise<boolean> {
    const opened = await openSafely(this.path)
    await opened?.file.close()
    return opened !== undefined
  }

  /** Returns once the state is durable. Throws STATE_UNWRITABLE: then it is unknown whether the old or the new state stands there. */
  async write(state: StageState): Promise<void> {
    step('state: to be saved')
    try {
      await replaceFile(this.path, formatState(state))
    } catch (error) {
      throw unwritable(this.path, error)
    }
    step('state: saved')
  }

  #text(): Promise<string | undefined> {
    return readSafely(this.path, async (file, { size }) => {
      if (size > LARGEST)
        throw new ArchiverError('STATE_CORRUPT', `${this.path}: ${size} bytes, far more than a state has`)
      const bytes = await file.readFile()
      const text = bytes.toString('utf8')
      if (!Buffer.from(text, 'utf8').equals(bytes))
        throw new ArchiverError('STATE_CORRUPT', `${this.path}: not text in UTF-8`)
      return text
    })
  }
}

/** The error for a state file or failure log that could not be written. */
export const unwritable = (path: string, error: unknown): ArchiverError =>
  new ArchiverError('STATE_UNWRITABLE', `${path}: ${messageOf(error)}`, {
    cause: error,
    hint:
      errnoOf(error) === 'ENOENT'
        ? `there is no folder ${dirname(path)}: mount its disk, or make it; it is not made, for the state may lie on that disk`
        : 'look for a full disk (df -h, df -i), a read-only mount, or missing permission; nothing is lost, the next pass goes on from here',
  })
