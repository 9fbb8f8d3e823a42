/** Names of this machine, with which the original was started for a local server. */
export const HERE = new Set(['', '.', '(local)', 'localhost', '127.0.0.1'])

/** Where an engine listens unless its URL says otherwise. */
const PORTS: Readonly<Record<string, string>> = { 'postgres:': '5432', 'mysql:': '3306', 'mssql:': '1433' }
/** Each engine under one of its names. */
const SCHEMES: Readonly<Record<string, string>> = {
  'postgresql:': 'postgres:',
  'mariadb:': 'mysql:',
  'sqlserver:': 'mssql:',
}

/** Whether two URLs lead to one server, whatever their databases and users are: the password of one is for the other as well. */
export const isSameServer = (one: string, other: string): boolean => serverOf(one) === serverOf(other)

const serverOf = (text: string): string => {
  if (!URL.canParse(text)) return text
  const { protocol, hostname, port, searchParams } = new URL(text)
  const scheme = SCHEMES[protocol] ?? protocol
  // What the driver of each takes before the host.
  const behind = (name: string, of: string) => (scheme === of ? searchParams.get(name) : null)
  const host = (behind('host', 'postgres:') ?? hostname).toLowerCase()
  const instance = searchParams.get('instance')?.toLowerCase()
  return [
    scheme,
    behind('socketPath', 'mysql:') ?? (HERE.has(host) ? 'localhost' : host),
    // The port of an instance is asked for.
    (behind('port', 'postgres:') ?? port) || (instance ?? PORTS[scheme] ?? ''),
  ].join(' ')
}
