import type { Command as Program } from 'commander'
import type { Command } from '../app/context.ts'

/** Loads a command only when it is called, so that `--help` stays quick. */
export type Load<Options> = () => Promise<Command<Options>>

export interface Tools {
  /** Gives commander an action that loads the command, hands it arguments (by the names given) and options, and keeps its exit code. */
  readonly run: <Options>(load: Load<Options>, ...names: string[]) => (...words: unknown[]) => Promise<void>
  /** A command that reads the configuration: has `--config` and `--json`. */
  readonly below: (parent: Program, name: string, description: string) => Program
}

/** Adds the commands of one area to the program: a file of this folder for each, and a line in `AREAS` (cli.ts). */
export type Register = (program: Program, tools: Tools) => void
