import { access, constants, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type ReadConfig, readConfig } from '../config/load-config.ts'
import type { Answer } from '../config/resolve-values.ts'
import { errnoOf, messageOf } from '../errors.ts'
import { openArchiver } from '../app/open-archiver.ts'
import type { Command, Context } from '../app/context.ts'

export type ProbesOf = (path: string, read: ReadConfig, context: Context) => Promise<readonly Probe[]>

export interface ConfigCheckOptions {
  readonly config: string
  readonly json?: boolean
  /** False: look at the file only. */
  readonly connect?: boolean
}

interface Finding {
  readonly name: string
  readonly ok: boolean
  readonly message: string
}

/** How long one look may take, milliseconds. */
const PATIENCE = 15_000

/**
 * `config check`: parses and expands a configuration, prints every value and where it came from (secrets as `[secret]`),
 * then looks at what it points at. Exit 0: all is well; 1: something cannot be reached; a faulty configuration throws
 * CONFIG_INVALID. Changes nothing.
 */
export const configCheckWith =
  (probesOf: ProbesOf): Command<ConfigCheckOptions> =>
  async ({ config: path, json = false, connect = true }, context) => {
    const read = readConfig(path, context.env)
    const probes = connect ? await probesOf(path, read, context) : []
    const findings = await Promise.all(probes.map((probe) => look(probe, path, read.answers, context.signal)))
    context.out(
      json ? `${JSON.stringify(asJson(path, read, findings), null, 2)}\n` : asText(path, read, findings),
    )
    return findings.every(({ ok }) => ok) ? 0 : 1
  }

/** `config check` as the command line has it. */
export const configCheck = configCheckWith((...given) => probesOf(...given))

const look = async (
  { name, setting, probe }: Probe,
  path: string,
  answers: readonly Answer[],
  signal: AbortSignal,
): Promise<Finding> => {
  try {
    return { name, ok: true, message: await inTime(probe, signal) }
  } catch (error) {
    const at = answers.find((answer) => answer.setting.path === setting)?.setting.at
    const where = at ? `${path}:${at.line}:${at.column} ${setting}: ` : ''
    return { name, ok: false, message: `${where}${messageOf(error)}` }
  }
}

/** A probe that ignores its signal is not waited for either. */
const inTime = (probe: Probe['probe'], stop: AbortSignal): Promise<string> => {
  const late = AbortSignal.timeout(PATIENCE)
  const signal = AbortSignal.any([stop, late])
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      reject(new Error(late.aborted ? `no answer within ${PATIENCE / 1000} s` : 'stopped'))
    }
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    probe(signal).then(resolve, reject)
  })
}

/** The value as it may be seen. */
const shown = ({ setting, value }: Answer): string | undefined =>
  value === undefined ? undefined : setting.key.kind.show(value)

/** Where a value came from, for people. */
const origin = ({ source }: Answer, path: string): string => {
  if (source.type === 'file') return `${path}:${source.at.line}`
  if (source.type === 'elsewhere') return source.name
  return source.type === 'default' ? 'default' : ''
}

const asJson = (path: string, { answers, warnings }: ReadConfig, findings: readonly Finding[]) => ({
  config: path,
  settings: answers.map((answer) => ({
    setting: answer.setting.path,
    value: shown(answer) ?? null,
    source: origin(answer, path),
  })),
  warnings,
  findings,
})

const asText = (path: string, { answers, warnings }: ReadConfig, findings: readonly Finding[]): string => {
  const rows = answers.map(
    (answer) => [answer.setting.path, shown(answer) ?? '-', origin(answer, path)] as const,
  )
  const name = Math.max(...rows.map(([setting]) => setting.length))
  const value = Math.min(60, Math.max(...rows.map(([, text]) => text.length)))
  const settings = rows.map(([setting, text, from]) =>
    `${setting.padEnd(name)}  ${text.padEnd(value)}  ${from}`.trimEnd(),
  )
  const looked = findings.map(({ name: what, ok, message }) => `${ok ? '✓' : '✗'} ${what}: ${message}`)
  const told = warnings.map((warning) => `warning: ${warning}`)
  const verdict = findings.every(({ ok }) => ok)
    ? `${path} is valid`
    : `${path} is valid, but something it names cannot be used`
  return `${[...settings, '', ...told, ...looked, verdict].join('\n')}\n`
}

/** One thing that a configuration points at, and a look whether it is there. */
export interface Probe {
  /** What is looked at, in a word or two: `artdaqDB`. */
  readonly name: string
  /** The setting that points at it: `artdaq_db.database_uri`. Its line is told when the look fails. */
  readonly setting: string
  /** Answers with what was found (`523 runs`). Throws what is wrong. Changes nothing. */
  readonly probe: (signal: AbortSignal) => Promise<string>
}

/** A look at everything that a configuration points at. Nothing is created or written. */
export const probesOf = async (
  path: string,
  { config }: ReadConfig,
  context: Context,
): Promise<readonly Probe[]> => {
  const silent = { ...context, err: () => undefined } // its warnings are told already
  const { records, artdaq, archive } = await openArchiver(path, silent)
  return [
    { name: 'work_dir', setting: 'app.work_dir', probe: () => writable(config.app.workDir) },
    {
      name: 'run records',
      setting: 'source_files.run_records_dir',
      probe: async () => `${(await records.list()).runs.size} runs in ${config.sourceFiles.runRecordsDir}`,
    },
    {
      name: 'artdaqDB',
      setting: 'artdaq_db.database_uri',
      probe: answering((signal) => artdaq.probe(signal)),
    },
    { name: 'UconDB', setting: 'ucon_db.server_url', probe: answering((signal) => archive.probe(signal)) },
  ]
}

const answering =
  (probe: (signal: AbortSignal) => Promise<void>) =>
  async (signal: AbortSignal): Promise<string> => {
    await probe(signal)
    return 'answers'
  }

/** A folder that may be written, or whose nearest ancestor may be, so that it can be made. */
const writable = async (folder: string, wanted = folder): Promise<string> => {
  const found = await stat(folder).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (!found) return writable(dirname(folder), wanted)
  if (!found.isDirectory()) throw new Error(`${folder} is no folder`)
  await access(folder, constants.W_OK | constants.X_OK)
  return folder === wanted ? `${wanted} may be written` : `${wanted} will be made`
}
