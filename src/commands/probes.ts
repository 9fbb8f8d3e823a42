import { access, constants, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ReadConfig } from '../config/load-config.ts'
import { errnoOf } from '../errors.ts'
import type { Context } from '../app/context.ts'
import { openArchiver } from '../app/open-archiver.ts'

/** One thing that a configuration points at, and a look whether it is there. */
export interface Probe {
  /** What is looked at, in a word or two: `artdaqDB`. */
  readonly name: string
  /** The setting that points at it: `artdaq_db.database_uri`. Its line is told when the look fails. */
  readonly setting: string
  /** Answers with what was found (`523 runs`). Throws what is wrong. Changes nothing. */
  readonly probe: (signal: AbortSignal) => Promise<string>
}

/** A look at everything that a configuration points at. Nothing is created or written. */
export const probesOf = async (
  path: string,
  { config }: ReadConfig,
  context: Context,
): Promise<readonly Probe[]> => {
  const silent = { ...context, err: () => undefined } // its warnings are told already
  const { records, artdaq, archive } = await openArchiver(path, silent)
  return [
    { name: 'work_dir', setting: 'app.work_dir', probe: () => writable(config.app.workDir) },
    {
      name: 'run records',
      setting: 'source_files.run_records_dir',
      probe: async () => `${(await records.list()).runs.size} runs in ${config.sourceFiles.runRecordsDir}`,
    },
    {
      name: 'artdaqDB',
      setting: 'artdaq_db.database_uri',
      probe: answering((signal) => artdaq.probe(signal)),
    },
    { name: 'UconDB', setting: 'ucon_db.server_url', probe: answering((signal) => archive.probe(signal)) },
  ]
}

const answering =
  (probe: (signal: AbortSignal) => Promise<void>) =>
  async (signal: AbortSignal): Promise<string> => {
    await probe(signal)
    return 'answers'
  }

/** A folder that may be written, or whose nearest ancestor may be, so that it can be made. */
const writable = async (folder: string, wanted = folder): Promise<string> => {
  const found = await stat(folder).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (!found) return writable(dirname(folder), wanted)
  if (!found.isDirectory()) throw new Error(`${folder} is no folder`)
  await access(folder, constants.W_OK | constants.X_OK)
  return folder === wanted ? `${wanted} may be written` : `${wanted} will be made`
}
