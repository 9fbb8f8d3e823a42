import type { Secret } from './secret.ts'

/** Takes secrets out of a text that will be seen. */
export type Redact = (text: string) => string

/** What stands for a secret. */
export const MASK = '[secret]'

/** Shorter ones are not looked for: "test" as a password would blacken half of every log, and hides nothing. */
const SHORTEST_SECRET = 6

/** None begins with a run of any length: each place of a long word would be looked at as often as it has letters, for minutes. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // The user info of a URL, up to the last @ before the path: passwords with an unescaped @ are masked whole.
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@'"]*):[^\s/'"]*@/gi, `$1:${MASK}@`],
  [/\b(Basic|Bearer|Digest)\s+[A-Za-z0-9+/=_.~-]{8,}/g, `$1 ${MASK}`],
  [/\bxox[a-z]-[A-Za-z0-9-]{6,}/g, MASK],
  [/(hooks\.slack\.com\/(?:services|workflows)\/)[^\s'"]+/g, `$1${MASK}`],
  [
    // But not MySQL's "(using password: NO)", which says why a login was refused.
    /((?:password|passwd|pwd|secret|token|api[_-]?key|authorization)["']?\s*[=:]\s*)(?!(?:YES|NO)\))("[^"]*"|'[^']*'|[^\s,;&}]+)/gi,
    `$1${MASK}`,
  ],
]

/**
 * Masks what looks like a secret wherever it stands: passwords in URLs, authorization headers, Slack tokens and webhooks,
 * `password=...`. A net below the `Secret` class, for texts that servers and libraries make (the original logged the
 * database's password in every error of its tools).
 */
export const redact: Redact = (text) =>
  PATTERNS.reduce((left, [pattern, mask]) => left.replace(pattern, mask), text)

/**
 * A URL as it was configured, without its password, whatever that is made of: `new URL` takes quotes, blanks and more. Up to the last
 * @, as `passwordIn` says; in a text of unknown kind that would mask too much, so `redact` gives up at a quote or a blank.
 */
export const redactUrl: Redact = (url) => {
  const password = passwordIn(url)
  if (password === undefined) return redact(url)
  const at = url.indexOf(':', url.indexOf('://') + 3) + 1
  return `${url.slice(0, at)}${MASK}${redact(url.slice(at + password.length))}`
}

/** The password of a URL as it is written there: what stands between the first colon and the last @. */
export const passwordIn = (url: string): string | undefined =>
  /^[a-z][a-z0-9+.-]*:\/\/[^/@:]*:(.*)@/is.exec(url)?.[1]

/**
 * `redact`, and the given secrets themselves, as they are and as a URL or base64 would carry them. One that changes in its file is masked as it
 * was and as it is.
 */
export const redactor = (secrets: readonly Secret[]): Redact => {
  const texts = new Set<string>()
  let forms: readonly string[] = []
  const learn = (found: readonly string[]): void => {
    if (found.every((text) => texts.has(text))) return
    for (const text of found) texts.add(text)
    // The longest first, so that a form that contains another leaves no rest of itself.
    forms = [...new Set([...texts].flatMap(formsOf))].sort((a, b) => b.length - a.length)
  }
  learn(secrets.map((secret) => secret.reveal()))
  return (text) => {
    learn(secrets.map((secret) => secret.handedOut))
    return redact(forms.reduce((left, form) => left.replaceAll(form, MASK), text))
  }
}

const formsOf = (text: string): readonly string[] =>
  text.length < SHORTEST_SECRET
    ? []
    : [
        text,
        encodeURIComponent(text),
        Buffer.from(text).toString('base64'),
        JSON.stringify(text).slice(1, -1),
      ]

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/**
 * A text on one line and without power over a terminal: control characters, and those that turn the direction of
 * writing or cannot be seen, become `\xNN` or `\u{N}`. A backslash of the text's own stays.
 */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => {
    if (character === '\n') return '\\n'
    if (character === '\t') return '\\t'
    if (character === '\r') return '\\r'
    const code = character.codePointAt(0) ?? 0
    return code < 256 ? `\\x${hex(code).padStart(2, '0')}` : `\\u{${hex(code)}}`
  })

/** JSON in which no character is unprintable, on one line unless it is indented; parsing it gives the value back. */
export const printableJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(UNPRINTABLE, (character) => {
    if (character === '\n') return character // between values: in a text it is escaped already
    return [...Array(character.length).keys()]
      .map((i) => `\\u${hex(character.charCodeAt(i)).padStart(4, '0')}`)
      .join('')
  })

const SECRET_KEY = /pass(word|wd)?$|secret|token|authorization|cookie|api_?key/i

/** Whether a value under this key is never shown, whatever it is. */
export const isSecretKey = (key: string): boolean => SECRET_KEY.test(key)

const hex = (code: number): string => code.toString(16)
