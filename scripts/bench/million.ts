import { randomUUID } from 'node:crypto'
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  utimesSync,
  writeFileSync,
  writevSync,
} from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { converter } from '../../src/runs/workers/convert-run.ts'
import { signatureOf } from '../../src/stores/run-records/signature.ts'
import { BUILT_IN_SCHEMA } from '../../src/stores/run-records/fhiclize/schema.ts'
import { prepare } from '../../src/stores/artdaqdb/write/prepare-documents.ts'
import { documentText, factsOf } from '../../src/stores/artdaqdb/format/document-printer.ts'
import { indexText } from '../../src/stores/artdaqdb/format/index-text.ts'
import { CollectionIndex } from '../../src/stores/artdaqdb/format/search-index.ts'
import { metadataRecord } from '../../src/stores/artdaqdb/format/system-metadata.ts'
import { oidOf } from '../../src/stores/artdaqdb/names.ts'
import { packer } from '../../src/stores/ucondb/blob/blob.ts'
import { checksumOf, formatChecksum } from '../../src/stores/ucondb/checksum-file.ts'
import { MARKER, MARKER_TEXT, placeOf } from '../../src/stores/ucondb/directory/layout.ts'
import type { IndexFacts } from '../../src/stores/store.ts'
import type { RunDocuments, RunRecord } from '../../src/stores/run-record.ts'

/**
 * Makes a site of very many archived runs, each of three files, as the program itself would leave it but without its syncs: records, one artdaqDB
 * a year, a directory archive, a configuration. `npx tsx scripts/bench/million.ts DIR [--runs 1000000] [--databases 10]`. A million runs need some
 * 13 million inodes. What is measured on it: docs/BENCHMARKS.md, "A million runs".
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '1000000' },
    databases: { type: 'string', default: '10' },
    first: { type: 'string', default: '1' },
    /** How many runs are there already; a whole number of databases. */
    there: { type: 'string', default: '0' },
  },
})
const root = positionals[0]
if (root === undefined) throw new Error('the folder is missing: npx tsx scripts/bench/million.ts DIR')
const RUNS = Number(values.runs)
const DATABASES = Number(values.databases)
const FIRST = Number(values.first)
const THERE = Number(values.there)
const archive = join(root, 'archive')
const object = join(archive, 'run_records', 'configuration')
/** The default of `fhiclize_generate`. */
const GENERATED = [
  ...['boot', 'metadata', 'known_boardreaders_list', 'settings', 'setup', 'environment', 'ranks'],
  ...['RunHistory', 'RunHistory2'],
]
const convert = converter({ schema: BUILT_IN_SCHEMA, generate: GENERATED })

const databaseOf = (position: number): string =>
  join(root, `artdaq-${2017 + Math.floor((position * DATABASES) / RUNS)}`)

/** When a run was taken: evenly over ten years, ending an hour ago. Epoch milliseconds. */
const NOW = Date.now()
const TEN_YEARS = 10 * 365 * 86_400_000
const timeOf = (position: number): number => NOW - 3_600_000 - TEN_YEARS + (TEN_YEARS * position) / RUNS

const put = (path: string, pieces: readonly (string | Buffer)[], mode = 0o644): void => {
  const file = openSync(path, 'wx', mode)
  writevSync(
    file,
    pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)),
  )
  closeSync(file)
}

/** Writes a record, and gives it as it would be read. */
const makeRecord = (path: string, run: number, time: number): RunRecord => {
  mkdirSync(path)
  const [start, stop] = [time - 7_200_000, time].map((at) => new Date(at).toUTCString())
  const texts = {
    'board01.fcl': `daq: { fragment_receiver: { fragment_id: 1 channels: [ ${run}, ${run % 7}, 0x${run.toString(16)} ] } }\n`,
    'boot.txt': `DAQ setup script: /opt/daq/setup.sh\ndebug level: ${run % 4}\n`,
    'metadata.txt': `Config name: Physics\nDAQInterface start time: ${start}\nDAQInterface stop time: ${stop}\n`,
  }
  const entries = Object.entries(texts).map(([name, text]) => {
    const whole = join(path, name)
    put(whole, [text])
    utimesSync(whole, time / 1000, time / 1000)
    const stats = lstatSync(whole, { bigint: true })
    return { name, path: Buffer.from(whole), kind: 'file', stats } as const
  })
  utimesSync(path, time / 1000, time / 1000)
  const root = lstatSync(path, { bigint: true })
  return {
    run,
    directory: String(run),
    directoryMode: Number(root.mode & 0o7777n),
    files: Object.entries(texts).map(([name, text]) => ({ name, mode: 0o644, content: Buffer.from(text) })),
    ...{ folders: [], skipped: [], ended: true, signature: signatureOf({ root, entries }) },
  }
}

