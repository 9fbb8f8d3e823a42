/** A token of an expression. `at` counts characters from 1. */
export interface Token {
  readonly type: 'text' | 'number' | 'name' | 'word' | 'sign' | 'end'
  readonly text: string
  readonly at: number
}

/** An expression that cannot be read. `at` counts characters from 1. */
export class ExpressionSyntaxError extends Error {
  readonly at: number
  constructor(message: string, at: number) {
    super(message)
    this.name = 'ExpressionSyntaxError'
    this.at = at
  }
}

const LONGEST = 4000

const WORDS = new Set(
  'AND OR NOT CASE WHEN THEN ELSE END IS NULL EMPTY LIKE IN DATE DATEADD COALESCE NOW DAY MONTH YEAR'.split(
    ' ',
  ),
)
/** Words that are names as well, where no function or unit can stand. */
const ALSO_NAMES = new Set(['DATE', 'DAY', 'MONTH', 'YEAR', 'NOW', 'EMPTY'])

const PATTERN =
  /[ \t\r\n]+|'((?:[^']|'')*)'|(\d+(?:\.\d+)?|\.\d+)|("[^"]+"|[\p{L}_][\p{L}\p{N}_]*)((?:\.(?:"[^"]+"|[\p{L}_][\p{L}\p{N}_]*))*)|(\/\/|<>|!=|<=|>=|\|\||[-+*/%=<>(),])/uy

/** The tokens, with one of type `end` behind them. Throws an ExpressionSyntaxError. */
export const tokensOf = (text: string): Token[] => {
  if (text.length > LONGEST) throw new ExpressionSyntaxError(`is longer than ${LONGEST} characters`, 1)
  const tokens: Token[] = []
  PATTERN.lastIndex = 0
  while (PATTERN.lastIndex < text.length) {
    const at = PATTERN.lastIndex + 1
    const match = PATTERN.exec(text)
    if (!match) throw new ExpressionSyntaxError(wrongAt(text[at - 1] ?? ''), at)
    const [, quoted, number, name, rest = '', sign] = match
    if (quoted !== undefined) tokens.push({ type: 'text', text: quoted.replaceAll("''", "'"), at })
    else if (number !== undefined) tokens.push({ type: 'number', text: number, at })
    else if (name !== undefined) tokens.push(nameOrWord(name, rest, at, text[PATTERN.lastIndex]))
    else if (sign !== undefined) tokens.push({ type: 'sign', text: sign === '!=' ? '<>' : sign, at })
  }
  return [...tokens, { type: 'end', text: '', at: text.length + 1 }]
}

const nameOrWord = (name: string, rest: string, at: number, next: string | undefined): Token => {
  const word = name.toUpperCase()
  const isWord = rest === '' && WORDS.has(word) && !(ALSO_NAMES.has(word) && next === '.')
  return isWord ? { type: 'word', text: word, at } : { type: 'name', text: name + rest, at }
}

const wrongAt = (character: string): string =>
  character === "'"
    ? 'has a text without its closing quote'
    : `has the character ${character}, which means nothing here`

/** `order."first-name"` in its parts. */
export const partsOfName = (text: string): string[] =>
  [...text.matchAll(/"([^"]+)"|[^."]+/g)].map((match) => match[1] ?? match[0])
