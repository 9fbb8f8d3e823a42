import type { Entry, Node, Problem } from './yaml-tree.ts'

interface Adapted {
  readonly root: Node
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

/**
 * Brings the forms that only the Python original's configurations have into today's: mail settings directly under
 * `reporting`, `fhiclize_generate: {files: [...]}`, and `app_fuzz`, the fault injection that was live in production:
 * with nothing to inject it is left out with a warning, else it is a problem.
 */
export const adapt = (root: Node): Adapted => {
  if (root.type !== 'map') return { root, problems: [], warnings: [] }
  const problems: Problem[] = []
  const warnings: Problem[] = []
  const entries = root.entries.flatMap((entry): Entry[] => {
    if (entry.name === 'app_fuzz') {
      if (isIdle(entry.value))
        warnings.push({ at: entry.at, message: 'app_fuzz: injects nothing and is ignored; take it out' })
      else
        problems.push({
          at: entry.at,
          message: 'app_fuzz: faults are not injected into a program that archives; take this section out',
        })
      return []
    }
    if (entry.name === 'fhiclize_generate') return [{ ...entry, value: listOfFiles(entry.value) }]
    if (entry.name === 'reporting') return [{ ...entry, value: oldMailSettings(entry.value, problems) }]
    return [entry]
  })
  return { root: { ...root, entries }, problems, warnings }
}

const isIdle = (node: Node): boolean => {
  if (node.type === 'none') return true
  if (node.type === 'text') return /^(?:0+(?:\.0*)?|false|no|off|)$/i.test(node.text)
  return node.type === 'map' && node.entries.every(({ value }) => value.type !== 'map' && isIdle(value))
}

const listOfFiles = (node: Node): Node => {
  const list =
    node.type === 'map' && node.entries.length === 1
      ? node.entries.find(({ name }) => name === 'files')?.value
      : undefined
  return withoutExtensions(list ?? node)
}

const withoutExtensions = (node: Node): Node => {
  if (node.type === 'text') return { ...node, text: node.text.replace(/\.(?:txt|fcl)$/, '') }
  return node.type === 'list' ? { ...node, items: node.items.map(withoutExtensions) } : node
}

const OLD_MAIL = [
  'smtp_host',
  'smtp_port',
  'smtp_use_tls',
  'smtp_user',
  'smtp_password',
  'smtp_password_file',
  'sender_email',
  'recipient_email',
]

/** `send_email_on_error` and its neighbours become `email`, with the other defaults that they had. */
const oldMailSettings = (node: Node, problems: Problem[]): Node => {
  if (node.type !== 'map') return node
  const old = node.entries.filter(({ name }) => name === 'send_email_on_error' || OLD_MAIL.includes(name))
  const [first] = old
  if (!first) return node
  const rest = node.entries.filter((entry) => !old.includes(entry))
  if (rest.some(({ name }) => name === 'email')) {
    problems.push({
      at: first.at,
      message: `reporting.${first.name}: the old form of the mail settings stands beside \`email\`; keep one of them`,
    })
    return { ...node, entries: rest }
  }
  const implied = [
    ['smtp_port', '587'],
    ['smtp_use_tls', 'true'],
  ]
    .filter(([name]) => !old.some((entry) => entry.name === name))
    .map(([name = '', text = '']): Entry => ({
      name,
      at: first.at,
      value: { type: 'text', at: first.at, text },
    }))
  const mail = old.map((entry) =>
    entry.name === 'send_email_on_error' ? { ...entry, name: 'enabled' } : entry,
  )
  const email: Entry = {
    name: 'email',
    at: first.at,
    value: { type: 'map', at: first.at, entries: [...mail, ...implied] },
  }
  return { ...node, entries: [...rest, email] }
}
