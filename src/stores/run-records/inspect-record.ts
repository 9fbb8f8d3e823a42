import { parseMetadata } from './metadata-file.ts'
import type { RecordEvidence } from './readiness.ts'
import { readEnd } from './read-file.ts'
import { type RecordSize, sizeOf } from './record-size.ts'
import { signatureOf } from './signature.ts'
import { walk, type Walk, type WalkLimits } from './walk.ts'

/** What one look at a record finds, as data alone: it can be handed to another thread. */
export interface Look {
  readonly evidence: RecordEvidence
  readonly signature: string
  readonly size: RecordSize
}

// A stop line is the last but one thing in metadata.txt, so its end decides, however large something made the rest.
const METADATA_END = 1_048_576

/** Looks at every entry of a record and reads metadata.txt. Throws as `walk` does. */
export const lookAt = async (path: Buffer, limits: WalkLimits): Promise<Look> => {
  const found = await walk(path, limits)
  return { evidence: await evidenceOf(found), signature: signatureOf(found), size: sizeOf(found.entries) }
}

const evidenceOf = async ({ root, entries }: Walk): Promise<RecordEvidence> => {
  const file = entries.find(({ name, kind }) => name === 'metadata.txt' && kind === 'file')
  const metadata = file ? parseMetadata(await readEnd(file, METADATA_END)) : undefined
  const all = [root, ...entries.map(({ stats }) => stats)]
  const latest = (times: readonly bigint[]): number =>
    Number(times.reduce((a, b) => (a > b ? a : b), 0n) / 1000n) / 1000
  return {
    changedAt: latest(all.flatMap(({ mtimeNs, ctimeNs }) => [mtimeNs, ctimeNs])),
    modifiedAt: latest([root.mtimeNs, file?.stats.mtimeNs ?? 0n]),
    directoryWritable: (root.mode & 0o200n) !== 0n,
    metadata: metadata && { started: metadata.started, ended: metadata.ended },
  }
}
