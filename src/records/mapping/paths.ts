/** A path of a mapping: elements, then an attribute, the text, or the element itself. */
export interface Path {
  readonly absolute: boolean
  /** How many `..` it begins with. */
  readonly up: number
  readonly steps: readonly string[]
  readonly leaf: Leaf
  /** As the mapping writes it. */
  readonly text: string
}

export type Leaf =
  | { readonly type: 'attribute'; readonly name: string }
  | { readonly type: 'text' }
  | { readonly type: 'element' }

/** How names of paths become names that elements are compared by. */
export interface PathNames {
  /** By prefix; undefined where namespaces are ignored. */
  readonly prefixes: ReadonlyMap<string, string> | undefined
  readonly ignoreAttributeCase: boolean
}

const NAME = /^(?:([\p{L}_][\p{L}\p{N}_.-]*):)?([\p{L}_][\p{L}\p{N}_.-]*)$/u

/** Reads `/a/b/@c`, `/a/b/text()`, `@c`, `b/@c`, `./b`, `../@c`. Throws a SyntaxError that says what is wrong. */
export const parsePath = (text: string, names: PathNames): Path => {
  const absolute = text.startsWith('/')
  const parts = text.replace(/^\.?\//, '').split('/')
  if (text === '' || text === '/' || text === './') throw new SyntaxError('is empty')
  let up = 0
  while (!absolute && parts[up] === '..') up++
  const rest = parts.slice(up)
  const leaf = leafOf(rest.at(-1), names)
  const steps = (leaf.type === 'element' ? rest : rest.slice(0, -1)).map((step) => elementName(step, names))
  return { absolute, up, steps, leaf, text }
}

const leafOf = (last: string | undefined, names: PathNames): Leaf => {
  if (last === 'text()') return { type: 'text' }
  if (last === undefined || !last.startsWith('@')) return { type: 'element' }
  const { prefixes, ignoreAttributeCase } = names
  const [, prefix, local = ''] = NAME.exec(last.slice(1)) ?? []
  if (local === '') throw new SyntaxError(`"${last}" is no name of an attribute`)
  const plain = ignoreAttributeCase ? local.toLowerCase() : local
  if (prefix === undefined || prefixes === undefined) return { type: 'attribute', name: plain }
  return { type: 'attribute', name: `{${uriOf(prefix, prefixes)}}${plain}` }
}

/** The name that elements are compared by: the local name, or `{namespace}name`. */
export const elementName = (step: string, { prefixes }: PathNames): string => {
  const [, prefix, local = ''] = NAME.exec(step) ?? []
  if (local === '')
    throw new SyntaxError(
      step === ''
        ? 'has an empty step (//)'
        : `"${step}" is no name of an element; conditions and wildcards are not taken`,
    )
  return prefix === undefined || prefixes === undefined ? local : `{${uriOf(prefix, prefixes)}}${local}`
}

/** A name in an expression: where it has a prefix, as `"p:order"`, the name that elements are compared by. */
export const nameInExpression = (part: string, names: PathNames): string =>
  part.includes(':') ? elementName(part, names) : part

const uriOf = (prefix: string, prefixes: ReadonlyMap<string, string>): string => {
  const uri = prefix === 'xml' ? 'http://www.w3.org/XML/1998/namespace' : prefixes.get(prefix)
  if (uri === undefined) throw new SyntaxError(`the prefix ${prefix} is not declared under namespaces`)
  return uri
}
