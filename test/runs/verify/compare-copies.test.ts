import { describe, expect, it } from 'vitest'
import { differsFromManifest } from '../../../src/runs/verify/compare-copies.ts'
import type { RecordManifest, RunRecord } from '../../../src/stores/run-record.ts'
import { convert, recordOf, sha256 } from '../../stores/run-records/fhiclize/record.ts'

const files = { 'a.fcl': 'a: 1\n', 'b.txt': 'b' }
const entries = {
  folders: [{ name: 'old', mode: 0o755 }],
  skipped: [{ name: 'latest', kind: 'link' as const }],
}
const record: RunRecord = { ...recordOf(files), ...entries }
const manifest: RecordManifest = { ...convert(files).manifest!, ...entries }
const differences = (change: Partial<RunRecord>): string[] =>
  differsFromManifest({ ...record, ...change }, manifest, sha256)

describe('a record beside what was archived of it', () => {
  it('differs in nothing where nothing was changed', () => {
    expect(differences({})).toEqual([])
  })
  it('is compared byte by byte with a copy that was proved, and no digest is taken of it', () => {
    const kept = new Map(record.files.map(({ name, content }) => [name, content]))
    const others = recordOf({ ...files, 'b.txt': 'c' }).files
    const noDigest = (): never => expect.fail('a digest was taken')
    expect(differsFromManifest(record, manifest, noDigest, kept)).toEqual([])
    expect(differsFromManifest({ ...record, files: others }, manifest, noDigest, kept)).toEqual([
      'b.txt has other content than was archived',
    ])
  })
  it.each<[what: string, change: Partial<RunRecord>, says: string]>([
    ['a content', { files: recordOf({ ...files, 'b.txt': 'c' }).files }, 'b.txt has other content than was archived'],
    ['a size', { files: recordOf({ ...files, 'b.txt': '' }).files }, 'b.txt has 0 bytes, 1 were archived'],
    ['a file that is gone', { files: recordOf({ 'a.fcl': 'a: 1\n' }).files }, 'b.txt was archived and is no longer in the run record'],
    ['a file that came', { files: recordOf({ ...files, c: 'c' }).files }, 'c is in the run record and was not archived'],
    ['the mode of a folder', { folders: [{ name: 'old', mode: 0o700 }] }, 'old is a folder of mode 0700, and was a folder of mode 0755 when the run was archived'],
    ['a folder that is gone', { folders: [] }, 'old, a folder of mode 0755 when the run was archived, is no longer there'],
    ['a folder that came', { folders: [...entries.folders, { name: 'x', mode: 0o755 }] }, 'x, a folder of mode 0755, was not there when the run was archived'],
    ['a link that came', { skipped: [...entries.skipped, { name: 'y', kind: 'link' }] }, 'y, a link, was not there when the run was archived'],
    ['a link that is gone', { skipped: [] }, 'latest, a link when the run was archived, is no longer there'],
    ['what a name is', { skipped: [{ name: 'latest', kind: 'fifo' }] }, 'latest is a fifo, and was a link when the run was archived'],
    ['the directory’s own mode', { directoryMode: 0o700 }, 'the directory has mode 0700, 0555 was archived'],
  ])('differs in %s', (_, change, says) => {
    expect(differences(change)).toEqual([says])
  }) // prettier-ignore
})
