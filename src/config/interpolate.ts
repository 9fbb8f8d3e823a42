/** Where the references of a text find their values. Each throws a `SyntaxError` that says why there is none. */
export interface Scope {
  /** An environment variable; undefined when it is not set. */
  readonly environment: (name: string) => string | undefined
  /** Another setting, by its name in the same section or by its dotted path. */
  readonly setting: (name: string) => string
}

/**
 * Replaces `${NAME}`, `${NAME:-default}` (environment, upper case; the default may hold references), `${key}` and
 * `${section.key}` (other settings). `$${` stands for `${` itself. What is put in is not looked at again. Throws a
 * `SyntaxError`; its message names the reference and never a value.
 */
export const expand = (text: string, scope: Scope): string => {
  const [value, end] = template(text, 0, scope, false)
  return end === text.length ? value : value + text.slice(end)
}

/** Whether a text holds any reference. */
export const hasReference = (text: string): boolean => /(?<!\$)\$\{/.test(text)

const DEEPEST = 20

/** No path, URL or password is longer. Settings that refer to each other could double what they hold with every line. Characters. */
const LONGEST = 65_536

/** Expands from `from` to the end, or, inside braces, to the brace that closes them. */
const template = (
  text: string,
  from: number,
  scope: Scope | undefined,
  inside: boolean,
  depth = 0,
): readonly [value: string, end: number] => {
  if (depth > DEEPEST) throw new SyntaxError(`references are nested deeper than ${DEEPEST} levels`)
  let value = ''
  let at = from
  while (at < text.length) {
    if (inside && text[at] === '}') return [value, at]
    if (text.startsWith('$${', at)) {
      value += '${'
      at += 3
    } else if (text.startsWith('${', at)) {
      const [replaced, end] = reference(text, at, scope, depth)
      value += replaced
      if (value.length > LONGEST)
        throw new SyntaxError(`is longer than ${LONGEST} characters once its references are replaced`)
      at = end
    } else value += text[at++] ?? ''
  }
  if (inside) throw new SyntaxError('a reference ${...} is not closed')
  return [value, at]
}

/** Expands the reference that begins at `from`. Without a scope it only looks for its end. */
const reference = (
  text: string,
  from: number,
  scope: Scope | undefined,
  depth: number,
): readonly [value: string, end: number] => {
  const head = /\$\{([A-Za-z_][A-Za-z0-9_.]*)(:-|\})/y
  head.lastIndex = from
  const match = head.exec(text)
  if (!match)
    throw new SyntaxError('a reference must look like ${NAME}, ${NAME:-default}, ${key} or ${section.key}')
  const [whole, name = '', tail] = match
  const found = scope && find(name, scope, tail === ':-')
  if (tail === '}') return [found ?? '', from + whole.length]
  // A default that is not needed must be well formed, and nothing in it is looked up.
  const [fallback, end] = template(
    text,
    from + whole.length,
    found === undefined ? scope : undefined,
    true,
    depth + 1,
  )
  return [found ?? fallback, end + 1]
}

/** The value of a name. With a default at hand, an empty one counts as none, as in a shell. */
const find = (name: string, scope: Scope, hasDefault: boolean): string | undefined => {
  const isVariable = /^[A-Z_][A-Z0-9_]*$/.test(name)
  const value = isVariable ? scope.environment(name) : scope.setting(name)
  if (hasDefault) return value === '' ? undefined : value
  if (value === undefined)
    throw new SyntaxError(
      `the environment variable ${name} is not set; set it, or write \${${name}:-default}`,
    )
  return value
}
