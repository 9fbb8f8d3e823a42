import { ArchiverError } from '../errors.ts'

/** A place in a text. Line and column count from 1. */
export interface Place {
  readonly line: number
  readonly column: number
  /** The line itself, without its end. */
  readonly excerpt: string
}

/** FHiCL that artdaq's parser refuses too: where, what is wrong, and the line with a caret under the place. */
export class FhiclError extends ArchiverError {
  readonly line: number
  readonly column: number
  readonly #reason: string
  readonly #excerpt: string

  constructor(what: string, { line, column, excerpt }: Place, hint?: string) {
    // It may quote the text, which may hold anything; a message is one line.
    const reason = what.replace(/[^\x20-\x7e]/g, '?')
    super('FHICL_INVALID', `line ${line}, column ${column}: ${reason}`, hint === undefined ? {} : { hint })
    this.line = line
    this.column = column
    this.#reason = reason
    this.#excerpt = excerpt
  }

  /** `file:line:column: reason`, the line, and a caret below the place; long lines are cut around it. */
  caret(file: string): string {
    const from = Math.max(0, this.column - 60)
    const cut = this.#excerpt.slice(from, from + 110)
    const shown = cut.replace(/[^\x20-\x7e\t]/g, '?')
    // Tabs stay tabs in the indent too, so that the caret stands below its character however wide a tab is.
    const indent = shown.slice(0, this.column - 1 - from).replace(/[^\t]/g, ' ')
    return `${file}:${this.line}:${this.column}: ${this.#reason}\n${shown}\n${indent}^`
  }
}
