/**
 * What a statement of PostgreSQL is made of, as far as it matters where a parameter stands: comments, names and strings of every kind go as wholes, for `$1`
 * in them is no parameter. A block comment and a string between dollars are found by their beginning.
 */
const TOKEN = new RegExp(
  [
    /--[^\r\n]*/,
    /\/\*/,
    /"(?:[^"]|"")*"/,
    // With backslashes, in one line or several.
    /[eE]'(?:[^'\\]|\\[\s\S]|'')*'(?:\s*[\r\n]\s*'(?:[^'\\]|\\[\s\S]|'')*')*/,
    /'(?:[^']|'')*'/,
    /(?<dollars>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)/,
    /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/,
    /\$(?<number>\d+)/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
)

/** A statement with a text in the place of each parameter, which its number names. */
export const withParameters = (sql: string, textOf: (number: number) => string): string => {
  let text = ''
  let at = 0
  for (let found = next(sql, at); found; found = next(sql, at)) {
    const { dollars, number } = found.groups ?? {}
    const end = found.index + found[0].length
    text += sql.slice(at, number === undefined ? end : found.index)
    at = end
    if (number !== undefined) text += textOf(Number(number))
    const rest =
      dollars === undefined
        ? found[0] === '/*'
          ? afterComment(sql, at)
          : at
        : afterDollars(sql, at, dollars)
    text += sql.slice(at, rest)
    at = rest
  }
  return text + sql.slice(at)
}

const next = (sql: string, at: number): RegExpExecArray | null => {
  TOKEN.lastIndex = at
  return TOKEN.exec(sql)
}

const afterDollars = (sql: string, at: number, dollars: string): number => {
  const end = sql.indexOf(dollars, at)
  return end < 0 ? sql.length : end + dollars.length
}

/** A comment may hold others. */
const afterComment = (sql: string, from: number): number => {
  let at = from
  for (let depth = 1; depth > 0 && at < sql.length; at += 2) {
    const mark = sql.slice(at).search(/\/\*|\*\//)
    if (mark < 0) return sql.length
    at += mark
    depth += sql.startsWith('/*', at) ? 1 : -1
  }
  return at
}