const pack = packer({ blobContent: 'original', otherFiles: 'include' }, () => NOW)

const shards = new Set<string>()

const makeBlob = (documents: RunDocuments, time: number): void => {
  const withCanonical = documents.documents.map((one) => ({ ...one, canonical: () => String(one.text) }))
  const blob = pack({ ...documents, documents: withCanonical, update: 0 })
  const place = placeOf(object, documents.run, 0)
  if (!shards.has(place.shard)) mkdirSync(place.shard, { recursive: true })
  shards.add(place.shard)
  put(place.blob, [blob], 0o444)
  put(place.checksum, [formatChecksum(checksumOf(blob, `${place.key}.txt`, time))], 0o444)
}

/** One artdaqDB, as it is being filled. */
class FilledDatabase {
  readonly path: string
  readonly #facts: Record<string, IndexFacts[]> = { RunHistory: [], SystemLayout: [] }

  constructor(path: string) {
    this.path = path
    for (const name of [...Object.keys(this.#facts), 'SystemMetadata'])
      mkdirSync(join(path, name), { recursive: true })
    const oid = oidOf(randomUUID())
    const uname = { sysname: 'Linux', nodename: 'bench', release: '', version: '', machine: '' }
    const text = metadataRecord(path, oid, new Date(NOW).toISOString(), { user: '', locale: 'C', uname })
    put(join(path, 'SystemMetadata', `${oid}.json`), [text])
  }

  add(documents: RunDocuments, time: number): void {
    const name = `${documents.run}/${documents.configName}`
    const about = { configuration: name, version: name, run: String(documents.run), time }
    for (const { collection, entity, parts, rawdata, attachments } of prepare(documents, [])) {
      const oid = oidOf(randomUUID())
      const facts = { ...about, oid, collection, entity, rawdata, attachments }
      put(join(this.path, collection, `${oid}.json`), [...documentText(parts, facts)])
      this.#facts[collection]?.push(factsOf(facts))
    }
  }

  close(): void {
    for (const [name, facts] of Object.entries(this.#facts)) {
      const file = openSync(join(this.path, name, 'index.json'), 'wx')
      for (const piece of indexText(CollectionIndex.EMPTY.plus(facts))) writevSync(file, [piece])
      closeSync(file)
    }
  }
}

mkdirSync(join(root, 'records'), { recursive: true })
mkdirSync(object, { recursive: true })
writeFileSync(join(archive, MARKER), MARKER_TEXT)
let database: FilledDatabase | undefined
for (let position = THERE; position < RUNS; position++) {
  const run = FIRST + position
  const time = timeOf(position)
  const path = join(root, 'records', String(run))
  const record = makeRecord(path, run, time)
  if (database?.path !== databaseOf(position)) {
    database?.close()
    database = new FilledDatabase(databaseOf(position))
    console.log(`${database.path} begins with run ${run}`)
  }
  const documents = convert(record)
  database.add(documents, time)
  makeBlob(documents, time)
}
database?.close()
const uris = readdirSync(root).filter((name) => name.startsWith('artdaq-'))
writeFileSync(
  join(root, 'config.yaml'),
  [
    `app: { work_dir: ${join(root, 'work')}, batch_size: 0, parallel_workers: 2, log_file: ${join(root, 'log')} }`,
    `source_files: { run_records_dir: ${join(root, 'records')}, settle_seconds: 0 }`,
    `artdaq_db: { database_uri: [${uris.map((name) => `"filesystemdb://${join(root, name)}"`).join(', ')}] }`,
    `ucon_db: { server_url: "file://${archive}" }`,
    '',
  ].join('\n'),
)
