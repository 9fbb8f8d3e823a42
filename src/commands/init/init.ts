import { chmod, mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ArchiverError } from '../../errors.ts'
import { now } from '../../platform/host.ts'
import { SAMPLE_CONFIG } from './sample-config.ts'
import { type SampleRecord, sampleRecords } from './sample-records.ts'
import { pathOf } from '../../stores/artdaqdb/open.ts'
import { type Command, startedAs } from '../../app/context.ts'
import { shellWord } from '../../common/own-command.ts'
import { fillFolder } from '../../platform/fill-folder.ts'
import { makeEmpty } from '../../platform/empty-directory.ts'

const DAY_SECONDS = 86_400

/**
 * `run-archiver init DIR`: a configuration and sample run records to try the archiver on, and the commands to go on with. DIR must be
 * new or empty, so nothing is ever overwritten, and its path one that a database may lie in. Throws USAGE where it is not, and STORE_UNAVAILABLE
 * where it cannot be written to: then what was written there is removed.
 */
export const init: Command<{ readonly dir: string }> = async ({ dir }, context) => {
  requireUsable(dir)
  await makeEmpty(dir)
  const samples = sampleRecords()
  await fillFolder(dir, 'Name a folder on a disk that has room: nothing is left there.', () =>
    writeSite(dir, samples).catch(async (error: unknown) => {
      await removeAll(dir)
      throw error
    }),
  )

  const { program } = startedAs(context, '')
  const config = shellWord(join(dir, 'config.yaml'))
  const listed = samples.map(({ name, late, about }) => `  ${late ? 'late/' : ''}${name}`.padEnd(13) + about)
  context.out(`${dir} holds config.yaml and sample run records:
${listed.join('\n')}

Next:
  ${program} ${config}
  ${program} ${config} --report-status --compare-state
  ${program} extract 1005 --from artdaq --to ${join(dir, 'restored')} --config ${config}

Then let a run arrive late, and pass again:
  cp -a ${join(dir, 'late', '1007')} ${join(dir, 'run_records')} && ${program} ${config} --incremental
`)
  return 0
}

/** Whoever reads the database with artdaq's tools hands its path to a shell, so the configuration would be refused. */
const requireUsable = (dir: string): void => {
  const path = resolve(dir)
  try {
    pathOf(`filesystemdb://${path}`)
  } catch (error) {
    throw new ArchiverError('USAGE', `${path} holds characters that artdaq's tools hand to a shell`, {
      cause: error,
      hint: 'Name a directory whose whole path has only letters, digits and . _ / -',
    })
  }
}

const writeSite = async (dir: string, samples: readonly SampleRecord[]): Promise<void> => {
  await mkdir(join(dir, 'run_records'))
  await mkdir(join(dir, 'late'))
  const { ino } = await stat(join(dir, 'run_records'))
  // DAQInterface leaves this there, and so every archiver meets it.
  await writeFile(join(dir, 'run_records', '.record_directory_info'), `inode: ${ino}\n`)
  for (const sample of samples) await writeRecord(join(dir, sample.late ? 'late' : 'run_records'), sample)
  await writeFile(join(dir, 'config.yaml'), SAMPLE_CONFIG, { flag: 'wx' })
}

/** Empties a folder that was empty before. Records may be read-only folders. */
const removeAll = async (dir: string): Promise<void> => {
  for (const entry of await readdir(dir, { withFileTypes: true, recursive: true }))
    if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o755)
  for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true })
}

/** Writes a record with the modes and times that DAQInterface leaves. */
const writeRecord = async (parent: string, sample: SampleRecord): Promise<void> => {
  const path = join(parent, sample.name)
  const time = now() / 1000 - sample.age * DAY_SECONDS
  await mkdir(path)
  for (const [name, content] of Object.entries(sample.files)) {
    const file = Buffer.concat([Buffer.from(`${path}/`), Buffer.from(name, 'latin1')])
    await writeFile(file, content, { flag: 'wx' })
    if (sample.closed) await chmod(file, 0o444)
    await utimes(file, time, time)
  }
  if (sample.closed) await chmod(path, 0o555)
  await utimes(path, time, time)
}
