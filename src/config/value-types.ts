import { posix } from 'node:path'
import * as z from 'zod'

/** A setting as YAML gives it, references already replaced: every scalar is its own source text, never a number. */
export type Raw = string | readonly string[] | ReadonlyMap<string, string>
/** `tree`: lists and maps in each other, given to `read` as JSON whose values are all texts. */
export type Form = 'text' | 'list' | 'map' | 'tree'

/** What reading a setting may depend on besides its text. */
export interface Place {
  /** The folder that holds the configuration file, absolute: relative paths begin there. */
  readonly directory: string
  /** For a secret that came from a file: reads it again, and throws where that is not possible. */
  readonly readAgain?: (() => string) | undefined
}

/** How a setting is written. */
export interface Kind<T> {
  /** As docs/CONFIG.md names it. */
  readonly type: string
  readonly forms: readonly Form[]
  /** A secret may come from `<key>_file`, a credential or the environment, and is never shown. */
  readonly secret: boolean
  /** What an editor checks, as JSON Schema (docs/config.schema.json); what only the program can know is left to `read`. */
  readonly json: JsonSchema
  /** Throws a `SyntaxError` that says what the value must be, and never quotes what it was. */
  read(raw: Raw, place: Place): T
  show(value: T): string
}

export type JsonSchema = Readonly<Record<string, unknown>>

/** A kind of one value, checked by a zod schema over its text. The schema's own messages are never shown: `must` is. */
export const scalar = <T>(
  type: string,
  schema: z.ZodType<T, string>,
  {
    must = type,
    json,
    show = String,
  }: { must?: string; json?: JsonSchema; show?: (value: T) => string } = {},
): Kind<T> => ({
  type,
  forms: ['text'],
  secret: false,
  json: json ?? z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }),
  read: (raw) => {
    const { success, data } = schema.safeParse(textOf(raw))
    if (!success) throw new SyntaxError(`must be ${must}`)
    return data
  },
  show,
})

/** A kind whose reading depends on more than its text, or whose error has more to say. */
export const special = <T>(
  type: string,
  read: (text: string, place: Place) => T,
  show: (value: T) => string = String,
): Kind<T> => ({
  type,
  forms: ['text'],
  secret: false,
  json: { type: 'string' },
  read: (raw, place) => read(textOf(raw), place),
  show,
})

const textOf = (raw: Raw): string => {
  if (typeof raw !== 'string') throw new SyntaxError('must be one value')
  return raw
}

const isMap = (raw: Raw): raw is ReadonlyMap<string, string> => typeof raw === 'object' && 'get' in raw

export const text: Kind<string> = scalar('text', z.string())

/** A path; a relative one begins at the folder of the configuration file. */
export const path: Kind<string> = special('path', (value, place) => {
  refuseShellWords(value)
  return posix.resolve(place.directory, value)
})

/** What a shell would replace, and nothing here does: a folder of this very name would be made. */
export const refuseShellWords = (path: string): void => {
  if (/^~(?:\/|$)/.test(path))
    throw new SyntaxError('must not begin with ~, which only a shell replaces; write ${HOME}')
  const [found, name] = /(?:^|\/)\$([A-Z_][A-Z0-9_]*)(?=\/|$)/.exec(path) ?? []
  if (found !== undefined)
    throw new SyntaxError(
      `must not hold $${name ?? ''}, which only a shell replaces; write \${${name ?? ''}}`,
    )
}

export const boolean: Kind<boolean> = scalar(
  'true or false',
  z.stringbool({ truthy: ['true', 'yes', 'on'], falsy: ['false', 'no', 'off'] }),
)

/** A whole number. A leading zero is refused: YAML 1.1 reads it as octal, YAML 1.2 does not. */
export const integer = (min: number, max = Number.MAX_SAFE_INTEGER): Kind<number> => {
  const bounds = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `from ${min} to ${max}`
  const schema = z
    .string()
    .regex(/^(?:0|-?[1-9]\d*)$/)
    .transform(Number)
  return scalar(`a whole number, ${bounds}`, schema.pipe(z.int().min(min).max(max)))
}

export const decimal = (min: number, max = Number.MAX_SAFE_INTEGER): Kind<number> => {
  const type = max === Number.MAX_SAFE_INTEGER ? `a number, ${min} or more` : `a number from ${min} to ${max}`
  const schema = z
    .string()
    .regex(/^-?\d+(?:\.\d+)?$/)
    .transform(Number)
  return scalar(type, schema.pipe(z.number().min(min).max(max)))
}

/** One of a few words, in any case of letters; what is read has the case of the schema. */
export const choice = <const T extends string>(...words: readonly T[]): Kind<T> =>
  scalar(
    words.join(', '),
    z.string().transform((value, check) => {
      const word = words.find((candidate) => candidate.toLowerCase() === value.toLowerCase())
      if (word !== undefined) return word
      check.addIssue('not one of the words')
      return z.NEVER
    }),
    { must: `one of ${words.join(', ')}`, json: { enum: words } },
  )

/** A list of one kind of value; a single value counts as a list of one. Empty items count as left out, as an empty value does elsewhere. */
export const list = <T>(of: Kind<T>): Kind<readonly T[]> => ({
  type: `list of ${of.type}`,
  forms: ['text', 'list'],
  secret: false,
  json: { anyOf: [of.json, { type: 'array', items: of.json }] },
  read: (raw, place) => {
    if (isMap(raw)) throw new SyntaxError('must be a list')
    return [raw]
      .flat()
      .filter((item) => item !== '')
      .map((item) => of.read(item, place))
  },
  show: (items) => `[${items.map((item) => of.show(item)).join(', ')}]`,
})

/** A list whose items hold no comma but in double quotes: a single value, such as a line of an INI file, may have several of them. */
export const words = <T>(of: Kind<T>): Kind<readonly T[]> => {
  const whole = list(of)
  return {
    ...whole,
    json: { anyOf: [{ type: 'string' }, { type: 'array', items: of.json }] },
    read: (raw, place) => whole.read(typeof raw === 'string' ? itemsOf(raw) : raw, place),
  }
}

const itemsOf = (text: string): readonly string[] =>
  text.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((item) => item.trim())

/** Names and texts. */
export const map: Kind<ReadonlyMap<string, string>> = {
  type: 'map of texts',
  forms: ['map'],
  secret: false,
  json: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
  read: (raw) => {
    if (!isMap(raw)) throw new SyntaxError('must be a map of names and texts')
    return raw
  },
  show: (entries) => `{${[...entries].map(([name, value]) => `${name}: ${value}`).join(', ')}}`,
}
