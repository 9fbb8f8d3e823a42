import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { checksumOf, formatChecksum } from '../../src/stores/ucondb/checksum-file.ts'
import {
  blobOf,
  type Deed,
  documentOf,
  indexOf,
  oidOf,
  put,
  sumOf,
  swapNames,
  updatesOf,
} from './adversary.ts'
import type { DamagedSite } from './damaged-site.ts'

/** One bit of the last character of a text that stands in a file. */
const flipIn = (path: string, text: string): string[] => {
  const bytes = readFileSync(path)
  const at = bytes.indexOf(text)
  if (at < 0) throw new Error(`${path} has no ${text}`)
  const last = at + Buffer.byteLength(text) - 1
  bytes[last] = bytes[last]! ^ 1
  put(path, bytes)
  return [path]
}

/** Two texts of a file, each where the other stood. */
const swapIn = (path: string, one: string, other: string): string[] => {
  const text = readFileSync(path, 'utf8')
  if (!text.includes(one) || !text.includes(other)) throw new Error(`${path} lacks ${one} or ${other}`)
  put(path, text.replace(one, '\0').replace(other, one).replace('\0', other))
  return [path]
}

const SEAL = 'seal sha256 - -\\n'

/** The seal made anew over what the document says now: it was changed on purpose. */
const reseal = ([path]: string[]): string[] => {
  const text = readFileSync(path!, 'latin1')
  const at = text.indexOf(SEAL) + SEAL.length
  const blank = `${text.slice(0, at)}${'0'.repeat(64)}${text.slice(at + 64)}`
  const digest = createHash('sha256').update(blank, 'latin1').digest('hex')
  put(path!, Buffer.from(`${text.slice(0, at)}${digest}${text.slice(at + 64)}`, 'latin1'))
  return [path!]
}

/** The checksum file made anew. */
const revouch = ([path]: string[]): string[] => {
  put(sumOf(path!), formatChecksum(checksumOf(readFileSync(path!), basename(path!), Date.now())))
  return [path!]
}

const schema = (site: DamagedSite): string => documentOf(site, 4, 'schema')
const plain = (site: DamagedSite): string => documentOf(site, 4, 'x')
const blob = (site: DamagedSite): string => blobOf(site, '1')
const older = (site: DamagedSite): string => blobOf(site, '3-update-1')
const newest = (site: DamagedSite): string => blobOf(site, '3-update-2')

/** A document's words, each with the text in it of which a bit is flipped. */
const WORDS: readonly (readonly [string, (site: DamagedSite) => string, string])[] = [
  ['a value of a document', plain, '"x" : "4'],
  ['the type of a value', plain, '"type" : "number'],
  ['the line of a comment', plain, '"linenum" : 1'],
  ['a comment', plain, '"annotation" : "# y'],
  ['the original of a document', plain, 'x: 4 #'],
  ['the mode of an original', plain, 'original utf8 06'],
  ['the name of an original', plain, '0644 x'],
  ['the digits of a seal', plain, `${SEAL}0`.slice(0, -1)],
  ['the name of a version', plain, '"version" : "4'],
  ['the run of a document', plain, '"runs" : [\n{\n"name" : "4'],
  ['the entity of a document', plain, '"entities" : [\n{\n"name" : "x'],
  ['the collection of a document', plain, '"collection" : "RunHistor'],
  ['the oid of a document', plain, '"$oid" : "'],
  ['the name of a file in the manifest', schema, '"name" : "boot'],
  ['the mode of a file in the manifest', schema, '"name" : "notes.bin",\n"mode" : "064'],
  ['the size of a file in the manifest', schema, '"size" : '],
  ['the digest of a file in the manifest', schema, '"sha256" : "a'.slice(0, -1)],
  ['the name of a folder', schema, '"name" : "log'],
  ['the mode of a folder', schema, '"mode" : "0750'],
  ["the directory's mode", schema, '"directory" : "4",\n"mode" : "0755'],
  ['an attached file', schema, '"content" : "one'],
  ['the name of an attached file', schema, '"run-archiver file",\n"name" : "log'],
  ['the list of documents', schema, '"RunHistory/boo'],
  ['the list of unsealed documents', schema, '"unseale'],
  ['the type of the manifest', schema, 'run-archiver manifes'],
]

const BLOB_WORDS: readonly (readonly [string, string])[] = [
  ['the run in the header', 'Run Number: 1'],
  ['the date in the header', 'Packed on '],
  ['a marker', '#####\nx.fc'],
  ['a section', 'x: 1 #'],
  ['the footer', 'End of Recor'],
]

const SUM_WORDS: readonly (readonly [string, string])[] = [
  ['the size', '# size '],
  ['the adler32', '# adler32 '],
  ['the time', '# stored 2'],
  ['the name', '  1.tx'],
]

