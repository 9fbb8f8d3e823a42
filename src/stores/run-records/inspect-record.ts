import { damageOfText, LOOKED_AT } from './damaged-text.ts'
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
  const content = file && (await readEnd(file, METADATA_END))
  const metadata = content && parseMetadata(content)
  const all = [root, ...entries.map(({ stats }) => stats)]
  const latest = (times: readonly bigint[]): number =>
    Number(times.reduce((a, b) => (a > b ? a : b), 0n) / 1000n) / 1000
  return {
    changedAt: latest(all.flatMap(({ mtimeNs, ctimeNs }) => [mtimeNs, ctimeNs])),
    modifiedAt: latest([root.mtimeNs, file?.stats.mtimeNs ?? 0n]),
    directoryWritable: (root.mode & 0o200n) !== 0n,
    metadata: metadata && { started: metadata.started, ended: metadata.ended },
    damage: metadata?.ended ? undefined : await damageOf(entries, content),
  }
}

/** Of a record without a stop line, which may wait for days: what is wrong with its text files. */
const damageOf = async (
  entries: Walk['entries'],
  metadata: Buffer | undefined,
): Promise<string | undefined> => {
  const found = [metadata && damageOfText('metadata.txt', metadata)]
  for (const file of entries)
    if (file.kind === 'file' && /^[^/]+\.txt$/.test(file.name) && file.name !== 'metadata.txt')
      found.push(damageOfText(file.name, await readEnd(file, LOOKED_AT)))
  const damages = found.filter((damage) => damage !== undefined)
  return damages.length === 0 ? undefined : damages.join(', ')
}
