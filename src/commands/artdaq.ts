import { loadConfig } from '../config/load-config.ts'
import { ArchiverError } from '../errors.ts'
import { now } from '../platform/host.ts'
import { openArchiver } from '../app/open-archiver.ts'
import { foreignDifferences } from '../runs/verify/compare-documents.ts'
import { checkTwice } from '../stores/artdaqdb/check-twice.ts'
import { checkDatabase, type CompareForeign } from '../stores/artdaqdb/check.ts'
import { exportedFiles, writeFiles } from '../stores/artdaqdb/read/export-run.ts'
import type { FileSystemDb } from '../stores/artdaqdb/filesystem-db.ts'
import { openDocumentStore, openFileSystemDb, pathOf } from '../stores/artdaqdb/open.ts'
import { repairDatabase } from '../stores/artdaqdb/repair.ts'
import { checkText, listText, repairText, showRun, showText, splitText } from './artdaq-text.ts'
import { completeCommands } from '../common/own-command.ts'
import { type Command, type Context, startedAs, untilStopped } from '../app/context.ts'
import { runOf, runsOf } from './run-options.ts'

interface Options {
  readonly config: string
  readonly json?: boolean
}

/** `run-archiver artdaq list`: the runs that it holds, whole and in part, with their updates. Exit 1 when something is amiss. */
export const artdaqList = untilStopped<Options>(async ({ config, json }, context) => {
  const { artdaqDb } = await loadConfig(config, context.env, ['artdaq_db'])
  if (!artdaqDb.useTools) await requireThere(openFileSystemDb({ ...artdaqDb, now }))
  const listing = await openDocumentStore({ ...artdaqDb, env: context.env, now }).list()
  const { runs, incomplete, updates, notes } = listing
  const value = {
    runs: runs.toString(),
    count: runs.size,
    incomplete: incomplete.toString(),
    updates: Object.fromEntries(updates),
    notes,
  }
  say(context, json, value, listText(listing))
  return incomplete.isEmpty ? 0 : 1
})

/** `run-archiver artdaq show RUN`: its documents, with version, size, and the file each was made from. */
export const artdaqShow = untilStopped<Options & { run: string }>(async ({ config, run, json }, context) => {
  const shown = await showRun(await native(config, context), runOf(run))
  say(context, json, shown, showText(shown))
  return 0
})

/** `run-archiver artdaq export RUN --to DIR`: the bytes and folders that bulkdownloader gives. */
export const artdaqExport: Command<Options & { run: string; to: string }> = async (options, context) => {
  const { config, to, json } = options
  const run = runOf(options.run)
  const files = await exportedFiles(await (await native(config, context)).holding(run), run)
  await writeFiles(to, files)
  const value = { run, to, files: files.map(({ path }) => path) }
  say(context, json, value, `Run ${run}: ${files.length} files to ${to}\n`)
  return 0
}

/**
 * `run-archiver artdaq check`: opens every document and compares it with the index, and runs of other programs with their records. Exit 1 when something
 * is found.
 */
export const artdaqCheck = untilStopped<Options>(async ({ config, json }, context) => {
  const findings = []
  const db = await native(config, context)
  await requireThere(db)
  const compare = await withRecords(config, context)
  for (const database of db.databases) findings.push(...(await checkDatabase(database, new Set(), compare)))
  findings.push(...(await checkTwice(db.databases, new Set())))
  const repairs = db.databases.at(-1)?.path ?? ''
  const found = checkText(findings, db.databases.length > 1 ? repairs : undefined)
  const text = completeCommands(found, startedAs(context, config))
  const sound = findings.every(({ kind }) => kind === 'note')
  say(context, json, { sound, findings }, text)
  return sound ? 0 : 1
})

/** `run-archiver artdaq repair`: writes the indexes again from the documents where they differ; the old ones are kept. */
export const artdaqRepair: Command<Options> = async ({ config, json }, context) => {
  const db = await native(config, context)
  await requireThere(db)
  const database = db.databases.at(-1)
  const repaired = database ? await repairDatabase(database, { now }) : []
  const path = database?.path ?? ''
  say(context, json, { database: path, collections: repaired }, repairText(path, repaired))
  return repaired.some(({ unreadable }) => unreadable.length > 0) ? 1 : 0
}

/**
 * `run-archiver artdaq split RUNS --to URI`: moves runs into another database of `artdaq_db.database_uri` (`moveRuns`). Exit 1 where one of them
 * stays, or is in no other. Throws USAGE where the URI is not in the list.
 */
export const artdaqSplit: Command<Options & { runs: string; to: string }> = async (options, context) => {
  const { config, runs, to, json } = options
  const db = await native(config, context)
  const path = pathOf(to)
  const asked = runsOf(runs, 'artdaq split')
  if (!db.databases.some((database) => database.path === path))
    throw new ArchiverError('USAGE', `${to} is not in artdaq_db.database_uri`, {
      hint: 'add it to the list first; new runs go into the last database of the list',
    })
  const { moved, left, absent } = await db.moveTo(path, asked, context.signal)
  const value = { to: path, moved: moved.toString(), count: moved.size, left, absent: absent.toString() }
  say(context, json, value, splitText(path, moved, left, absent))
  return left.length === 0 && absent.isEmpty ? 0 : 1
}

/** Compares with records where the configuration says where they are; this command needs no more of it than the database. */
async function withRecords(config: string, context: Context): Promise<CompareForeign> {
  try {
    const archiver = await openArchiver(config, context)
    return async (stored) => {
      try {
        const compared = await foreignDifferences(archiver, stored, context.signal)
        return compared?.wentOn ? [] : compared?.differences
      } catch (error) {
        if (error instanceof ArchiverError && error.code === 'RECORD_INVALID') return undefined
        throw error
      }
    }
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'CONFIG_INVALID')
      return () => Promise.resolve(undefined)
    throw error
  }
}

/** The databases as files. Throws CONFIG_INVALID where the configuration goes through artdaq's tools. */
async function native(config: string, context: Context): Promise<FileSystemDb> {
  const { artdaqDb } = await loadConfig(config, context.env, ['artdaq_db'])
  const mongo = artdaqDb.databaseUris.find((uri) => uri.startsWith('mongo'))
  if (mongo === undefined && artdaqDb.remoteHost === undefined) return openFileSystemDb({ ...artdaqDb, now })
  throw new ArchiverError(
    'CONFIG_INVALID',
    'this command looks into the files of a filesystemdb:// on this machine',
    {
      hint: "for MongoDB, or on another host, use artdaq_database's own conftool",
    },
  )
}

/** What is asked about is there: "nothing amiss" must not be said of a disk that is not mounted. */
const requireThere = async ({ databases }: FileSystemDb): Promise<void> => {
  for (const database of databases) await database.requireThere()
}

const say = (context: Context, json: boolean | undefined, value: unknown, text: string): void =>
  context.out(json ? `${JSON.stringify(value, null, 2)}\n` : text)
