import { spawnSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { open as openFile, rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { printedParts } from '../../src/fhicl/to-json.ts'
import { parseFhicl } from '../../src/fhicl/parser.ts'
import type { RunDocument, RunDocuments } from '../../src/stores/run-record.ts'
import { monotonic, now } from '../../src/platform/host.ts'
import type { IndexFacts } from '../../src/stores/store.ts'
import { CollectionIndex } from '../../src/stores/artdaqdb/format/search-index.ts'
import { documentText } from '../../src/stores/artdaqdb/format/document-printer.ts'
import { FileSystemDb } from '../../src/stores/artdaqdb/filesystem-db.ts'
import { indexText } from '../../src/stores/artdaqdb/format/index-text.ts'
import { oidOf } from '../../src/stores/artdaqdb/names.ts'

/**
 * Measures the artdaqDB store: `npx tsx scripts/bench/artdaq.ts [import|scale] [--runs N] [--documents N] [--folder DIR]`.
 * `import` stores runs one after the other and tells the rate in tenths; `scale` makes a database of that size without
 * going through the store, and lists it, and adds ten runs, each in a fresh process; `make` only makes it, and leaves it.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '1000' },
    documents: { type: 'string', default: '40' },
    folder: { type: 'string', default: tmpdir() },
    workers: { type: 'string', default: '4' },
    add: { type: 'string', default: '10' },
  },
})
const RUNS = Number(values.runs)
const DOCUMENTS = Number(values.documents)
const maker = {
  user: 'bench',
  locale: 'en_US.UTF-8',
  uname: { sysname: 'Linux', nodename: 'bench', release: '', version: '', machine: '' },
}
const never = new AbortController().signal

const open = (path: string): FileSystemDb =>
  new FileSystemDb({ paths: [path], now, newUuid: randomUUID, maker })

/** About 3.8 kB of FHiCL, as a board reader's file: 40 of them make a record of 150 kB. */
const boardReader = (run: number, board: number): string => {
  const channels = Array.from(
    { length: 75 },
    (_, i) => `    channel_${i}: { threshold: ${i + run} gain: 0x${(i * 7).toString(16)} }`,
  )
  return `# board ${board}\ndaq: {\n  fragment_receiver: {\n    fragment_id: ${board}\n${channels.join('\n')}\n  }\n}\n`
}

function benchRun(run: number): RunDocuments {
  const texts = Array.from({ length: DOCUMENTS }, (_, board) => Buffer.from(boardReader(run, board)))
  const documents = texts.map((text, board): RunDocument => {
    const original = { name: `board${board}.fcl`, mode: 0o644, content: text }
    return { collection: 'RunHistory', entity: `board${board}`, fhicl: text.toString(), text, original }
  })
  const schema = Buffer.from('run_history: []\n')
  return {
    run,
    configName: 'standard00001',
    documents: [
      ...documents,
      {
        collection: 'SystemLayout',
        entity: 'schema',
        fhicl: String(schema),
        text: schema,
        original: undefined,
      },
    ],
    attached: [],
    manifest: {
      run,
      directory: String(run),
      directoryMode: 0o755,
      ended: true,
      signature: String(run),
      folders: [],
      skipped: [],
      files: documents.map(({ entity, text }) => ({
        name: `${entity}.fcl`,
        mode: 0o644,
        size: text.length,
        sha256: createHash('sha256').update(text).digest('hex'),
      })),
    },
  }
}

/** Puts runs, some at once, and commits when the store says so; as the engine does. */
async function load(
  db: FileSystemDb,
  first: number,
  count: number,
  told: (done: number) => void,
): Promise<void> {
  let next = first
  let done = 0
  let committing: Promise<void> | undefined
  const work = async (): Promise<void> => {
    while (next < first + count) {
      await db.put(benchRun(next++), never)
      told(++done)
      if (!committing && db.commitDue()) committing = db.commit().finally(() => (committing = undefined))
    }
  }
  await Promise.all(Array.from({ length: Number(values.workers) }, work))
  await committing
  await db.commit()
}

async function benchImport(folder: string): Promise<void> {
  const db = open(join(folder, 'db'))
  const tenth = Math.max(1, Math.floor(RUNS / 10))
  const rates: string[] = []
  let mark = monotonic()
  const began = mark
  await load(db, 1, RUNS, (done) => {
    if (done % tenth !== 0) return
    rates.push((tenth / ((monotonic() - mark) / 1000)).toFixed(0))
    mark = monotonic()
  })
  const total = (monotonic() - began) / 1000
  console.log(
    `import: ${RUNS} runs of ${DOCUMENTS} documents in ${total.toFixed(1)} s, ${(RUNS / total).toFixed(1)} runs/s`,
  )
  const { user, system } = process.cpuUsage()
  console.log(`CPU ${((user + system) / 1000 / RUNS).toFixed(1)} ms a run, making the documents included`)
  console.log(`runs/s in tenths: ${rates.join(' ')}`)
  console.log(peak())
  const bare = await bareWriter(join(folder, 'db', 'RunHistory'), join(folder, 'bare'))
  console.log(
    `a bare writer of the same documents: ${bare.toFixed(1)} runs/s; the store reaches ${((RUNS / total / bare) * 100).toFixed(0)} %`,
  )
}

/** The same bytes with the same syncs and renames, as many at once, and nothing else. Runs a second. */
async function bareWriter(from: string, to: string): Promise<number> {
  mkdirSync(to)
  const names = readdirSync(from)
    .filter((name) => name !== 'index.json')
    .slice(0, 50 * DOCUMENTS)
  const files = names.map((name) => ({ name, bytes: readFileSync(join(from, name)) })).values()
  const began = monotonic()
  const work = async (): Promise<void> => {
    for (const { name, bytes } of files) {
      const file = await openFile(join(to, `.${name}`), 'wx')
      await file.writeFile(bytes)
      await file.sync()
      await file.close()
      await rename(join(to, `.${name}`), join(to, name))
    }
  }
  await Promise.all(Array.from({ length: 8 * Number(values.workers) }, work))
  return names.length / DOCUMENTS / ((monotonic() - began) / 1000)
}

/** A database of many runs, its documents small and written plainly: what is measured is the index and the directory. */
function makeDatabase(path: string): void {
  const parts = printedParts(parseFhicl('debug_level: 1\n'))
  const facts: Record<string, IndexFacts[]> = { RunHistory: [], SystemLayout: [] }
  for (const collection of Object.keys(facts)) mkdirSync(join(path, collection), { recursive: true })
  for (let run = 1; run <= RUNS; run++)
    for (let i = 0; i <= DOCUMENTS; i++) {
      const collection = i === DOCUMENTS ? 'SystemLayout' : 'RunHistory'
      const entity = i === DOCUMENTS ? 'schema' : `board${i}`
      const oid = oidOf(randomUUID())
      const configuration = `${run}/standard00001`
      const time = Date.UTC(2026, 0, 1) + run * 1000 + i
      const text = documentText(parts, {
        ...{ oid, collection, entity, configuration, version: configuration, run: String(run), time },
        ...{ rawdata: [], attachments: [] },
      })
      writeFileSync(join(path, collection, `${oid}.json`), Buffer.concat([...text]))
      facts[collection]!.push({
        oid,
        version: configuration,
        // Each document its own stamp, as artdaq's tools write them.
        configurations: [
          {
            name: configuration,
            assigned: `2026-01-01T00:00:00.${String(time % 1000).padStart(3, '0')}+0000`,
          },
        ],
        entities: [entity],
        aliases: [],
        runs: [String(run)],
      })
    }
  for (const [collection, all] of Object.entries(facts)) {
    const text = [...indexText(CollectionIndex.EMPTY.plus(all))]
    writeFileSync(join(path, collection, 'index.json'), Buffer.concat(text))
  }
}

function benchScale(folder: string): void {
  const path = join(folder, 'db')
  makeDatabase(path)
  const index = join(path, 'RunHistory', 'index.json')
  console.log(
    `scale: ${RUNS} runs of ${DOCUMENTS} documents, ${readdirSync(join(path, 'RunHistory')).length - 1} in RunHistory`,
  )
  console.log(`RunHistory/index.json: ${megabytes(statSync(index).size)}`)
  for (const step of ['measure-bare', 'measure-list', 'measure-add', 'measure-list']) {
    const words = ['--import', 'tsx', process.argv[1]!, step, '--folder', path, '--runs', values.runs]
    const child = spawnSync(process.execPath, words, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    process.stdout.write(child.stdout)
  }
}

/** What no reader can do without: the names of the directory and the bytes of the index. */
function measureBare(path: string): void {
  const began = monotonic()
  const names = readdirSync(join(path, 'RunHistory')).length
  const bytes = readFileSync(join(path, 'RunHistory', 'index.json')).length
  console.log(`bare reading of ${names} names and ${megabytes(bytes)}: ${milliseconds(began)}, ${peak()}`)
}

async function measureList(path: string): Promise<void> {
  const began = monotonic()
  const { runs, incomplete } = await open(path).list()
  console.log(`list: ${runs.size} whole, ${incomplete.size} incomplete, ${milliseconds(began)}, ${peak()}`)
}

/** An incremental pass: list, put, commit. With many runs to add it tells what a run costs at this size of the database. */
async function measureAdd(path: string): Promise<void> {
  const began = monotonic()
  const db = open(path)
  await db.list()
  const listed = monotonic()
  const before = process.cpuUsage()
  await load(db, RUNS + 1, Number(values.add), () => undefined)
  const { user, system } = process.cpuUsage(before)
  console.log(
    `incremental pass of ${values.add} runs: ${milliseconds(began)}, ${milliseconds(listed)} of it after the listing`,
  )
  console.log(`CPU ${((user + system) / 1000 / Number(values.add)).toFixed(1)} ms a run, ${peak()}`)
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`
const milliseconds = (since: number): string => `${(monotonic() - since).toFixed(0)} ms`
const peak = (): string => `peak memory ${megabytes(process.resourceUsage().maxRSS * 1024)}`

const what = positionals[0] ?? 'import'
if (what === 'make') makeDatabase(join(values.folder, 'db'))
else if (what === 'measure-bare') measureBare(values.folder)
else if (what === 'measure-list') await measureList(values.folder)
else if (what === 'measure-add') await measureAdd(values.folder)
else {
  const folder = mkdtempSync(join(values.folder, 'artdaq-bench-'))
  try {
    if (what === 'scale') benchScale(folder)
    else await benchImport(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
