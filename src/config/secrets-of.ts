import { Secret } from '../core/secret.ts'

/** Everything in a configuration that must never be seen, for whoever masks it in texts (`redactor`). */
export const secretsOf = (config: unknown): Secret[] => {
  if (config instanceof Secret) return sensitivePart(config.reveal())
  if (typeof config !== 'object' || config === null) return []
  return Object.values(config).flatMap(secretsOf)
}

/** Of a database's URL only the password is secret, and `sqlite:ledger.db` has none: masking it would blacken paths. */
const sensitivePart = (text: string): Secret[] => {
  if (/^(?:off$|sqlite:)/.test(text)) return []
  const database = /^(?:postgres(?:ql)?|mysql|mariadb):\/\/(?:[^/@]*?:(.*)@)?/s.exec(text)
  if (!database) return [new Secret(text)]
  const [, password] = database
  return password ? [new Secret(password), new Secret(decoded(password))] : []
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a lone % is no escape
  }
}
