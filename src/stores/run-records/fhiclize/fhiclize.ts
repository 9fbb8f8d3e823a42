import type { FhiclDocument } from '../../../fhicl/document.ts'
import { printedParts } from '../../../fhicl/to-json.ts'
import { damageOfText } from '../damaged-text.ts'
import { NO_METADATA, parseMetadata } from '../metadata-file.ts'
import { decodeAscii, emptyTable } from '../../../fhicl/accepted-text.ts'
import type { RecordFile, RecordManifest, RunDocument, RunDocuments, RunRecord } from '../../run-record.ts'
import { ORIGINAL_FORMS, originalRunHistory, originalRunHistory2 } from '../original-forms/original-forms.ts'
import { safeConfigName } from './safe-name.ts'
import { convertBoot } from './boot.ts'
import { Entities } from './document-names.ts'
import { earlierForms } from './earlier-forms.ts'
import { convertEnvironment } from './environment.ts'
import type { IsFhicl } from './fhicl-printer.ts'
import { convertKnownBoardreaders } from './known-boardreaders.ts'
import { convertMetadata } from './metadata.ts'
import { convertRanks } from './ranks.ts'
import { lossOfRepeatedNames } from './repeated-names.ts'
import { runHistory, runHistory2 } from './run-history.ts'
import { convertSettings } from './settings.ts'
import { convertSetup } from './setup.ts'

export interface ConversionOptions {
  /** The schema document's bytes. */
  readonly schema: Buffer
  /** Which text files become documents, by `fhiclize_generate`: `boot`, `metadata`, ..., `RunHistory`, `RunHistory2`. */
  readonly generate: ReadonlySet<string>
  /** Lower-case hexadecimal. */
  readonly sha256: (bytes: Uint8Array) => string
  /** The document that a text is; undefined where artdaq would refuse it. */
  readonly parse: (text: string) => FhiclDocument | undefined
}

type Converter = (bytes: Uint8Array, isFhicl: IsFhicl) => string

/** What `fhiclize_generate` may name, but for the two histories, with the text file's name without `.txt`. */
const CONVERTERS: ReadonlyMap<string, Converter> = new Map([
  ['boot', convertBoot],
  ['metadata', convertMetadata],
  ['known_boardreaders_list', convertKnownBoardreaders],
  ['settings', convertSettings],
  ['setup', convertSetup],
  ['environment', convertEnvironment],
  ['ranks', convertRanks],
])

/**
 * Turns a run record into the documents that artdaqDB takes, and keeps every byte of it: what no document carries is
 * attached, and `restoreFiles` gives the record back. Never refuses a record: a file that cannot be said in
 * FHiCL becomes a document with an empty table, beside its own bytes.
 */
export const toDocuments = (record: RunRecord, options: ConversionOptions): RunDocuments => {
  const { generate, parse } = options
  const isFhicl: IsFhicl = (text) => parse(text) !== undefined
  const metadataFile = record.files.find(({ name }) => name === 'metadata.txt')
  const metadata = metadataFile ? parseMetadata(metadataFile.content) : NO_METADATA
  const documents: RunDocument[] = []
  const losses: string[] = []
  const put = (
    entity: string,
    text: Buffer,
    original?: RecordFile,
    originalForm?: RunDocument['originalForm'],
    earlier?: RunDocument['earlierForms'],
  ): void => {
    const { loss, ...fhicl } = fhiclOf(entity, text, parse)
    if (loss !== undefined)
      losses.push(
        `${original?.name ?? `${entity}.fcl`}: artdaq's tools lose a value of a repeated name: ${loss}`,
      )
    documents.push({
      collection: 'RunHistory',
      entity,
      ...fhicl,
      text,
      original,
      originalForm,
      earlierForms: earlier,
    })
  }
  const earlierOf = (entity: string): RunDocument['earlierForms'] =>
    metadataFile && earlierForms(entity, record.run, metadataFile.content, isFhicl)

  const attached: RecordFile[] = []
  const fclFiles: RecordFile[] = []
  for (const file of record.files) {
    const name = /^([^/]+)\.txt$/.exec(file.name)?.[1] ?? ''
    const convert = generate.has(name) ? CONVERTERS.get(name) : undefined
    const originalForm = ORIGINAL_FORMS.get(name)
    if (convert)
      put(
        name,
        Buffer.from(convert(file.content, isFhicl)),
        file,
        () => originalForm?.(file.content),
        earlierOf(name),
      )
    else if (file.name.endsWith('.fcl') && file.name !== 'schema.fcl') fclFiles.push(file)
    else attached.push(file)
  }
  if (generate.has('RunHistory') && metadataFile)
    put(
      'RunHistory',
      Buffer.from(runHistory(record.run, metadata)),
      undefined,
      () => originalRunHistory(record.run, metadataFile.content),
      earlierOf('RunHistory'),
    )
  const times = generate.has('RunHistory2') ? runHistory2(metadata) : undefined
  if (times !== undefined && metadataFile)
    put(
      'RunHistory2',
      Buffer.from(times),
      undefined,
      () => originalRunHistory2(metadataFile.content),
      earlierOf('RunHistory2'),
    )

  const entities = new Entities([...documents.map(({ entity }) => entity), 'schema'])
  const names = entities.of(fclFiles.map(({ name }) => name))
  for (const [index, file] of fclFiles.entries()) put(names[index] ?? '', file.content, file)
  const { fhicl, printed } = fhiclOf('schema', options.schema, parse)
  const schema = { entity: 'schema', fhicl, printed, text: options.schema, original: undefined }
  documents.push({ collection: 'SystemLayout', ...schema })

  return {
    run: record.run,
    configName: safeConfigName(metadata.configName),
    documents,
    attached,
    notes: damagesOf(record.files),
    losses,
    manifest: manifestOf(record, options.sha256),
  }
}

/** What is wrong with the text files of a record. */
const damagesOf = (files: readonly RecordFile[]): readonly string[] => {
  const damages: string[] = []
  for (const { name, content } of files) {
    const damage = /^[^/]+\.txt$/.test(name) ? damageOfText(name, content) : undefined
    if (damage !== undefined) damages.push(damage)
  }
  return damages
}

/** The text as FHiCL that artdaq takes: as it is, in ASCII, or, where neither will do, an empty table. */
const fhiclOf = (
  entity: string,
  bytes: Buffer,
  parse: ConversionOptions['parse'],
): Pick<RunDocument, 'fhicl' | 'printed'> & { readonly loss?: string | undefined } => {
  const text = decodeAscii(bytes)
  const parsed = text === '' ? undefined : parse(text)
  // Printed at once, so that no more than one document's tree is alive at a time.
  return parsed
    ? { fhicl: text, printed: printedParts(parsed), loss: lossOfRepeatedNames(parsed) }
    : { fhicl: emptyTable(entity) }
}

const manifestOf = (record: RunRecord, sha256: ConversionOptions['sha256']): RecordManifest => {
  const { run, directory, directoryMode, ended, signature, folders, skipped } = record
  const files: RecordManifest['files'][number][] = []
  for (const { name, mode, content } of record.files)
    files.push({ name, mode, size: content.length, sha256: sha256(content) })
  return { run, directory, directoryMode, ended, signature, folders, skipped, files }
}
