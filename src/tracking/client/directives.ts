import { readOperation, type Operation } from './operations.ts'

/**
 * What a line of a command's output reports: `::progress 3/8 text`, `::progress 45% text`, `::step text`, `::end`, `::message text`, or a JSON
 * object with an "op" (`{"op":"progress","items_complete":3}`). Undefined for every other line, which is most of them.
 */
export const directiveOf = (line: string): Operation | undefined => {
  if (line.startsWith('{')) return line.includes('"op"') ? jsonOf(line) : undefined
  if (!line.startsWith('::')) return undefined
  const [, word = '', rest = ''] = /^::(\w+)\s*(.*?)\s*$/.exec(line) ?? []
  switch (word) {
    case 'progress':
      return progressOf(rest)
    case 'step':
      return { op: 'enter', message: rest }
    case 'end':
      return { op: 'exit' }
    case 'message':
      return { op: 'message', message: rest }
  }
  return undefined
}

const progressOf = (rest: string): Operation | undefined => {
  const [, complete, total, message] = /^(\d{1,15})(?:\/(\d{1,15}))?(?:\s+(.*))?$/.exec(rest) ?? []
  if (complete !== undefined)
    return operationOf({
      op: 'progress',
      items_complete: Number(complete),
      items_total: total === undefined ? undefined : Number(total),
      message,
    })
  const [, percent, text] = /^(\d{1,3}(?:\.\d+)?)%(?:\s+(.*))?$/.exec(rest) ?? []
  return percent === undefined
    ? undefined
    : operationOf({ op: 'progress', percent: Number(percent), message: text })
}

const operationOf = (value: unknown): Operation | undefined => readOperation(value).operation

const jsonOf = (line: string): Operation | undefined => {
  try {
    return operationOf(JSON.parse(line))
  } catch {
    return undefined // output that only looks like it
  }
}

/** What begins a directive: other lines are never decoded. */
const COLON = 0x3a
const BRACE = 0x7b
const NEWLINE = 0x0a
/** A directive is short; what is longer is output. */
const LONGEST_LINE = 16_384

/** Finds the directives in output as it comes, in pieces. It looks at the first byte of each line and decodes only what may be one. */
export class DirectiveReader {
  readonly #found: (operation: Operation) => void
  #begun: Buffer | undefined
  /** Whether the piece goes on in a line that is none. */
  #skipping = false

  constructor(found: (operation: Operation) => void) {
    this.#found = found
  }

  take(piece: Buffer): void {
    let at = 0
    while (at < piece.length) {
      const end = piece.indexOf(NEWLINE, at)
      const last = end < 0 ? piece.length : end
      if (!this.#skipping) {
        const first = this.#begun?.[0] ?? piece[at]
        if (first === COLON || first === BRACE) this.#add(piece.subarray(at, last))
        else this.#skipping = true
      }
      if (end < 0) return
      if (!this.#skipping && this.#begun) this.#line(this.#begun.toString('utf8'))
      this.#begun = undefined
      this.#skipping = false
      at = end + 1
    }
  }

  #add(part: Buffer): void {
    this.#begun = this.#begun ? Buffer.concat([this.#begun, part]) : Buffer.from(part)
    if (this.#begun.length <= LONGEST_LINE) return
    this.#begun = undefined
    this.#skipping = true
  }

  #line(line: string): void {
    const operation = directiveOf(line.replace(/\r$/, ''))
    if (operation) this.#found(operation)
  }
}
