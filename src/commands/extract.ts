import { counted } from '../common/counted.ts'
import { chmod, open } from 'node:fs/promises'
import { makeFolder } from '../platform/make-folder.ts'
import { unpackBlob } from '../stores/ucondb/blob/blob.ts'
import { restoreFiles } from '../stores/run-records/fhiclize/restore-originals.ts'
import { placesOf } from '../runs/verify/extract-paths.ts'
import type { RecordFile, RecordFolder } from '../stores/run-record.ts'
import { ArchiverError, errnoOf, messageOf } from '../errors.ts'
import type { Command } from '../app/context.ts'
import { makeEmpty } from '../platform/empty-directory.ts'
import { runOf } from './run-options.ts'
import { openArchiver } from '../app/open-archiver.ts'
import type { Archiver } from '../runs/archiver.ts'
import { sha256 } from '../runs/workers/convert-run.ts'

/**
 * What is restored of a mode. The setuid and setgid bits are not: what is written belongs to whoever extracts, root perhaps, and not to
 * the owner that the bits were meant for.
 */
const RWX = 0o777
const STICKY = 0o1000

interface Options {
  readonly config: string
  readonly run: string
  readonly to: string
  readonly from: 'artdaq' | 'archive'
  readonly json?: boolean
}

interface Extracted {
  readonly files: readonly RecordFile[]
  readonly folders: readonly RecordFolder[]
  /** Permission bits of the directory itself. */
  readonly mode: number
  /** Whether `nameOf` has escaped a name. */
  readonly isEscaped: (name: string) => boolean
}

/**
 * `run-archiver extract RUN --to DIR`: from artdaqDB the run record byte for byte, names, contents and modes; from the archive each section of the
 * blob byte for byte. DIR must be new or empty, so that nothing is ever overwritten, and nothing is written outside it, whatever a name says.
 * Throws USAGE where DIR is not to be had, STORE_UNAVAILABLE where the system does not let it be filled.
 */
export const extract: Command<Options> = async (options, context) => {
  const run = runOf(options.run)
  const archiver = await openArchiver(options.config, context)
  const extracted = await (options.from === 'artdaq' ? fromArtdaq : fromArchive)(
    archiver,
    run,
    context.signal,
  )
  const { files } = extracted
  refuseRepeated(files)
  await makeEmpty(options.to)
  await writeTo(options.to, extracted)
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0)
  if (options.json)
    context.out(
      `${JSON.stringify({ run, from: options.from, to: options.to, files: files.length, bytes }, null, 2)}\n`,
    )
  else
    context.out(
      `Run ${run}: ${counted(files.length, 'file')}, ${counted(bytes, 'byte')}, from ${options.from} to ${options.to}\n`,
    )
  return 0
}

const fromArtdaq = async ({ artdaq }: Archiver, run: number, signal: AbortSignal): Promise<Extracted> => {
  const stored = await artdaq.read(run, signal)
  await artdaq.requireNewest?.(stored)
  const { manifest } = stored
  return {
    ...restoreFiles(stored, sha256),
    mode: manifest?.directoryMode ?? 0o755,
    isEscaped: () => manifest !== undefined,
  }
}

const fromArchive = async ({ archive }: Archiver, run: number, signal: AbortSignal): Promise<Extracted> => {
  const { sections } = unpackBlob(await archive.get(run, 'newest', signal))
  const files = sections.map(({ name, content }) => ({ name, mode: 0o644, content }))
  // Documents have names without odd bytes, and the original has nothing else.
  return { files, folders: [], mode: 0o755, isEscaped: (name) => !name.endsWith('.fcl') }
}

const refuseRepeated = (files: readonly RecordFile[]): void => {
  const names = new Set<string>()
  for (const { name } of files) {
    if (names.has(name)) throw new ArchiverError('STORE_CORRUPT', `two sections have the name ${name}`)
    names.add(name)
  }
}

const writeTo = async (directory: string, { files, folders, mode, isEscaped }: Extracted): Promise<void> => {
  const pathOf = (place: Buffer | undefined): Buffer =>
    Buffer.concat([Buffer.from(`${directory}/`), place ?? Buffer.alloc(0)])
  const places = placesOf(
    files.map(({ name }) => name),
    isEscaped,
  )
  const below = folders
    .map(({ name, mode }) => ({ path: pathOf(placesOf([name], isEscaped).get(name)), mode }))
    .sort((a, b) => a.path.length - b.path.length)
  for (const { path } of below) await at(path, () => makeFolder(path))
  for (const file of files) {
    const path = pathOf(places.get(file.name))
    await at(path, () => writeFile(path, file))
  }
  for (const { path, mode } of below.reverse()) await at(path, () => chmod(path, mode & (RWX | STICKY)))
  await at(Buffer.from(directory), () => chmod(directory, mode & (RWX | STICKY)))
}

/** What the system says of a path, as an error that names it. */
const at = async (path: Buffer, work: () => Promise<unknown>): Promise<void> => {
  try {
    await work()
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    throw new ArchiverError(
      'STORE_UNAVAILABLE',
      `${path.toString()} cannot be written: ${messageOf(error)}`,
      {
        cause: error,
        hint: 'What is there is not all of the run: cure it, and extract into a new directory.',
      },
    )
  }
}

const writeFile = async (path: Buffer, { mode, content }: RecordFile): Promise<void> => {
  await makeFolder(path.subarray(0, path.lastIndexOf('/')))
  const file = await open(path, 'wx')
  try {
    await file.writeFile(content)
    await file.chmod(mode & RWX)
  } finally {
    await file.close()
  }
}
