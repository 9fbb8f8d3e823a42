import { checkMetadata } from '../runs/check-metadata.ts'
import type { BlobCheck } from '../runs/migrate-stage.ts'

/** `--validate`: looks for the configured parameters in the metadata of a blob as it was read back; each complaint names its run. */
export const blobCheck =
  (parameters: ReadonlyMap<string, string>, complain: (complaint: string) => void): BlobCheck =>
  (run, blob) => {
    const complaints = checkMetadata(blob, parameters)
    for (const complaint of complaints) complain(`run ${run}: ${complaint}`)
    return complaints
  }
