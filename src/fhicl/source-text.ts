import { FhiclError, type Place } from './error.ts'

/** A piece of the text that was put in place of another: offsets in the prepared text and in the original. */
interface Replacement {
  readonly at: number
  readonly length: number
  readonly originalAt: number
  readonly originalLength: number
}

/**
 * A text made ready for the grammar: each `#include` and what follows it up to a quote turned into a parameter's name,
 * every line end a `\n`, one at the end. Keeps what it takes to name a place in the text as it was given.
 */
export class Source {
  /** What the grammar reads. ASCII, and ends in a newline. */
  readonly text: string
  readonly #original: string
  readonly #replacements: readonly Replacement[]

  /** Throws `FhiclError` for empty text, characters above 127, and `#include` lines that no parser could take. */
  constructor(original: string) {
    this.#original = original
    const { text, replacements } = replaceIncludes(original)
    this.#replacements = replacements
    const lines = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
    this.text = lines.endsWith('\n') ? lines : `${lines}\n`
    if (original.length === 0) throw this.error(0, 'the text is empty', 'A comment is enough: "# nothing".')
    const foreign = this.text.search(/[^\0-\x7f]/)
    if (foreign >= 0) {
      throw this.error(foreign, 'a character outside ASCII', 'artdaq takes ASCII only, comments included.')
    }
    const include = this.text.startsWith('#include') ? 0 : this.text.indexOf('\n#include') + 1
    if (include > 0 || this.text.startsWith('#include')) {
      throw this.error(include, 'an #include that artdaq does not understand', 'Write #include "name.fcl".')
    }
  }

  /** An error at a position of `text`. */
  error(position: number, reason: string, hint?: string): FhiclError {
    return new FhiclError(reason, placeOf(this.#original, this.#originalPosition(position)), hint)
  }

  #originalPosition(position: number): number {
    // Line ends first: the prepared text has one character for each, the original may have had two.
    let at = position
    if (this.#original.includes('\r')) at += this.#pairsBefore(position)
    for (const { at: start, length, originalAt, originalLength } of [...this.#replacements].reverse()) {
      if (at >= start + length) return originalAt + originalLength + (at - start - length)
      if (at >= start) return originalAt
    }
    return at
  }

  /** How many `\r\n` stand before a position of the prepared text. */
  #pairsBefore(position: number): number {
    const replaced = replaceIncludes(this.#original).text
    let pairs = 0
    for (const match of replaced.matchAll(/\r\n/g)) {
      if (match.index - pairs >= position) break
      pairs++
    }
    return pairs
  }
}

/** Everywhere, in comments and strings too, as artdaq does; it may swallow line ends. */
const replaceIncludes = (original: string): { text: string; replacements: Replacement[] } => {
  const replacements: Replacement[] = []
  if (!original.includes('#include')) return { text: original, replacements }
  let shift = 0
  const text = original.replace(/#include[ \t\n\v\f\r][^'"]*/g, (match, offset: number) => {
    const name = `fhicl_pound_include_${replacements.length}:`
    replacements.push({
      at: offset + shift,
      length: name.length,
      originalAt: offset,
      originalLength: match.length,
    })
    shift += name.length - match.length
    return name
  })
  return { text, replacements }
}

const placeOf = (text: string, position: number): Place => {
  const before = text.slice(0, position)
  const ends = [...before.matchAll(/\r\n|\r|\n/g)]
  const last = ends.at(-1)
  const start = last === undefined ? 0 : last.index + last[0].length
  const rest = text.slice(start)
  const length = rest.search(/[\r\n]/)
  return {
    line: ends.length + 1,
    column: position - start + 1,
    excerpt: length < 0 ? rest : rest.slice(0, length),
  }
}
