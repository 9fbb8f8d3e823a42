import { readdir, readFile, rm } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { makeFolder } from '../../platform/make-folder.ts'
import { ArchiverError, errnoOf, messageOf } from '../../errors.ts'
import { replaceFile, sweepTemporaries } from '../../platform/atomic-file.ts'

/** Names the files that this program wrote into a folder: it removes no other. */
const LIST = '.run-archiver-page.json'

/**
 * Makes a folder hold these files. Each is replaced whole, so a reader never gets half a page; files that an earlier call wrote and that are not
 * among these are removed. Killed in between, some files are new and some old, and the next call makes all of them new. Throws USAGE for a folder
 * that holds something else.
 */
export const writeFiles = async (
  folder: string,
  files: ReadonlyMap<string, string | Uint8Array>,
): Promise<{ readonly removed: number }> => {
  const before = await listed(folder)
  const names = [...files.keys()]
  await makeFolder(folder)
  // First both, so that what a killed call leaves behind is known to the next one.
  await keepList(folder, [...new Set([...before, ...names])])
  const known = [...names, ...before, LIST]
  const places = new Set(known.map((name) => posix.dirname(name)))
  for (const place of places) {
    await makeFolder(join(folder, place))
    const inside = known.filter((name) => posix.dirname(name) === place)
    await sweepTemporaries(
      join(folder, place),
      inside.map((name) => posix.basename(name)),
    )
  }
  // What pages load before the pages, and the first page last.
  const order = names.toSorted((a, b) => rank(a) - rank(b))
  for (const name of order) await replaceFile(join(folder, name), files.get(name) ?? '', { mode: 0o644 })
  const stale = before.filter((name) => !files.has(name))
  for (const name of stale) await rm(join(folder, name), { force: true })
  for (const place of places) if (place !== '.') await removeEmpty(join(folder, place))
  await keepList(folder, names)
  return { removed: stale.length }
}

const rank = (name: string): number => (name.startsWith('assets/') ? 0 : name === 'index.html' ? 2 : 1)

const keepList = (folder: string, names: readonly string[]): Promise<void> =>
  replaceFile(join(folder, LIST), `${JSON.stringify({ files: names.toSorted() }, null, 2)}\n`, {
    mode: 0o644,
  })

const removeEmpty = async (folder: string): Promise<void> => {
  if ((await readdir(folder)).length === 0) await rm(folder, { recursive: true })
}

/** What an earlier call wrote. Throws USAGE where the folder is neither empty nor ours. */
const listed = async (folder: string): Promise<readonly string[]> => {
  const entries = await readdir(folder).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return []
    throw new ArchiverError('USAGE', `--to ${folder} is no folder that can be read: ${messageOf(error)}`)
  })
  if (entries.filter((name) => !name.startsWith(LIST)).length === 0) return []
  const text = await readFile(join(folder, LIST), 'utf8').catch(() => undefined)
  const names = text === undefined ? undefined : namesOf(text)
  if (names) return names
  throw new ArchiverError('USAGE', `--to ${folder} holds files that this command did not write`, {
    hint: 'Name a new or empty folder: what was written there before is removed by the next call.',
  })
}

/** The names of a list; undefined where it is not one, or names a file outside of its folder. */
const namesOf = (text: string): readonly string[] | undefined => {
  try {
    const value = JSON.parse(text) as { readonly files?: unknown }
    const names = Array.isArray(value.files) ? value.files : []
    return names.every((name): name is string => typeof name === 'string' && isInside(name))
      ? names
      : undefined
  } catch {
    return undefined
  }
}

const isInside = (name: string): boolean =>
  /^[\w.-]+(?:\/[\w.-]+)?$/.test(name) && !name.split('/').includes('..')
