import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

const entriesBelow = (root: string, kind: 'isFile' | 'isDirectory'): string[] =>
  existsSync(root)
    ? readdirSync(root, { recursive: true, encoding: 'utf8' })
        .map((name) => join(root, name))
        .filter((path) => isKind(path, kind))
        .sort()
    : []

const isKind = (path: string, kind: 'isFile' | 'isDirectory'): boolean => {
  try {
    return statSync(path)[kind]()
  } catch {
    return false // a link that leads nowhere
  }
}

export const filesBelow = (root: string): string[] => entriesBelow(root, 'isFile')

/** Everything below a folder: names, modes and bytes. */
export const contentOf = (root: string): string =>
  JSON.stringify(
    filesBelow(root).map((path) => [
      path.slice(root.length),
      statSync(path).mode,
      readFileSync(path, 'latin1'),
    ]),
  )

export const KINDS = [
  ...(['bit', 'cut', 'zeros', 'swap', 'name', 'mode', 'gone', 'folder swap', 'copy'] as const),
  ...([
    'empty',
    'longer',
    'line ends',
    'mark',
    'block',
    'hard link',
    'link',
    'twin',
    'older',
    'future',
  ] as const),
] as const
export type Kind = (typeof KINDS)[number]

/** Bits rot most often. */
const BAG: readonly Kind[] = ['bit', 'bit', 'bit', 'bit', ...KINDS]

export interface Damaged {
  /** One line. */
  readonly what: string
  /** The files, or folders, that are not as they were. */
  readonly paths: readonly string[]
  /** Something is as it was once: what readers were given then is right where it is found. */
  readonly restores?: boolean
}

/** Damages one or two files or folders below the places. */
export const damage = (
  places: readonly string[],
  random: () => number,
  kind = pickFrom(BAG, random),
): Damaged => {
  const files = places.flatMap(filesBelow)
  const path = pickFrom(files, random)
  const { size } = statSync(path)
  const at = Math.floor(random() * size)
  chmodSync(path, 0o644)
  const bytes = readFileSync(path)
  const paths = [path]
  switch (kind) {
    case 'bit':
      if (size === 0) break
      bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8))
      writeFileSync(path, bytes)
      break
    case 'cut':
      truncateSync(path, at)
      break
    case 'zeros':
      writeFileSync(path, bytes.fill(0, at, Math.min(size, at + 64)))
      break
    case 'swap':
      paths.push(pickFrom(files, random))
      exchange(path, paths[1] ?? path)
      break
    case 'copy':
      writeFileSync(path, readFileSync(pickFrom(files, random)))
      break
    case 'name':
      renameSync(path, `${path.slice(0, -1)}~`)
      break
    case 'mode':
      chmodSync(path, Math.floor(random() * 0o1000))
      break
    case 'gone':
      rmSync(path)
      break
    case 'empty':
      writeFileSync(path, '')
      break
    case 'longer':
      // A hole, as a power cut leaves it; or the beginning once more.
      if (random() < 0.5) truncateSync(path, size + 4096)
      else appendFileSync(path, bytes.subarray(0, at))
      break
    case 'line ends':
      writeFileSync(path, bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1')
      break
    case 'mark':
      writeFileSync(path, Buffer.concat([Buffer.from('\ufeff'), bytes]))
      break
    case 'block': {
      // A block of the disk that another file has at the same place.
      const other = readFileSync(pickFrom(files, random))
      const from = at - (at % 512)
      writeFileSync(
        path,
        Buffer.concat([
          bytes.subarray(0, from),
          other.subarray(from, from + 512),
          bytes.subarray(from + 512),
        ]),
      )
      break
    }
    case 'hard link':
    case 'link': {
      const other = pickFrom(files, random)
      if (other === path) break
      rmSync(path)
      if (kind === 'link') symlinkSync(other, path)
      else linkSync(other, path)
      break
    }
    case 'twin': {
      // In another case, or under the name of a file beside it.
      const name = basename(path)
      const twin = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase()
      copyFileSync(path, join(dirname(path), twin))
      if (random() < 0.5) rmSync(path)
      break
    }
    case 'older': {
      const place = places.find((one) => path.startsWith(`${one}/`)) ?? ''
      const older = join(dirname(place), 'yesterday', basename(place), path.slice(place.length))
      if (existsSync(older)) copyFileSync(older, path)
      else rmSync(path)
      return { what: `${kind} ${path}`, paths, restores: true }
    }
    case 'future':
      utimesSync(path, 4e9, 4e9)
      break
    case 'folder swap': {
      const folders = places.flatMap((place) => entriesBelow(place, 'isDirectory'))
      const folder = pickFrom(folders, random)
      const beside = folders.filter((other) => dirname(other) === dirname(folder))
      exchange(folder, pickFrom(beside, random))
      return { what: `${kind} ${folder} with a folder beside it`, paths: [folder] }
    }
  }
  return { what: `${kind} ${paths.join(' and ')} at ${at}`, paths }
}

export const pickFrom = <Item>(items: readonly Item[], random: () => number): Item =>
  items[Math.floor(random() * items.length)]!

const exchange = (one: string, other: string): void => {
  if (one === other) return
  renameSync(one, `${one}.x`)
  renameSync(other, one)
  renameSync(`${one}.x`, other)
}
