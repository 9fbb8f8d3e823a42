import type { RecordManifest, RunRecord } from '../../stores/run-record.ts'

type Comparable = Pick<RunRecord, 'files' | 'folders' | 'skipped' | 'directoryMode'>

/**
 * How a record differs from what its manifest says was archived: one sentence each, naming the file. Empty when all of it is the same: names,
 * contents and modes of files, names and modes of folders, the directory's own mode, and what else there was and was left out. `kept`: contents that
 * were proved by the manifest before, by name; of others the digest is taken.
 */
export const differsFromManifest = (
  record: Comparable,
  manifest: RecordManifest,
  sha256: (bytes: Uint8Array) => string,
  kept: ReadonlyMap<string, Buffer> = NONE,
): string[] => {
  const archived = new Map(manifest.files.map((file) => [file.name, file]))
  const differences = record.files.flatMap(({ name, mode, content }) => {
    const was = archived.get(name)
    archived.delete(name)
    if (!was) return [`${name} is in the run record and was not archived`]
    if (was.size !== content.length) return [`${name} has ${content.length} bytes, ${was.size} were archived`]
    if (!(kept.get(name)?.equals(content) ?? was.sha256 === sha256(content)))
      return [`${name} has other content than was archived`]
    return was.mode === mode ? [] : [`${name} has mode ${octal(mode)}, ${octal(was.mode)} was archived`]
  })
  return [
    ...differences,
    ...[...archived.keys()].map((name) => `${name} was archived and is no longer in the run record`),
    ...differingEntries(entriesOf(record), entriesOf(manifest)),
    ...(record.directoryMode === manifest.directoryMode
      ? []
      : [`the directory has mode ${octal(record.directoryMode)}, ${octal(manifest.directoryMode)} was archived`]), // prettier-ignore
  ]
}

const NONE: ReadonlyMap<string, Buffer> = new Map()

/** What there is beside files, by name. */
const entriesOf = ({ folders, skipped }: Pick<Comparable, 'folders' | 'skipped'>): Map<string, string> =>
  new Map([
    ...folders.map(({ name, mode }) => [name, `a folder of mode ${octal(mode)}`] as const),
    ...skipped.map(({ name, kind }) => [name, `a ${kind}`] as const),
  ])

const differingEntries = (entries: ReadonlyMap<string, string>, archived: Map<string, string>): string[] => {
  const differences = [...entries].flatMap(([name, what]) => {
    const was = archived.get(name)
    archived.delete(name)
    if (was === undefined) return [`${name}, ${what}, was not there when the run was archived`]
    return was === what ? [] : [`${name} is ${what}, and was ${was} when the run was archived`]
  })
  return [
    ...differences,
    ...[...archived].map(([name, was]) => `${name}, ${was} when the run was archived, is no longer there`),
  ]
}

/** How two sets of named sections differ, one sentence each; `left` and `right` are what the sets are called. */
export const differingSections = (
  [left, ours]: readonly [name: string, sections: readonly Section[]],
  [right, theirs]: readonly [name: string, sections: readonly Section[]],
): string[] => {
  const others = new Map(theirs.map((section) => [section.name, section.content]))
  const differences = ours.flatMap(({ name, content }) => {
    const other = others.get(name)
    others.delete(name)
    if (!other) return [`${name} is in ${left} and not in ${right}`]
    if (other.equals(content)) return []
    return [
      `${name} differs: ${content.length} bytes in ${left}, ${other.length} in ${right}, from byte ${firstDifference(content, other)} on`,
    ]
  })
  return [...differences, ...[...others.keys()].map((name) => `${name} is in ${right} and not in ${left}`)]
}

export interface Section {
  readonly name: string
  readonly content: Buffer
}

const firstDifference = (a: Buffer, b: Buffer): number => {
  const shorter = Math.min(a.length, b.length)
  for (let at = 0; at < shorter; at++) if (a[at] !== b[at]) return at
  return shorter
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0')
