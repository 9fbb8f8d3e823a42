import type { StoredRun } from '../../run-record.ts'

// Where these stand when they are there: behind all others, in this order.
const LAST = [
  'boot.fcl',
  'known_boardreaders_list.fcl',
  'setup.fcl',
  'environment.fcl',
  'metadata.fcl',
  'settings.fcl',
  'ranks.fcl',
  'RunHistory.fcl',
  'RunHistory2.fcl',
]

/** The original's order: by name without regard to letter case, but what describes the run as a whole at the end. */
export const orderSections = <S extends { readonly name: string }>(sections: readonly S[]): S[] => {
  const keyed = sections.map((section) => ({
    section,
    rank: LAST.indexOf(section.name),
    lower: Buffer.from(section.name.toLowerCase()),
    bytes: Buffer.from(section.name),
  }))
  // By bytes of UTF-8, which is by code point, as Python sorts.
  keyed.sort(
    (a, b) => a.rank - b.rank || Buffer.compare(a.lower, b.lower) || Buffer.compare(a.bytes, b.bytes),
  )
  return keyed.map(({ section }) => section)
}

/** What the archive's blobs hold: `ucon_db.blob_content` and `ucon_db.other_files`. */
export interface BlobOptions {
  /** `original`: the bytes that the record has; `canonical`: what artdaq's own export gives. */
  readonly content: 'original' | 'canonical'
  /** Whether files that no document carries (rc_info, unknown and binary files) go into the blob too. */
  readonly otherFiles: boolean
}

/**
 * The sections of a run: each document as `<entity>.fcl` in the original's order, then the other files by name. A file whose
 * name is taken (a record's own `schema.fcl`) gets `.original` behind it, so that no name comes twice.
 */
export const sectionsOf = (
  { documents, attached }: StoredRun,
  { content, otherFiles }: BlobOptions,
): { name: string; content: Buffer }[] => {
  const sections = orderSections(
    documents.map((document) => ({
      name: `${document.entity}.fcl`,
      content: content === 'original' ? document.text : Buffer.from(document.canonical()),
    })),
  )
  const taken = new Set(sections.map(({ name }) => name))
  for (const file of otherFiles ? orderSections(attached) : []) {
    let name = file.name
    while (taken.has(name)) name += '.original'
    taken.add(name)
    sections.push({ name, content: file.content })
  }
  return sections
}
