import type { Comment } from './document.ts'

/**
 * The comments that belong to a value: the one on its line, and the one on the line above. Values come in the order of
 * the text, so one walk along the comments serves them all.
 */
export class Notes {
  readonly #comments: readonly Comment[]
  #next = 0
  #line = 0
  /** The comment above, unless it begins with a slash or names an include. */
  comment = ''
  /** The comment on the line itself. */
  annotation = ''

  constructor(comments: readonly Comment[]) {
    this.#comments = comments
  }

  /** Goes to the line on which a value starts; lines never decrease. */
  moveTo(line: number): void {
    if (line === this.#line) return
    this.#line = line
    const above = this.#take(line - 1)
    this.comment = above.startsWith('/') || above.includes('#include ') ? '' : above
    this.annotation = this.#take(line)
  }

  #take(line: number): string {
    let next = this.#comments[this.#next]
    while (next !== undefined && next.line < line) next = this.#comments[++this.#next]
    return next?.line === line ? next.text : ''
  }
}
