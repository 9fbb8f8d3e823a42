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
  return DATABASE.test(text) ? passwordOf(text) : [secret]
}

/** As it stands in the URL, and as it is meant; none in any other text. */
const passwordOf = (text: string): Secret[] => {
  const password = passwordIn(text)
  return password ? [new Secret(password), new Secret(decoded(password))] : []
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a lone % is no escape
  }
}
