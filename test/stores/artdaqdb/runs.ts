import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RecordFile, RunDocument, RunDocuments } from '../../../src/stores/run-record.ts'
import { FileSystemDb } from '../../../src/stores/artdaqdb/filesystem-db.ts'

/** Random enough, and the same in each test: `00000000-0000-4000-8000-000000000001`. */
export const countingUuids = (): (() => string) => {
  let count = 0
  return () => {
    const digits = (++count).toString(16).padStart(12, '0')
    return `${digits.slice(0, 8)}-${digits.slice(8)}-4000-8000-000000000000`
  }
}

export const maker = {
  user: 'archiver',
  locale: 'en_US.UTF-8',
  uname: { sysname: 'Linux', nodename: 'vm', release: '6', version: '#1', machine: 'x86_64' },
}

export const NOW = Date.parse('2026-11-21T12:00:00Z')

export const openDb = (
  path: string | readonly [string, ...string[]],
  now: () => number = () => NOW,
  newUuid: () => string = () => crypto.randomUUID(),
  warn?: (message: string) => void,
): FileSystemDb =>
  new FileSystemDb({ paths: typeof path === 'string' ? [path] : path, now, newUuid, maker, warn })

/** The documents of a run as another program would store them: FHiCL files, and nothing else. */
export const fromFolder = (
  run: number,
  configName: string,
  folder: string,
  where: (entity: string) => RunDocument['collection'] = (entity) =>
    entity === 'schema' ? 'SystemLayout' : 'RunHistory',
): RunDocuments => ({
  run,
  configName,
  documents: readdirSync(folder)
    .filter((name) => name.endsWith('.fcl'))
    .sort()
    .map((name) => {
      const entity = name.slice(0, -4)
      const text = readFileSync(join(folder, name))
      return { collection: where(entity), entity, fhicl: text.toString(), text, original: undefined }
    }),
  attached: [],
  manifest: undefined,
})

export interface SampleOptions {
  readonly ended?: boolean
  readonly configName?: string
  readonly attached?: readonly RecordFile[]
  readonly signature?: string
}

/** A run of a record of ours: each file becomes a document, RunHistory and schema are made. */
export const sampleRun = (
  run: number,
  files: Readonly<Record<string, string>> = {
    boot: 'debug_level: 1\n',
    metadata: '# about it\nconfig_name: "x"\n',
  },
  { ended = true, configName = 'standard00001', attached = [], signature = 's1' }: SampleOptions = {},
): RunDocuments => {
  const originals = Object.entries(files).map(([entity, text]) => ({
    entity,
    file: { name: `${entity}.fcl`, mode: 0o644, content: Buffer.from(text) },
  }))
  const made = (collection: RunDocument['collection'], entity: string, fhicl: string): RunDocument => ({
    collection,
    entity,
    fhicl,
    text: Buffer.from(fhicl),
    original: undefined,
  })
  return {
    run,
    configName,
    documents: [
      ...originals.map(({ entity, file }): RunDocument => ({
        collection: 'RunHistory',
        entity,
        fhicl: file.content.toString(),
        text: file.content,
        original: file,
      })),
      made('RunHistory', 'RunHistory', `run_number: ${run}\n`),
      made('SystemLayout', 'schema', 'run_history: []\n'),
    ],
    attached,
    manifest: {
      run,
      directory: String(run),
      directoryMode: 0o755,
      ended,
      signature,
      folders: [],
      skipped: [],
      files: [...originals.map(({ file }) => file), ...attached].map(({ name, mode, content }) => ({
        name,
        mode,
        size: content.length,
        sha256: createHash('sha256').update(content).digest('hex'),
      })),
    },
  }
}

export const never = new AbortController().signal

/** Puts runs and commits them. */
export const store = async (db: FileSystemDb, ...runs: readonly RunDocuments[]): Promise<void> => {
  for (const run of runs) await db.put(run, never)
  await db.commit()
}
