import { redact } from '../common/redact.ts'
import { expand, hasReference, type Scope } from './interpolate.ts'
import type { Place, Raw } from './value-types.ts'
import type { Placed } from './match-keys.ts'
import type { Key } from './schema.ts'
import { findSecret, type SecretSources } from './secret-sources.ts'
import { suggest } from '../common/suggest.ts'
import type { At, Node, Problem } from './yaml-tree.ts'

/** Where a value came from. */
export type Source =
  | { readonly type: 'file'; readonly at: At }
  | { readonly type: 'elsewhere'; readonly name: string }
  | { readonly type: 'default' }
  | { readonly type: 'unset' }

export interface Answer {
  readonly setting: Placed
  readonly value: unknown
  readonly source: Source
  /** A problem was reported; `value` is undefined and means nothing. */
  readonly faulty: boolean
}

interface Found {
  readonly raw: Raw | undefined
  readonly source: Source
  readonly readAgain?: () => string
}

/** A default that refers to a faulty setting: it is cured with that one, so it is not reported. */
class Consequence extends SyntaxError {}

/** Finds the value of every setting: from the file, from elsewhere, from its default; references replaced; checked. */
export class Reader {
  readonly problems: Problem[] = []
  readonly #settings: ReadonlyMap<string, Placed>
  readonly #place: Place
  readonly #sources: SecretSources
  readonly #found = new Map<string, Found | SyntaxError>()
  /** The settings whose references are being followed, outermost first. */
  readonly #following: string[] = []

  constructor(settings: readonly Placed[], sources: SecretSources) {
    this.#settings = new Map(settings.map((setting) => [setting.path, setting]))
    this.#place = { directory: sources.directory }
    this.#sources = sources
  }

  /** `isUsed` says whether a setting that is required must be there. */
  read(isUsed: (setting: Placed) => boolean = () => true): readonly Answer[] {
    const ofDefaults: (() => void)[] = []
    const answers = [...this.#settings.values()].map((setting): Answer => {
      let from: Source = { type: 'unset' }
      try {
        const { raw, source, readAgain } = this.#find(setting)
        from = source
        if (raw === undefined) return this.#absent(setting, source, isUsed(setting))
        const value = setting.key.kind.read(raw, { ...this.#place, readAgain })
        if (Array.isArray(value) && value.length === 0)
          return this.#absent(setting, source, isUsed(setting), value)
        return { setting, source, value, faulty: false }
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error
        const report = (): void => this.#report(setting, `${error.message}${written(setting)}`)
        if (from.type === 'default') ofDefaults.push(report)
        else if (!(error instanceof Consequence)) report()
        return { setting, source: { type: 'unset' }, value: undefined, faulty: true }
      }
    })
    // A default fails by what it refers to: that is cured where it is written.
    if (this.problems.length === 0) for (const report of ofDefaults) report()
    return answers
  }

  #absent(setting: Placed, source: Source, used: boolean, value?: readonly unknown[]): Answer {
    const faulty = setting.key.required && used
    if (faulty) this.#report(setting, 'must be set')
    return { setting, source, value, faulty }
  }

