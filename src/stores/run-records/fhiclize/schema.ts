import { join } from 'node:path'
import { ArchiverError } from '../../../errors.ts'
import { fhiclFault } from '../../../fhicl/try-parse.ts'
import { readNamedFile } from '../../../platform/named-file.ts'

/**
 * The schema document (`SystemLayout`) of sites that name none of their own: every `.fcl` file but the schema itself is a
 * document of `RunHistory`, named after the file. artdaq's own tools read these rules; this program does not need them.
 */
export const BUILT_IN_SCHEMA = String.raw`run_history: [
  { collection: RunHistory pattern: '(.*/)((?!schema\.)[^/]+)(\.fcl$)' }
]
system_layout: [
  { collection: SystemLayout pattern: '(.*)(schema)(\.fcl$)' }
]
artdaq_includes: []
artdaq_processes: []
`

/**
 * The text of the schema document: `schema.fcl` of the directory that `artdaq_db.fcl_conf_dir` names, else the built-in one.
 * Throws CONFIG_INVALID where the file cannot be read, or is not FHiCL that artdaq would take.
 */
export const readSchema = async (directory: string | undefined): Promise<string> => {
  if (directory === undefined) return BUILT_IN_SCHEMA
  const path = join(directory, 'schema.fcl')
  const text = await readNamedFile('artdaq_db.fcl_conf_dir', path)
  const fault = fhiclFault(text)
  if (!fault) return text
  throw new ArchiverError('CONFIG_INVALID', `artdaq_db.fcl_conf_dir: ${path}: ${fault.message}`, {
    cause: fault,
    hint: 'It goes into artdaqDB with every run. Correct it, or leave the setting out.',
  })
}
