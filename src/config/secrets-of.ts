import { passwordIn } from '../common/redact.ts'
import { Secret } from '../common/secret.ts'

/** Everything in a configuration that must never be seen, for whoever masks it in texts (`redactor`). */
export const secretsOf = (config: unknown): Secret[] => {
  if (config instanceof Secret) return sensitivePart(config)
  if (typeof config === 'string') return passwordOf(config)
  if (typeof config !== 'object' || config === null) return []
  return Object.values(config).flatMap(secretsOf)
}

const DATABASE = /^(?:postgres(?:ql)?|mysql|mariadb|mssql|sqlserver):\/\//i

/** Of a database's URL only the password is secret; `sqlite:ledger.db` and `file:///folder` have none: masking them would blacken paths. */
const sensitivePart = (secret: Secret): Secret[] => {
  const text = secret.reveal()
  if (/^(?:off$|sqlite:|file:)/i.test(text)) return []
  if (!DATABASE.test(text)) return [secret]
  return passwordIn(text) ? FORMS.map((form) => new PasswordOfUrl(secret, form)) : []
}

/** The password of a database's URL, which changes with it. */
class PasswordOfUrl extends Secret {
  readonly #url: Secret
  readonly #form: (text: string) => string

  constructor(url: Secret, form: (text: string) => string) {
    super(form(passwordIn(url.reveal()) ?? ''))
    this.#url = url
    this.#form = form
  }

  override get handedOut(): string {
    return this.#form(passwordIn(this.#url.handedOut) ?? '')
  }
}

const passwordOf = (text: string): Secret[] => {
  const password = passwordIn(text)
  return password ? FORMS.map((form) => new Secret(form(password))) : []
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a lone % is no escape
  }
}

/** A password in a URL may be percent-encoded. A text may show it so, or decoded. */
const FORMS: readonly ((text: string) => string)[] = [(text) => text, decoded]