  #report(setting: Placed, message: string): void {
    this.problems.push({ at: setting.file?.at ?? setting.at, message: `${setting.path}: ${message}` })
  }

  /** The raw value, found once; a setting that others refer to is reported as faulty only by itself. */
  #find(setting: Placed): Found {
    const known = this.#found.get(setting.path)
    if (known instanceof SyntaxError) throw known
    if (known) return known
    try {
      const found = this.#look(setting)
      this.#found.set(setting.path, found)
      return found
    } catch (error) {
      if (error instanceof SyntaxError) this.#found.set(setting.path, error)
      throw error
    }
  }

  #look(setting: Placed): Found {
    const { key, node, at, file } = setting
    if (key.kind.secret) {
      const name = file && file.value.type !== 'none' ? this.#text(setting, file.value) : undefined
      const find = () => findSecret(setting.path, name === '' ? undefined : name, this.#sources)
      const secret = find()
      const readAgain = () => (find() ?? missing(setting.path)).text
      if (secret) return { raw: secret.text, source: { type: 'elsewhere', name: secret.source }, readAgain }
    }
    const raw = node && this.#raw(setting, node)
    if (raw !== undefined && !isEmpty(raw)) return { raw, source: { type: 'file', at } }
    const variable = key.env === undefined ? undefined : this.#sources.env[key.env]
    if (variable !== undefined && variable !== '')
      return { raw: variable, source: { type: 'elsewhere', name: key.env ?? '' } }
    return this.#fallback(setting, key.default)
  }

  #fallback(setting: Placed, value: Key['default']): Found {
    try {
      return this.#default(setting, value)
    } catch (error) {
      throw error instanceof SyntaxError ? new Consequence(error.message) : error
    }
  }

  #default(setting: Placed, value: Key['default']): Found {
    const scope = this.#scope(setting)
    if (typeof value === 'function') return this.#default(setting, value(scope.setting))
    if (value === undefined) return { raw: undefined, source: { type: 'unset' } }
    const raw = typeof value === 'string' ? this.#whileFollowing(setting, () => expand(value, scope)) : value
    return { raw, source: { type: 'default' } }
  }

  #raw(setting: Placed, node: Node): Raw | undefined {
    const { forms } = setting.key.kind
    const refuse = () => new SyntaxError(`must be ${withArticle(setting.key.kind.type)}`)
    if (node.type === 'none') return undefined
    if (forms.includes('tree') && node.type !== 'text') return JSON.stringify(this.#tree(setting, node))
    if (node.type === 'text') {
      if (!forms.includes('text')) throw refuse()
      return this.#text(setting, node)
    }
    if (node.type === 'list') {
      if (!forms.includes('list')) throw refuse()
      return node.items.map((item) => this.#text(setting, item))
    }
    if (!forms.includes('map')) throw refuse()
    return new Map(node.entries.map(({ name, value }) => [name, this.#text(setting, value)]))
  }

  #tree(setting: Placed, node: Node): unknown {
    if (node.type === 'list') return node.items.map((item) => this.#tree(setting, item))
    if (node.type !== 'map') return this.#text(setting, node)
    return Object.fromEntries(node.entries.map(({ name, value }) => [name, this.#tree(setting, value)]))
  }

  /** One scalar with its references replaced. */
  #text(setting: Placed, node: Node): string {
    if (node.type === 'none') return ''
    if (node.type !== 'text') throw new SyntaxError('must hold plain values, no lists or sections')
    return this.#whileFollowing(setting, () => expand(node.text, this.#scope(setting)))
  }

  #whileFollowing(setting: Placed, work: () => string): string {
    this.#following.push(setting.path)
    try {
      return work()
    } finally {
      this.#following.pop()
    }
  }

  #scope(setting: Placed): Scope {
    return {
      environment: (name) => this.#sources.env[name],
      setting: (name) => (name === 'config_dir' ? this.#place.directory : this.#referred(setting, name)),
    }
  }

  #referred(from: Placed, name: string): string {
    const target =
      this.#settings.get(from.section === '' ? name : `${from.section}.${name}`) ?? this.#settings.get(name)
    if (!target) throw new SyntaxError(`\${${name}} refers to no setting${meant(from, name, this.#settings)}`)
    if (this.#following.includes(target.path))
      throw new SyntaxError(`refers to itself: ${[...this.#following, target.path].join(' → ')}`)
    if (target.key.kind.secret && !from.key.kind.secret)
      throw new SyntaxError(`\${${name}} is a secret, and this setting is none`)
    let raw: Raw | undefined
    try {
      raw = this.#find(target).raw
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      const isCycle = error.message.startsWith('refers to itself')
      throw new SyntaxError(
        isCycle ? error.message : `\${${name}} has no value: ${target.path} is wrong itself`,
      )
    }
    if (typeof raw !== 'string')
      throw new SyntaxError(`\${${name}} ${raw === undefined ? 'is not set' : 'is no single value'}`)
    return raw
  }
}

const missing = (path: string): never => {
  throw new SyntaxError(`${path} is no longer there`)
}

const meant = (from: Placed, name: string, settings: ReadonlyMap<string, Placed>): string => {
  const near =
    suggest(
      name,
      [...settings.values()].filter(({ section }) => section === from.section).map((one) => one.name),
    ) ?? suggest(name, settings.keys())
  return near === undefined ? '' : `; did you mean \${${near}}?`
}

/** What the file says, as it stands there. A secret, a value from the environment or a URL is never quoted, nor what looks like a password. */
const written = ({ key, node }: Placed): string => {
  if (key.kind.secret || node?.type !== 'text' || node.text.length > 60) return ''
  return hasReference(node.text) || /@|:\/\//.test(node.text)
    ? ''
    : `, not ${JSON.stringify(redact(node.text))}`
}

/** A type as it stands behind "must be": some are nouns. */
const withArticle = (type: string): string =>
  /^(?:duration|list|map|path|percentage|secret|size|text|URL)\b/.test(type) ? `a ${type}` : type

/** An empty text, or a list of nothing else. A list without items is one. */
const isEmpty = (raw: Raw): boolean =>
  raw === '' || (Array.isArray(raw) && raw.length > 0 && raw.every((item) => item === ''))
