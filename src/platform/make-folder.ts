import { mkdirSync, type PathLike, statSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf } from '../errors.ts'

// Node's own `recursive` takes ENOENT for "the folder above is missing" and begins again, for ever, where the system says so of a name in a folder
// that is there: below /proc, in a folder of an automounter. So each folder is tried twice at most.

/**
 * Makes a folder and those above it, each with `mode` (as `mkdir`, less the umask). Gives the uppermost that was made; undefined: it was there, or
 * is a link to a folder. Throws the system's error, EEXIST or ENOTDIR where a file is in the way.
 */
export const makeFolder = async <Path extends string | Buffer>(
  path: Path,
  mode?: number,
): Promise<Path | undefined> => {
  const madeHere = (): Promise<boolean> =>
    mkdir(path, mode).then(
      () => true,
      async (error: unknown) => {
        if (errnoOf(error) === 'ENOENT' || !(await isFolder(stat(path)))) throw error
        return false
      },
    )
  try {
    return (await madeHere()) ? path : undefined
  } catch (error) {
    const above = aboveOf(path)
    if (errnoOf(error) !== 'ENOENT' || above === undefined) throw error
    const made = await makeFolder(above, mode)
    return (await madeHere()) ? (made ?? path) : made
  }
}

/** As `makeFolder`, before it returns. */
export const makeFolderNow = (path: string, mode?: number): string | undefined => {
  const madeHere = (): boolean => {
    try {
      mkdirSync(path, mode)
      return true
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || !isFolderNow(path)) throw error
      return false
    }
  }
  try {
    return madeHere() ? path : undefined
  } catch (error) {
    const above = aboveOf(path)
    if (errnoOf(error) !== 'ENOENT' || above === undefined) throw error
    const made = makeFolderNow(above, mode)
    return madeHere() ? (made ?? path) : made
  }
}

const isFolder = (found: ReturnType<typeof stat>): Promise<boolean> =>
  found.then(
    (stats) => stats.isDirectory(),
    () => false,
  )

const isFolderNow = (path: PathLike): boolean => {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** The folder above; undefined at the root, and for a name in the folder where the process is. */
const aboveOf = <Path extends string | Buffer>(path: Path): Path | undefined => {
  // One character for each byte: any name comes through as it is.
  const above =
    typeof path === 'string' ? dirname(path) : Buffer.from(dirname(path.toString('latin1')), 'latin1')
  return above.length < path.length && above.toString() !== '.' ? (above as Path) : undefined
}
