import type { Problem } from './yaml-tree.ts'

/** Blanks and marks that look like a space or like nothing, as word processors and wiki pages put them in. */
const INVISIBLE = /[\u0085\u00a0\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]/

/** Adds to a problem the invisible character of its line, where the line holds one: it is probably the cause. */
export const withInvisibleCharacter = (text: string): ((problem: Problem) => Problem) => {
  const lines = text.split('\n')
  return (problem) => {
    const column = lines[problem.at.line - 1]?.search(INVISIBLE) ?? -1
    const code = lines[problem.at.line - 1]?.codePointAt(Math.max(0, column)) ?? 0
    if (column < 0) return problem
    const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
    return {
      ...problem,
      message: `${problem.message} (this line holds an invisible character, ${name} in column ${column + 1}; replace it by a space)`,
    }
  }
}
