import { ArchiverError } from '../../../errors.ts'

/** The name of the section by which an indexed blob is known from a plain one. The original has only names that end in `.fcl`. */
export const INDEX_NAME = 'archiver-sections'

const FIRST_LINE = /^version 1, (0|[1-9][0-9]{0,9}) sections\n$/
// A name may hold U+2028 and U+2029, which JSON leaves as they are and which a dot does not match.
const LINE = /^(0|[1-9][0-9]{0,14}) ("[^\n]*")\n$/

interface Entry {
  readonly name: string
  /** Bytes. */
  readonly length: number
}

/** The index: how many sections follow, then the length in bytes and the name (a JSON string) of each, one a line. */
export const printIndex = (sections: readonly { name: string; content: Buffer }[]): Buffer =>
  Buffer.from(
    `version 1, ${sections.length} sections\n${sections
      .map(({ name, content }) => `${content.length} ${JSON.stringify(name)}\n`)
      .join('')}`,
  )

/** Reads an index from the start of `bytes`; `size` is where it ends. Throws STORE_CORRUPT. */
export const parseIndex = (bytes: Buffer): { readonly entries: readonly Entry[]; readonly size: number } => {
  let size = 0
  const nextLine = (): string => {
    const end = bytes.indexOf('\n', size) + 1
    if (end === 0) throw damaged('it is cut short')
    const line = bytes.toString('utf8', size, end)
    size = end
    return line
  }
  const count = FIRST_LINE.exec(nextLine())?.[1]
  if (count === undefined) throw damaged('its first line does not say how many sections follow')
  const entries: Entry[] = []
  for (let i = 0; i < Number(count); i++) {
    const [, length, quoted] = LINE.exec(nextLine()) ?? []
    entries.push({ name: parseName(quoted), length: Number(length) })
  }
  return { entries, size }
}

const parseName = (quoted = ''): string => {
  try {
    return JSON.parse(quoted) as string // LINE lets only a text in quotes through
  } catch (error) {
    throw damaged('a line is not a length and a name', error)
  }
}

const damaged = (what: string, cause?: unknown): ArchiverError =>
  new ArchiverError('STORE_CORRUPT', `the blob's index (${INDEX_NAME}) is damaged: ${what}`, { cause })

/** Whether a name can stand in a marker, and be a file's name in one folder, as it is. */
export const isPlainName = (name: string): boolean =>
  !/^\.{0,2}$|[/\\]|^\s|\s$/.test(name) && !/[\p{C}\p{Zl}\p{Zp}]/u.test(name) && name.length <= 200

/**
 * The names that the markers of an indexed blob show: for people, and for readers that know only the original's format, to whom
 * each must be a harmless file name. Each is different; the exact names stand in the index.
 */
export const displayNames = (names: readonly string[]): string[] => {
  const taken = new Set([INDEX_NAME])
  return names.map((name) => {
    const harmless = isPlainName(name)
      ? name
      : name
          .slice(0, 150)
          .replace(/[^A-Za-z0-9_.+-]/g, '_')
          .replace(/^\.*/, '_')
    let shown = harmless
    for (let n = 2; taken.has(shown); n++) shown = `${harmless}.${n}`
    taken.add(shown)
    return shown
  })
}
