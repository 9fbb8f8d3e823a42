import type { Kind } from './value-types.ts'

/**
 * One setting. `default` is what would be written in YAML, references and all: `${work_dir}/importer_state.json`.
 * `Name` is its name in `Config` where that is not simply the key in camel case.
 */
export interface Key<T = unknown, Name extends string = string> {
  readonly kind: Kind<T>
  /** For docs/CONFIG.md: what it does, in a sentence or two. */
  readonly doc: string
  readonly default: Fallback | undefined
  readonly required: boolean
  readonly as: Name | undefined
  /** An environment variable that stands in where the file says nothing (a name of the Python original). */
  readonly env: string | undefined
}

/** A function is given the other settings by name. */
export type Fallback =
  string | readonly string[] | ReadonlyMap<string, string> | ((setting: (name: string) => string) => string)

export interface Section<K extends Keys = Keys> {
  readonly doc: string
  readonly keys: K
  /** The key that is set by a single value, written in place of the whole section. */
  readonly short?: string | undefined
}

export interface Keys {
  readonly [name: string]: Key | Section
}

interface Details<Name extends string> {
  readonly doc: string
  readonly as?: Name
  readonly env?: string
}

/** A setting with a default. */
export const key = <T, const Name extends string>(
  kind: Kind<T>,
  fallback: Fallback,
  { doc, as, env }: Details<Name>,
): Key<T, Name> => ({ kind, doc, default: fallback, required: false, as, env })

/** A setting that must be there. */
export const required = <T, const Name extends string>(
  kind: Kind<T>,
  { doc, as, env }: Details<Name>,
): Key<T, Name> => ({ kind, doc, default: undefined, required: true, as, env })

/** A setting that may be left out: `undefined` then, and when it is written as an empty text. */
export const optional = <T, const Name extends string>(
  kind: Kind<T>,
  { doc, as, env }: Details<Name>,
): Key<T | undefined, Name> => ({
  kind,
  doc,
  default: undefined,
  required: false,
  as,
  env,
})

export const section = <const K extends Keys>(
  doc: string,
  keys: K,
  { short }: { readonly short?: string } = {},
): Section<K> => ({ doc, keys, short })

export type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S

type NameOf<K extends string, V> =
  V extends Key<unknown, infer Name> ? (string extends Name ? Camel<K> : Name) : Camel<K>

/** The type of the values that a table of keys reads to. */
export type Values<K> = {
  readonly [N in keyof K & string as NameOf<N, K[N]>]: K[N] extends Key<infer T>
    ? T
    : K[N] extends Section<infer Inner>
      ? Values<Inner>
      : never
}

/** `run_records_dir` → `runRecordsDir`. */
export const camel = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase())

export const isSection = (entry: Key | Section): entry is Section => 'keys' in entry

/** Every setting of a table with its dotted path, in the table's order. */
export function* settingsOf(keys: Keys, prefix = ''): Generator<readonly [path: string, key: Key]> {
  for (const [name, entry] of Object.entries(keys))
    if (isSection(entry)) yield* settingsOf(entry.keys, `${prefix}${name}.`)
    else yield [`${prefix}${name}`, entry]
}
