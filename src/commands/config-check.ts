import { type ReadConfig, readConfig } from '../config/load-config.ts'
import { withAnySignal } from '../engine/any-signal.ts'
import type { Answer } from '../config/resolve-values.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import type { Probe } from './probe.ts'
import { archivesRuns, probesOf } from './site-probes.ts'
import { type Command, type Context, untilStopped } from '../app/context.ts'

export type ProbesOf = (path: string, read: ReadConfig, context: Context) => Promise<readonly Probe[]>

export interface ConfigCheckOptions {
  readonly config: string
  readonly json?: boolean
  /** False: look at the file only. */
  readonly connect?: boolean
}

export interface Finding {
  readonly name: string
  readonly ok: boolean
  readonly message: string
  /** What can be done about it, where the error says so. */
  readonly hint?: string
}

/** For a look at the file alone. */
const NOTHING: ProbesOf = () => Promise.resolve([])

/** How long one look may take, milliseconds. */
const PATIENCE = 15_000

/**
 * `config check`: parses and expands a configuration, prints every value and where it came from (secrets as `[secret]`),
 * then looks at what it points at. Exit 0: all is well; 1: something cannot be reached; a faulty configuration throws
 * CONFIG_INVALID. Changes nothing.
 */
export const configCheckWith = (probes: ProbesOf): Command<ConfigCheckOptions> =>
  untilStopped(async ({ config: path, json = false, connect = true }, context) => {
    const { read, findings } = await inspectSite(path, context, connect ? probes : NOTHING)
    context.out(
      json ? `${JSON.stringify(asJson(path, read, findings), null, 2)}\n` : asText(path, read, findings),
    )
    return findings.every(({ ok }) => ok) ? 0 : 1
  })

/** Reads a configuration and looks at what it points at; Throws CONFIG_INVALID. */
export const inspectSite = async (
  path: string,
  context: Context,
  probes: ProbesOf = probesOf,
): Promise<{ readonly read: ReadConfig; readonly findings: readonly Finding[] }> => {
  const read = readGiven(path, context.env)
  const found = await probes(path, read, context)
  return {
    read,
    findings: await Promise.all(found.map((probe) => look(probe, path, read.answers, context.signal))),
  }
}

/** `config check` as the command line has it. */
export const configCheck = configCheckWith((...given) => probesOf(...given))

/**
 * Reads what a site uses: the sections that the file has, each of them whole. The three that archive runs need each other; without any of
 * them the file is for other commands, if it has sections of theirs.
 */
const readGiven = (path: string, env: Context['env']): ReadConfig =>
  readConfig(path, env, (given) => (archivesRuns(given) ? undefined : []))

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
    const hint = error instanceof ArchiverError && error.hint !== undefined ? { hint: error.hint } : {}
    return { name, ok: false, message: `${where}${messageOf(error)}`, ...hint }
  }
}

/** A probe that ignores its signal is not waited for either. */
const inTime = (probe: Probe['probe'], stop: AbortSignal): Promise<string> => {
  const late = AbortSignal.timeout(PATIENCE)
  return withAnySignal(
    [stop, late],
    (signal) =>
      new Promise((resolve, reject) => {
        const giveUp = () => {
          reject(new Error(late.aborted ? `did not answer within ${PATIENCE / 1000} s` : 'stopped'))
        }
        if (signal.aborted) giveUp()
        signal.addEventListener('abort', giveUp, { once: true })
        probe(signal).then(resolve, reject)
      }),
  )
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

/** Every value and where it came from, secrets as `[secret]`; then what was found. */
export const asText = (
  path: string,
  { answers, warnings }: ReadConfig,
  findings: readonly Finding[],
): string => {
  const rows = answers.map(
    (answer) => [answer.setting.path, shown(answer) ?? '-', origin(answer, path)] as const,
  )
  const name = Math.max(...rows.map(([setting]) => setting.length))
  const value = Math.min(60, Math.max(...rows.map(([, text]) => text.length)))
  const settings = rows.map(([setting, text, from]) =>
    `${setting.padEnd(name)}  ${text.padEnd(value)}  ${from}`.trimEnd(),
  )
  const looked = findings.map(
    ({ name: what, ok, message, hint }) =>
      `${ok ? '✓' : '✗'} ${what}: ${message}${hint === undefined ? '' : `\n  ${hint}`}`,
  )
  const listed = warnings.map((warning) => `warning: ${warning}`)
  const verdict = findings.every(({ ok }) => ok)
    ? `${path} is valid`
    : `${path} is valid, but something it names cannot be used`
  return `${[...settings, '', ...listed, ...looked, verdict].join('\n')}\n`
}
