import { posix } from 'node:path'
import { adapt } from './legacy-keys.ts'
import { KEYS, type Config, type SectionName, type Sections } from './settings.ts'
import { placeSettings, type Placed } from './match-keys.ts'
import { Reader, type Answer } from './resolve-values.ts'
import { breaches } from './cross-checks.ts'
import { camel, isSection, type Keys } from './schema.ts'
import { readSmallFile, type ReadFile, type SmallFile } from './secret-sources.ts'
import { withInvisibleCharacter } from './invisible-characters.ts'
import { parseIniTree } from './ini-tree.ts'
import { parseTree, START, type At, type Problem } from './yaml-tree.ts'
import { passwordIn } from '../common/redact.ts'
import { ArchiverError, errnoOf } from '../errors.ts'

export type { Config } from './settings.ts'

/** A configuration together with where each value came from, for `config check`. */
export interface ReadConfig {
  readonly config: Config
  readonly answers: readonly Answer[]
  /** What is allowed and yet should be changed; one line each, `file:line:column setting: ...`. */
  readonly warnings: readonly string[]
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The configuration's path as it was given: error messages begin with it, relative paths begin at its folder. */
  readonly path: string
  /** Reads a secret's file. */
  readonly readFile: ReadFile
  /** The permission bits of the configuration, for the warning about passwords in a file that others can read. */
  readonly mode?: number
  /** The sections that are used; of the others, one that is not in the file may lack what it requires. All unless given. */
  readonly needs?: Needs | undefined
}

/** The sections that a command uses, all where undefined; a function is asked with the sections that the file has. */
export type Needs =
  readonly SectionName[] | ((given: ReadonlySet<string>) => readonly SectionName[] | undefined)

/**
 * Reads a configuration file whole. `needs` names the sections that the command uses, all unless given: a section that it does not use may
 * be left out, required settings and all, and is not in the result. Rejects with CONFIG_INVALID and one line for each problem, all of them at once; a
 * secret is never part of a message.
 */
export const loadConfig = <const Name extends SectionName = SectionName>(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
  needs?: readonly Name[],
): Promise<Sections<Name>> => Promise.resolve().then(() => readConfig(path, env, needs).config)

/** As `loadConfig`, at once, with the warnings and with where each value came from. */
export const readConfig = (
  path: string,
  env: Readonly<Record<string, string | undefined>>,
  needs?: Needs,
): ReadConfig => {
  const { text, mode } = readFileOf(path)
  return interpret(text, { env, path, readFile: readSmallFile, mode, needs })
}

/** Parses a configuration, with the warnings and with where each value came from. Pure but for what `readFile` reads. Throws as `loadConfig` does. */
export const interpret = (text: string, { env, path, readFile, mode, needs }: Surroundings): ReadConfig => {
  const tree = /\.ini$/i.test(path) ? parseIniTree(text) : parseTree(text)
  const adapted = adapt(tree.root)
  const placed = placeSettings(KEYS, adapted.root)
  const reader = new Reader(placed.settings, { env, readFile, directory: posix.dirname(posix.resolve(path)) })
  const line = ({ at, message }: Problem) => `${path}:${at.line}:${at.column} ${message}`
  const answers = tree.readable ? reader.read(isUsed(placed.settings, needs)) : []
  const rules = breaches(answers, env, readFile).map((breach) => ({
    at: atOf(answers, breach.path),
    message: `${breach.path}: ${breach.message}`,
  }))
  const problems = tree.readable
    ? [...tree.problems, ...adapted.problems, ...placed.problems, ...reader.problems, ...rules]
    : tree.problems
  if (problems.length > 0) {
    const shown = problems.toSorted(byPlace).map(withInvisibleCharacter(text))
    throw new ArchiverError('CONFIG_INVALID', shown.map(line).join('\n'), {
      hint: 'docs/CONFIG.md explains every setting, config.example.yaml shows each. Then: run-archiver config check',
    })
  }
  const values = new Map(answers.map(({ setting, value }) => [setting.path, value]))
  return {
    // The one cast: the type `Config` and the object are made from the same table, by the same rules.
    config: assemble(KEYS, values) as unknown as Config,
    answers,
    warnings: [...adapted.warnings, ...exposed(answers, mode)].map(line),
  }
}

/** Whether the section of a setting is used by the command, or stands in the file and so must be whole. */
const isUsed = (settings: readonly Placed[], needs: Needs | undefined): ((setting: Placed) => boolean) => {
  const present = settings.filter(({ node, file }) => node !== undefined || file !== undefined)
  const given = new Set(present.map(({ path }) => topOf(path)))
  const needed = typeof needs === 'function' ? needs(given) : needs
  const used = new Set<string>([...(needed ?? Object.keys(KEYS)), ...given])
  return ({ path }) => used.has(topOf(path))
}

const topOf = (path: string): string => path.replace(/\..*/s, '')

const atOf = (answers: readonly Answer[], path: string): At =>
  answers.find(({ setting }) => setting.path === path)?.setting.at ?? START

const byPlace = (a: Problem, b: Problem): number => a.at.line - b.at.line || a.at.column - b.at.column

/** The nested object that a table describes, with its names in camel case. */
const assemble = (keys: Keys, values: ReadonlyMap<string, unknown>, prefix = ''): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(keys).map(([name, row]) =>
      isSection(row)
        ? [camel(name), assemble(row.keys, values, `${prefix}${name}.`)]
        : [row.as ?? camel(name), values.get(`${prefix}${name}`)],
    ),
  )

/** Whether a value that may be secret is: not a reference, nor the URL of a database, file or folder without a password. */
const holdsSecret = (text: string): boolean =>
  !/^off$|^sqlite:|\$\{/.test(text) &&
  !(/^(?:file|postgres(?:ql)?|mysql|mariadb|mssql|sqlserver):\/\//i.test(text) && !passwordIn(text))

/** Secrets written out in a file that others can read. */
const exposed = (answers: readonly Answer[], mode = 0): readonly Problem[] =>
  (mode & 0o007) === 0
    ? []
    : answers
        .filter(({ setting, source }) => setting.key.kind.secret && source.type === 'file')
        .filter(({ setting }) => setting.node?.type === 'text' && holdsSecret(setting.node.text))
        .map(({ setting }) => ({
          at: setting.at,
          message: `${setting.path}: stands in a file that others can read; use ${setting.name}_file, or chmod 640`,
        }))

const readFileOf = (path: string): SmallFile => {
  try {
    return readSmallFile(path)
  } catch (error) {
    const reason = {
      ENOENT: 'there is no such file',
      EISDIR: 'is a folder',
      EACCES: 'may not be read by this user',
    }[errnoOf(error) ?? '']
    throw new ArchiverError(
      'CONFIG_INVALID',
      `${path}:1:1 ${reason ?? (error instanceof Error ? error.message : String(error))}`,
      {
        cause: error,
        hint: 'name the file: run-archiver FILE.yaml, or COMMAND --config FILE.yaml (run-archiver --help lists the commands); run-archiver init DIR makes an example',
      },
    )
  }
}
