import { ArchiverError } from '../../../errors.ts'
import { type BlobOptions, sectionsOf } from './sections.ts'
import type { StoredRun } from '../../run-record.ts'
import { displayNames, INDEX_NAME, isPlainName, parseIndex, printIndex } from './section-index.ts'
import { readPlainSections } from './plain-parser.ts'

/** One file in a blob. */
export interface Section {
  readonly name: string
  readonly content: Buffer
}

/** What a blob holds. */
export interface UnpackedBlob {
  readonly run: number
  readonly sections: readonly Section[]
}

const HEADER = /^Start of Record\nRun Number: ([1-9][0-9]{0,14})\nPacked on [^\n]*\n/
const FOOTER = /^\nEnd of Record\nRun Number: ([1-9][0-9]{0,14})\nPacked on [^\n]*\n$/
// Longer than any header or footer with a time in it; both are searched no further.
const FRAME = 512

/**
 * A blob in the original's format (docs/FORMATS.md, "The blob"), with the sections in the order given. Where that format would be
 * ambiguous, because of a content or a name, and only there, an index of names and lengths is the first section.
 * `packedOn`: epoch milliseconds. The same sections always give the same blob, apart from the two times of packing.
 */
export const packBlob = (run: number, sections: readonly Section[], packedOn: number): Buffer => {
  const time = `Run Number: ${run}\nPacked on ${formatTime(packedOn)}\n`
  const pack = (parts: readonly Section[]): Buffer =>
    Buffer.concat([
      Buffer.from(`Start of Record\n${time}`),
      ...parts.flatMap(({ name, content }) => [marker(name), content]),
      Buffer.from(`\nEnd of Record\n${time}`),
    ])
  const plain = pack(sections)
  if (isUnambiguous(plain, sections)) return plain
  const shown = displayNames(sections.map(({ name }) => name))
  const parts = sections.map(({ content }, index) => ({ name: shown[index] ?? '', content }))
  return pack([{ name: INDEX_NAME, content: printIndex(sections) }, ...parts])
}

/**
 * Reads a blob back, its sections byte for byte. Blobs of the Python original are read by its own rule: a section ends where
 * the next marker begins. Throws STORE_CORRUPT for whatever is not a whole blob.
 */
export const unpackBlob = (blob: Buffer): UnpackedBlob => {
  const { run, body } = unframe(blob)
  const start = marker(INDEX_NAME)
  if (!body.subarray(0, start.length).equals(start)) return { run, sections: readPlainSections(body) }

  const index = parseIndex(body.subarray(start.length))
  const shown = displayNames(index.entries.map(({ name }) => name))
  let at = start.length + index.size
  const sections = index.entries.map(({ name, length }, number) => {
    const before = marker(shown[number] ?? '')
    const from = at + before.length
    if (!body.subarray(at, from).equals(before) || from + length > body.length)
      throw corrupt(`section ${JSON.stringify(name)} is not where the index says`)
    at = from + length
    return { name, content: body.subarray(from, at) }
  })
  if (at !== body.length) throw corrupt(`${body.length - at} bytes follow the last section`)
  return { run, sections }
}

/** Whether two blobs are the same record: equal in all but the two times of packing. */
export const sameRecord = (a: Buffer, b: Buffer): boolean => {
  if (a.equals(b)) return true
  const first = tryUnframe(a)
  const second = tryUnframe(b)
  return first !== undefined && first.run === second?.run && first.body.equals(second.body)
}

const marker = (name: string): Buffer => Buffer.from(`\n#####\n${name}:\n#####\n`)

const isUnambiguous = (blob: Buffer, sections: readonly Section[]): boolean => {
  const names = new Set(sections.map(({ name }) => name))
  if (names.size < sections.length || names.has(INDEX_NAME) || ![...names].every(isPlainName)) return false
  const read = readPlainSections(unframe(blob).body, 'strictly')
  return (
    read.length === sections.length &&
    sections.every(({ name, content }, i) => read[i]?.name === name && read[i].content.equals(content))
  )
}

const unframe = (blob: Buffer): UnpackedFrame => {
  const header = HEADER.exec(blob.toString('latin1', 0, FRAME))
  const end = blob.lastIndexOf('\nEnd of Record\n')
  const footer = end < 0 ? null : FOOTER.exec(blob.toString('latin1', end, end + FRAME + 1))
  if (!header) throw corrupt('it does not begin with "Start of Record"')
  if (!footer || end < header[0].length || end + footer[0].length !== blob.length)
    throw corrupt('it does not end with "End of Record": it is cut short')
  if (header[1] !== footer[1])
    throw corrupt(`it begins as run ${header[1] ?? ''} and ends as run ${footer[1] ?? ''}`)
  return { run: Number(header[1]), body: blob.subarray(header[0].length, end) }
}

interface UnpackedFrame {
  readonly run: number
  /** All between the header's and the footer's lines. */
  readonly body: Buffer
}

/** The run that a blob names in its header and footer; undefined where it is not a whole blob. */
export const runOfBlob = (blob: Buffer): number | undefined => tryUnframe(blob)?.run

const tryUnframe = (blob: Buffer): UnpackedFrame | undefined => {
  try {
    return unframe(blob)
  } catch {
    return undefined
  }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `Oct 03 15:50 UTC`: the original's form, without year and seconds. */
const formatTime = (epochMilliseconds: number): string => {
  const iso = new Date(epochMilliseconds).toISOString()
  const month = MONTHS[Number(iso.slice(5, 7)) - 1] ?? ''
  return `${month} ${iso.slice(8, 10)} ${iso.slice(11, 16)} UTC`
}

const corrupt = (what: string): ArchiverError =>
  new ArchiverError('STORE_CORRUPT', `the blob is damaged: ${what}`, {
    hint: 'Run `run-archiver verify --runs RUN` to compare the archive with artdaqDB and the run record.',
  })

/** The blob of a run as it came back from artdaqDB: its documents, then the files that no document carries. */
export const blobOf = (stored: StoredRun, options: BlobOptions, packedOn: number): Buffer =>
  packBlob(stored.run, sectionsOf(stored, options), packedOn)

/** Packs runs as the settings of `ucon_db` say. `now`: epoch milliseconds, for the times of packing. */
export const packer =
  (
    settings: { readonly blobContent: BlobOptions['content']; readonly otherFiles: string },
    now: () => number,
  ): ((stored: StoredRun) => Buffer) =>
  (stored) =>
    blobOf(stored, { content: settings.blobContent, otherFiles: settings.otherFiles === 'include' }, now())