/** Line by line, what docs/FORMATS.md says under "What a reader can be given": a bit of each, and an exchange. */
export const PROOF: readonly Deed[] = [
  ...WORDS.map(([what, path, text]): Deed => ({
    what: `a bit of ${what}`,
    do: (site) => flipIn(path(site), text),
  })),
  ...WORDS.map(([what, path, text]): Deed => ({
    what: `a bit of ${what}, sealed again`,
    forges: true,
    do: (site) => reseal(flipIn(path(site), text)),
  })),
  ...BLOB_WORDS.map(([what, text]): Deed => ({
    what: `a bit of ${what} of a blob`,
    do: (site) => flipIn(blob(site), text),
  })),
  ...BLOB_WORDS.map(([what, text]): Deed => ({
    what: `a bit of ${what} of a blob, with a checksum that fits`,
    forges: true,
    do: (site) => revouch(flipIn(blob(site), text)),
  })),
  ...SUM_WORDS.map(([what, text]): Deed => ({
    what: `a bit of ${what} in a checksum file`,
    do: (site) => [...flipIn(sumOf(blob(site)), text), blob(site)],
  })),
  { what: 'a bit of a blob of before an update', do: (site) => flipIn(older(site), 'later') },
  { what: 'a bit of the newest blob', do: (site) => flipIn(newest(site), 'later stil') },
  {
    what: 'modes of two files exchanged in the manifest',
    do: (site) => swapIn(schema(site), '"mode" : "0640"', '"mode" : "0644"'),
  },
  {
    what: 'two digests exchanged in the manifest',
    do: (site) =>
      swapIn(
        schema(site),
        '6d0c8a579f90dba892bbb21546e1fa240510da0f61d217fbeb88a5f4632f8546',
        '2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806',
      ),
  },
  {
    what: 'the contents of two attached files exchanged',
    do: (site) => swapIn(schema(site), 'one\\n', 'AP8E'),
  },
  {
    what: 'the names of two files exchanged, sealed again',
    forges: true,
    do: (site) => reseal(swapIn(schema(site), '"boot.txt"', '"tpc01.fcl"')),
  },
  {
    what: 'two values exchanged, sealed again',
    forges: true,
    do: (site) => reseal(swapIn(plain(site), '"1"', '"2.5"')),
  },
  {
    what: 'originals of two runs exchanged, sealed again',
    forges: true,
    do: (site) => {
      const [a, b] = [documentOf(site, 1, 'x'), documentOf(site, 4, 'x')]
      const [one, other] = [readFileSync(a, 'utf8'), readFileSync(b, 'utf8')]
      put(a, one.replace('x: 1 #', 'x: 4 #'))
      put(b, other.replace('x: 4 #', 'x: 1 #'))
      return [a, b].flatMap((path) => reseal([path]))
    },
  },
  {
    what: 'a document under the name of another entity, sealed again, and the indexes gone',
    forges: true,
    do: (site) => {
      const paths = reseal(flipIn(plain(site), '"entities" : [\n{\n"name" : "x'))
      site.loseIndexes()
      return paths
    },
  },
  {
    what: 'a bit of an oid in an index',
    do: (site) => [...flipIn(indexOf(site, 'RunHistory'), oidOf(plain(site))), plain(site)],
  },
  {
    what: 'a bit of the name of a run in an index',
    do: (site) => [...flipIn(indexOf(site, 'RunHistory'), '"runs.name" : {\n"1')],
  },
  {
    what: 'a bit of the name of a version in an index',
    do: (site) => flipIn(indexOf(site, 'RunHistory'), '"1'),
  },
  {
    what: 'a bit of the name of an entity in an index',
    do: (site) => flipIn(indexOf(site, 'RunHistory'), '"tpc0'),
  },
  {
    what: 'two versions of a run exchanged in an index',
    do: (site) => {
      const [one, other] = updatesOf(site, 3).filter((path) => path.includes('/SystemLayout/'))
      const path = indexOf(site, 'SystemLayout')
      const text = readFileSync(path, 'utf8')
      put(
        path,
        text
          .replaceAll(oidOf(one!), '\0')
          .replaceAll(oidOf(other!), oidOf(one!))
          .replaceAll('\0', oidOf(other!)),
      )
      return [one!, other!]
    },
  },
  {
    what: 'the checksum files of two blobs exchanged',
    do: (site) => {
      swapNames(sumOf(blob(site)), sumOf(blobOf(site, '4')))
      return [blob(site), blobOf(site, '4')]
    },
  },
  {
    what: 'a checksum file that holds something else',
    do: (site) => {
      put(sumOf(blob(site)), readFileSync(plain(site)))
      return [sumOf(blob(site))]
    },
  },
  {
    what: 'the checksum files of two updates exchanged',
    do: (site) => {
      swapNames(sumOf(older(site)), sumOf(newest(site)))
      return [older(site), newest(site)]
    },
  },
]
