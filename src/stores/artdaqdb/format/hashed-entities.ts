import { hash } from 'node:crypto'
import type { RunDocument } from '../../run-record.ts'

/** The entity in which artdaq's `conftool` and the Python original keep a digest of each document that they store with a run. */
export const HASHES = 'hashes'

/** What an update adds: the list does not name it. */
const OF_AN_UPDATE = 'RunHistory2'

/** The list of digests of some documents, as the Python original makes it of the texts that it hands to artdaq. */
export const hashesOf = (documents: readonly RunDocument[]): RunDocument => {
  const lines = documents
    .filter(({ collection, entity }) => collection !== 'SystemLayout' && entity !== OF_AN_UPDATE)
    .map((one) => `${one.entity}:${hash('md5', one.originalForm?.() ?? one.fhicl)}`)
    .sort()
  const fhicl = `${lines.join('\n')}\n${SUM}:${hash('md5', lines.join(','))}\n`
  return { collection: 'RunHistory', entity: HASHES, fhicl, text: Buffer.from(fhicl), original: undefined }
}

interface Line {
  readonly entity: string
  readonly digest: string
}

/** The line that holds the digest of all others. */
const SUM = 'configuration'

const linesOf = (fhicl: string): readonly Line[] =>
  [...fhicl.matchAll(/^([A-Za-z0-9_]+): "?([0-9a-f]{32})\b/gm)].map(([, entity = '', digest = '']) => ({
    entity,
    digest,
  }))

/**
 * The entities that such a document names, from its FHiCL as artdaq's export prints it: all that was stored, for files that no pattern of the site's
 * schema matches are left out. It names neither `schema` nor what an update adds.
 */
export const hashedEntities = (fhicl: string): ReadonlySet<string> =>
  new Set(
    linesOf(fhicl)
      .map(({ entity }) => entity)
      .filter((entity) => entity !== SUM),
  )

/** Whether such a list proves itself: its last line is the digest of the others. */
export const isSoundList = (fhicl: string): boolean => {
  const lines = linesOf(fhicl)
  const sum = lines.findLast(({ entity }) => entity === SUM)
  const named = lines.filter((line) => line !== sum)
  return sum !== undefined && fits(named, sum.digest)
}

/**
 * What is wrong with the document `hashes` of a run that another program stored; undefined where nothing certainly is. Its last line is the digest of the
 * others, so that it proves itself. Where it does not fit, it counts as damaged only if the record shows that its digests were computed and not
 * made up: one of them is that of a text which the record gives. A record that has a `hashes.fcl` of its own says nothing.
 */
export const damageOfHashes = (fhicl: string, documents: readonly RunDocument[]): string | undefined => {
  const lines = linesOf(fhicl)
  const sum = lines.findLast(({ entity }) => entity === SUM)
  const named = lines.filter((line) => line !== sum)
  if (sum && fits(named, sum.digest)) return undefined
  if (documents.some(({ entity }) => entity === HASHES)) return undefined
  const given = new Map(documents.map((document) => [document.entity, digestsOf(document)]))
  const isGiven = ({ entity, digest }: Line): boolean => given.get(entity)?.has(digest) ?? false
  const isComputed = named.some(({ digest }) => [...given.values()].some((digests) => digests.has(digest)))
  if (!isComputed) return undefined
  const wrong = sum && named.find((line) => !isGiven(line) && isMended(line, { named, sum, given }))
  if (wrong) return `it says another digest, or another name, for ${wrong.entity}`
  return named.every(isGiven)
    ? 'a line is lost, or the last one is wrong'
    : 'its last line does not fit the others'
}

/** The ways to join the lines: with a comma, as the Python original and `conftool` do, and those that are near. */
const fits = (named: readonly Line[], sum: string): boolean =>
  [',', '\n', ''].some((between) => {
    const text = named.map(({ entity, digest }) => `${entity}:${digest}`).join(between)
    return hash('md5', text) === sum
  })

interface Doubted {
  readonly named: readonly Line[]
  readonly sum: Line
  /** The digests of the texts that a record gives, by entity. */
  readonly given: ReadonlyMap<string, ReadonlySet<string>>
}

/** Whether the last line fits once this line says what the record gives. */
const isMended = (line: Line, { named, sum, given }: Doubted): boolean => {
  const others = new Set(named.map(({ entity }) => entity))
  const ofDigest = [...(given.get(line.entity) ?? [])].map((digest) => ({ ...line, digest }))
  const ofName = [...given.keys()]
    .filter((entity) => !others.has(entity))
    .map((entity) => ({ ...line, entity }))
  return [...ofDigest, ...ofName].some((mended) =>
    fits(
      named.map((one) => (one === line ? mended : one)),
      sum.digest,
    ),
  )
}

const digestsOf = ({ text, fhicl, originalForm, earlierForms }: RunDocument): ReadonlySet<string> => {
  const texts = [text, fhicl, originalForm?.() ?? '', ...(earlierForms?.() ?? [])]
  return new Set(texts.filter(({ length }) => length > 0).map((one) => hash('md5', one)))
}
