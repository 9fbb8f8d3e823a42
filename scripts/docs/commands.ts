import type { Command, Option } from 'commander'
import { programFor } from '../../src/cli.ts'
import { OFFERED } from './offered-values.ts'

/** A command as the man page and the completions need it. */
export interface CommandPage {
  /** `artdaq list`; empty for the program itself. */
  readonly name: string
  readonly description: string
  /** `<run>`, `[config]`. */
  readonly arguments: readonly string[]
  readonly argumentTexts: readonly (readonly [argument: string, text: string])[]
  readonly options: readonly OptionPage[]
  /** Words that its argument takes, where these are few. */
  readonly words: readonly string[]
  /** Names of the commands below it. */
  readonly commands: readonly string[]
}

export interface OptionPage {
  readonly short: string | undefined
  readonly long: string
  /** `<file>`; undefined for a switch. */
  readonly value: string | undefined
  readonly text: string
  /** The only values that it takes, which the help lists. */
  readonly choices: readonly string[]
  /** The values that completions offer. */
  readonly offered: readonly string[]
}

const nowhere = {
  out: () => undefined,
  err: () => undefined,
  env: {},
  signal: new AbortController().signal,
  onHangup: () => undefined,
  die: (): never => {
    throw new Error('not in documentation')
  },
  terminal: { interactive: false, columns: 80, color: false },
  argv: [],
  version: '',
}

/** Every command in the order of the help, the program itself first. */
export const commandPages = (): readonly CommandPage[] => [
  ...pagesOf(
    programFor(nowhere, () => undefined),
    '',
  ),
]

function* pagesOf(command: Command, name: string): Generator<CommandPage> {
  const visible = command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help')
  const declared = command.registeredArguments
  const isUseful = name === '' || declared.length > 0 || command.options.length > 0
  if (isUseful)
    yield {
      name,
      description: command.description(),
      arguments: declared.map((one) => (one.required ? `<${one.name()}>` : `[${one.name()}]`)),
      argumentTexts: declared.map((one) => [one.name(), one.description] as const),
      options: command.options.filter(({ hidden }) => !hidden).map((option) => optionPage(option, name)),
      words: OFFERED[name] ?? [],
      commands: visible.map((one) => one.name()),
    }
  for (const below of visible) yield* pagesOf(below, `${name} ${below.name()}`.trim())
}

const optionPage = (option: Option, command: string): OptionPage => {
  const fallback: unknown = option.defaultValue
  const shown = typeof fallback === 'string' ? ` (${fallback} unless given)` : ''
  return {
    short: option.short,
    long: option.long ?? '',
    value: /[<[].*$/.exec(option.flags)?.[0],
    text: option.description + shown,
    choices: option.argChoices ?? [],
    offered: option.argChoices ?? OFFERED[`${command} ${option.long ?? ''}`] ?? [],
  }
}
