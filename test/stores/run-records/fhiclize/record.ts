import { createHash } from 'node:crypto'
import { BUILT_IN_SCHEMA } from '../../../../src/stores/run-records/fhiclize/schema.ts'
import { type ConversionOptions, toDocuments } from '../../../../src/stores/run-records/fhiclize/fhiclize.ts'
import { tryFhicl } from '../../../../src/fhicl/try-parse.ts'
import { NO_METADATA, parseMetadata } from '../../../../src/stores/run-records/metadata-file.ts'
import type { RunDocument, RunDocuments, RunRecord } from '../../../../src/stores/run-record.ts'

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export const ALL = ['boot', 'metadata', 'known_boardreaders_list', 'settings', 'setup', 'environment', 'ranks', 'RunHistory', 'RunHistory2'] // prettier-ignore

export const options: ConversionOptions = {
  schema: Buffer.from(BUILT_IN_SCHEMA),
  generate: new Set(ALL),
  sha256,
  parse: tryFhicl,
}

/** A record with these files, as it would have been read. */
export const recordOf = (files: Record<string, string | Buffer>, run = 20007): RunRecord => {
  const names = Object.keys(files).sort()
  const contents = names.map((name) => Buffer.from(files[name]!))
  const metadata = names.indexOf('metadata.txt')
  return {
    run,
    directory: String(run),
    directoryMode: 0o555,
    files: names.map((name, i) => ({ name, mode: 0o444, content: contents[i]! })),
    folders: [],
    skipped: [],
    ended: (metadata < 0 ? NO_METADATA : parseMetadata(contents[metadata]!)).ended,
    signature: 'signature',
  }
}

export const convert = (files: Record<string, string | Buffer>): RunDocuments =>
  toDocuments(recordOf(files), options)

export const documentOf = ({ documents }: RunDocuments, entity: string): RunDocument => {
  const found = documents.filter((document) => document.entity === entity)
  if (found.length !== 1) throw new Error(`${found.length} documents are called ${entity}`)
  return found[0]!
}

/** One text file through its converter, as FHiCL. */
export const fhiclOf = (file: string, content: string | Buffer): string =>
  documentOf(convert({ [file]: content }), file.replace(/\.txt$/, '')).fhicl
