import { ArchiverError } from '../errors.ts'

/** What one stage remembers between processes. A cache: the destination is the truth. */
export interface StageState {
  /** The highest run of the unbroken series that begins with the lowest run in the destination; 0 when it is empty. */
  readonly lastContiguousRun: number
  /** The highest run that was attempted, whatever became of it; 0 before the first. Never below the other. */
  readonly lastAttemptedRun: number
}

/** The state before the first pass. */
export const NEW_STAGE: StageState = { lastContiguousRun: 0, lastAttemptedRun: 0 }

/** The only version there is; the files of version 1 do not name it. */
const VERSION = 1
const KEYS = ['last_contiguous_run', 'last_attempted_run', 'version']

/** The state as it stands in the file: the Python original's keys, two blanks, a newline at the end. */
export const formatState = ({ lastContiguousRun, lastAttemptedRun }: StageState): string =>
  `${JSON.stringify({ last_contiguous_run: lastContiguousRun, last_attempted_run: lastAttemptedRun }, null, 2)}\n`

/**
 * Reads a state file's text. One of the two numbers may be missing, as the Python original leaves it out before it has one.
 * Throws STATE_CORRUPT that says what is wrong (never reads damage as "new"), and STATE_NEWER for a version above ours.
 */
export const parseState = (text: string, path: string): StageState => {
  const corrupt = (what: string): ArchiverError => new ArchiverError('STATE_CORRUPT', `${path}: ${what}`)
  if (text.trim() === '') throw corrupt(text === '' ? 'the file is empty' : 'the file holds only blanks')
  if (/^\0+$/.test(text)) throw corrupt('the file holds only zero bytes')
  const fields = parseObject(text, corrupt)
  const { version } = fields
  if (typeof version === 'number' && Number.isSafeInteger(version) && version > VERSION)
    throw new ArchiverError(
      'STATE_NEWER',
      `${path}: version ${version}, this program knows version ${VERSION}`,
      {
        hint: 'run the program that wrote it, or move the file away and rebuild it with --recover-import-state or --recover-migrate-state',
      },
    )
  if (version !== undefined && version !== VERSION) throw corrupt('the version is not a whole number above 0')
  const unknown = Object.keys(fields).find((key) => !KEYS.includes(key))
  if (unknown !== undefined) throw corrupt(`unknown key ${JSON.stringify(unknown)}`)

  const contiguous = readRun(fields, 'last_contiguous_run', corrupt)
  const attempted = readRun(fields, 'last_attempted_run', corrupt)
  if (contiguous === undefined && attempted === undefined)
    throw corrupt('neither of the two numbers is there')
  const state = { lastContiguousRun: contiguous ?? 0, lastAttemptedRun: attempted ?? contiguous ?? 0 }
  if (state.lastContiguousRun > state.lastAttemptedRun)
    throw corrupt(
      `last_contiguous_run ${state.lastContiguousRun} is above last_attempted_run ${state.lastAttemptedRun}`,
    )
  return state
}

/**
 * The state after some runs: the contiguous run as it was read off the destination, up or down; the attempted run never goes
 * down. While a run below is in hand (the first of an empty destination, a late one), neither passes it: the contiguous run is then given
 * as far as the attempted one, until the pass has ended.
 */
export const advance = (
  state: StageState,
  { attemptedUpTo, lastContiguous }: { readonly attemptedUpTo: number; readonly lastContiguous: number },
): StageState => {
  const lastAttemptedRun = Math.max(state.lastAttemptedRun, attemptedUpTo)
  return { lastContiguousRun: Math.min(lastContiguous, lastAttemptedRun), lastAttemptedRun }
}

export const sameState = (a: StageState, b: StageState): boolean =>
  a.lastContiguousRun === b.lastContiguousRun && a.lastAttemptedRun === b.lastAttemptedRun

type Corrupt = (what: string) => ArchiverError

const parseObject = (text: string, corrupt: Corrupt): Record<string, unknown> => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw corrupt(`not JSON (${error instanceof Error ? error.message : String(error)})`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw corrupt('not a JSON object')
  const fields = value as Record<string, unknown>
  // JSON.parse keeps the last of two equal keys without a word. In valid JSON only keys are strings before a colon.
  const keys = [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter(([, colon]) => colon !== undefined)
  if (keys.length > Object.keys(fields).length)
    throw corrupt('a key stands there twice, or values are nested')
  return fields
}

const readRun = (fields: Record<string, unknown>, key: string, corrupt: Corrupt): number | undefined => {
  const value = fields[key]
  if (value === undefined) return undefined
  if (typeof value !== 'number') throw corrupt(`${key} is not a number`)
  if (!Number.isSafeInteger(value)) throw corrupt(`${key} is not a whole number up to 2^53-1`)
  if (value < 0) throw corrupt(`${key} is negative`)
  return value
}
