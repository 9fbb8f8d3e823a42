import { adler32 } from '../../common/adler32.ts'
import { bytesOf, nameOf } from '../../common/file-name-encoding.ts'

/** The longest name of one file, in bytes, on nearly every file system. */
const LONGEST = 255

/**
 * Where each name goes below one directory, as bytes of a path. No place lies outside of the directory, whatever a name says, and none is
 * another's or in its way: what cannot be a path below it, or would lie below another file (`setup.fcl/notes.txt` beside `setup.fcl`), becomes
 * one plain file name with `%2F` for each `/`. `isEscaped`: of which names `nameOf` has escaped odd bytes; those get their bytes back.
 */
export const placesOf = (
  names: Iterable<string>,
  isEscaped: (name: string) => boolean,
): ReadonlyMap<string, Buffer> => {
  const paths = new Map([...names].map((name) => [name, pathOf(name, isEscaped(name))]))
  const files = new Set([...paths.values()].map((path) => path?.toString('latin1')))
  const places = new Map<string, Buffer>()
  const taken = new Set<string>()
  for (const [name, path] of paths) {
    const text = path?.toString('latin1') ?? ''
    const folders = foldersOf(text)
    if (!path || taken.has(text) || folders.some((folder) => files.has(folder))) continue
    places.set(name, path)
    for (const one of [text, ...folders]) taken.add(one)
  }
  for (const name of paths.keys()) {
    if (places.has(name)) continue
    let place = flat(name)
    for (let n = 2; taken.has(place.toString('latin1')); n++) place = flat(`${name}.${n}`)
    places.set(name, place)
    taken.add(place.toString('latin1'))
  }
  return places
}

/** The path that a name is; undefined for one that would lead out of its directory, or that no file can have. */
const pathOf = (name: string, isEscaped: boolean): Buffer | undefined => {
  // What `nameOf` cannot have made means itself: `%41`, which is no odd byte, and `%2F`, which is in no file's name.
  const bytes = isEscaped && nameOf(bytesOf(name)) === name ? bytesOf(name) : Buffer.from(name)
  const parts = bytes.toString('latin1').split('/')
  const isPath = parts.every(
    (part) => !['', '.', '..'].includes(part) && !part.includes('\0') && part.length <= LONGEST,
  )
  return isPath ? bytes : undefined
}

const foldersOf = (path: string): string[] =>
  [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index))

const flat = (name: string): Buffer => {
  const plain = name.replaceAll('/', '%2F').replaceAll('\0', '%00') || '%'
  const bytes = Buffer.from(/^\.{1,2}$/.test(plain) ? plain.replaceAll('.', '%2E') : plain)
  if (bytes.length <= LONGEST) return bytes
  const sum = adler32(Buffer.from(name)).toString(16).padStart(8, '0')
  return Buffer.concat([bytes.subarray(0, LONGEST - 9), Buffer.from(`_${sum}`)])
}
