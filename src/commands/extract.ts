import { chmod, mkdir, open, readdir } from 'node:fs/promises'
import { unpackBlob } from '../core/blob.ts'
import { restoreFiles } from '../core/convert/restore.ts'
import { bytesOf } from '../core/file-name.ts'
import type { RecordFile, RecordFolder } from '../core/run-record.ts'
import { ArchiverError, errnoOf } from '../errors.ts'
import type { Command } from './context.ts'
import { runOf } from './mode.ts'
import { type Archiver, openArchiver } from './open.ts'
import { sha256 } from '../work/run-work.ts'

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
}

/**
 * `run-archiver extract RUN --to DIR`: from artdaqDB the run record byte for byte, names, contents and modes; from the archive each section of the
 * blob byte for byte. DIR must be new or empty, so that nothing is ever overwritten, and nothing is written outside it, whatever a name says.
 */
export const extract: Command<Options> = async (options, context) => {
  const run = runOf(options.run)
  const archiver = await openArchiver(options.config, context)
  const { files, folders, mode } = await (options.from === 'artdaq' ? fromArtdaq : fromArchive)(
    archiver,
    run,
    context.signal,
  )
  await makeEmpty(options.to)
  for (const folder of [...folders].sort((a, b) => a.name.length - b.name.length))
    await mkdir(pathIn(options.to, folder.name), { recursive: true })
  for (const file of files) await writeFile(pathIn(options.to, file.name), file)
  for (const folder of [...folders].sort((a, b) => b.name.length - a.name.length))
    await chmod(pathIn(options.to, folder.name), folder.mode)
  await chmod(options.to, mode)
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0)
  if (options.json)
    context.out(
      `${JSON.stringify({ run, from: options.from, to: options.to, files: files.length, bytes }, null, 2)}\n`,
    )
  else
    context.out(`Run ${run}: ${files.length} files, ${bytes} bytes, from ${options.from} to ${options.to}\n`)
  return 0
}

const fromArtdaq = async ({ artdaq }: Archiver, run: number, signal: AbortSignal): Promise<Extracted> => {
  const stored = await artdaq.read(run, signal)
  return { ...restoreFiles(stored, sha256), mode: stored.manifest?.directoryMode ?? 0o755 }
}

const fromArchive = async ({ archive }: Archiver, run: number, signal: AbortSignal): Promise<Extracted> => {
  const { sections } = unpackBlob(await archive.get(run, 'newest', signal))
  const files = sections.map(({ name, content }) => ({ name, mode: 0o644, content }))
  return { files, folders: [], mode: 0o755 }
}

const makeEmpty = async (directory: string): Promise<void> => {
  await mkdir(directory, { recursive: true })
  if ((await readdir(directory)).length > 0)
    throw new ArchiverError('USAGE', `${directory} is not empty`, {
      hint: 'Name a new or an empty directory: nothing is overwritten.',
    })
}

/** Where a name lies below a directory. A name that would lead out of it becomes one plain file name, its slashes and dots escaped. */
const pathIn = (directory: string, name: string): Buffer => {
  const parts = name.split('/')
  const plain = parts.every((part) => part !== '' && part !== '.' && part !== '..')
  const safe = plain
    ? bytesOf(name)
    : Buffer.from(name.replaceAll('/', '%2F').replace(/^\.+$/, (dots) => dots.replaceAll('.', '%2E')))
  return Buffer.concat([Buffer.from(`${directory}/`), safe.length > 0 ? safe : Buffer.from('%')])
}

const writeFile = async (path: Buffer, { name, mode, content }: RecordFile): Promise<void> => {
  await mkdir(path.subarray(0, path.lastIndexOf('/')), { recursive: true })
  const file = await open(path, 'wx').catch((error: unknown) => {
    if (errnoOf(error) !== 'EEXIST') throw error
    throw new ArchiverError('STORE_CORRUPT', `two sections have the name ${name}`, { cause: error })
  })
  try {
    await file.writeFile(content)
    await file.chmod(mode)
  } finally {
    await file.close()
  }
}
