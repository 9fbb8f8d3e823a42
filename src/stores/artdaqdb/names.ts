import { ArchiverError } from '../../errors.ts'

/** The collection whose index is written last: a run that stands there has everything else written and indexed. */
export const COMMIT_MARK = 'SystemLayout'

/**
 * artdaq puts names into JSON by plain concatenation, into paths unchecked and into a shell, so that no other characters may ever reach it. No blank, no quote, no backslash, no `$`, nothing above 126.
 */
const SAFE = /^[A-Za-z0-9_][A-Za-z0-9_.+=@%-]{0,199}$/

/** Whether a name may stand in a configuration or be an entity. `..` is no path here, but nobody needs it either. */
export const isSafeName = (name: string): boolean => SAFE.test(name) && !name.includes('..')

/** Refuses a name that artdaq's tools could take for something else. Throws RECORD_INVALID, naming it. */
export function requireSafeName(what: 'configuration' | 'entity', name: string, run: number): void {
  if (isSafeName(name)) return
  throw new ArchiverError(
    'RECORD_INVALID',
    `run ${run}: the ${what} name ${JSON.stringify(name)} is not safe for artdaq's tools`,
    {
      run,
      hint: 'letters, digits and _ . + = @ % - are, up to 200 of them, beginning with a letter, digit or _',
    },
  )
}

/** A new oid as artdaq makes them: the first 24 hexadecimal digits of a random UUID, without hyphens. */
export const oidOf = (uuid: string): string => uuid.replaceAll('-', '').slice(0, 24)

/**
 * The version under which a run is stored again. artdaq takes the greatest version as text, so `v10` would lose against
 * `v9`; the numbers therefore go 1, 2, ... 9, 91, 92, ... 99, 991: the next is greater as text, and always will be.
 */
export function nextVersion(configuration: string, versions: Iterable<string>): string {
  let last = ''
  for (const version of versions) {
    const suffix = updateSuffix(configuration, version)
    if (suffix !== undefined && suffix > last) last = suffix
  }
  const digit = Number(last.slice(-1))
  const next = last === '' || digit === 9 ? `${last}1` : `${last.slice(0, -1)}${digit + 1}`
  return `${configuration}v${next}`
}

/** The digits after `v` where a version is an update of a configuration; undefined where it is not. */
function updateSuffix(configuration: string, version: string): string | undefined {
  if (!version.startsWith(`${configuration}v`)) return undefined
  const suffix = version.slice(configuration.length + 1)
  return /^\d{1,15}$/.test(suffix) ? suffix : undefined
}

/** The configuration that a version is an update of; undefined where it is none. */
export const updatedBy = (version: string): string | undefined => /^(.+)v\d{1,15}$/.exec(version)?.[1]

/** The run that a configuration belongs to (`1001506/standard00001`); undefined for names that are not a run's. */
export function runOf(configuration: string): number | undefined {
  const slash = configuration.indexOf('/')
  return slash < 0 ? undefined : runNumber(configuration.slice(0, slash))
}

/** The run that a name of `runs.name` means; undefined for anything but a plain number of up to 15 digits. */
export const runNumber = (name: string): number | undefined =>
  /^[1-9]\d{0,14}$/.test(name) ? Number(name) : undefined

/** The folder of bulkdownloader: the configuration without the digits at its end. May be empty, may hold `/`. */
export const exportFolder = (config: string): string => config.replace(/\d+$/, '')
