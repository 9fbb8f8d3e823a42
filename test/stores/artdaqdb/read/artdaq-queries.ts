import { JsonObject, type JsonValue } from '../../../../src/fhicl/json/model.ts'
import { writeJson } from '../../../../src/fhicl/json/printer.ts'
import type { CollectionIndex } from '../../../../src/stores/artdaqdb/format/search-index.ts'
import type { Database } from '../../../../src/stores/artdaqdb/index/database.ts'
import { shownName } from '../../../../src/stores/artdaqdb/format/index-names.ts'

/** What artdaq's python module answers, made from the indexes as the archiver reads them: a measure of that reading, which no command needs. */

/** The filter of a query: names to values, as artdaq's python module takes them. */
export type Filter = Readonly<Record<string, string>>

export type QueryFormat = 'gui' | 'csv'

/**
 * Configurations whose name is the pattern or, where it ends in `*`, begins with it: the one assigned last first, to the
 * second of the printed local time; of equal seconds in byte order. The text is artdaq's own.
 */
export async function findConfigurations(
  database: Database,
  filter: Filter,
  format: QueryFormat,
): Promise<string> {
  const matches = matcher(filter['configurations.name'] ?? '')
  const latest = new Map<string, string>()
  for (const { index } of await indexesOf(database))
    for (const name of index.section('configurations.name').keys()) {
      if (name === NOT_PROVIDED || !matches(name)) continue
      const stamp = (index.list('configurations.assigned', name).items.at(-1) ?? '').slice(0, 19)
      if (stamp > (latest.get(name) ?? '')) latest.set(name, stamp)
      else if (!latest.has(name)) latest.set(name, stamp)
    }
  const names = [...latest]
    .sort(([a, x], [b, y]) => byBytes(y, x) || byBytes(a, b))
    .map(([name]) => shownName(name))
  if (format === 'csv') return names.join(',')
  return searchText(
    names.map((name) => entry(name, { operation: 'buildfilter', filter: [['configurations.name', name]] })),
  )
}

/** Pairs of entity (or, with a configuration in the filter, of configuration) and version, sorted. */
export async function findVersions(
  database: Database,
  collection: string,
  filter: Filter,
  format: QueryFormat,
): Promise<string> {
  const { index } = await database.collection(collection).index()
  const configuration = filter['configurations.name']
  const section = configuration === undefined ? 'entities.name' : 'configurations.name'
  const entity = filter['entities.name'] ?? NOT_PROVIDED
  const pairs = pairsOf(index, section, matcher(configuration ?? entity), 'version')
  if (format === 'csv') return pairs.map(([, version]) => shownName(version)).join(',')
  return searchText(
    pairs.map(([name, version]) => {
      const shown = shownName(version)
      const entityName = configuration === undefined ? shownName(name) : entity
      const filters: [string, string][] = [
        ['version', shown],
        ['entities.name', entityName],
      ]
      return entry(shown, { collection, operation: 'load', filter: filters })
    }),
  )
}

/** Entities of every collection; here a prefix does not find the bare prefix itself. */
export async function findEntities(database: Database, filter: Filter, format: QueryFormat): Promise<string> {
  const pattern = filter['entities.name'] ?? '*'
  const prefix = pattern.endsWith('*') ? pattern.slice(0, -1) : undefined
  const matches = (name: string): boolean =>
    prefix === undefined ? name === pattern : name.startsWith(prefix) && name !== prefix
  const found = (await indexesOf(database)).flatMap(({ collection, index }) =>
    [...index.section('entities.name').keys()]
      .map(shownName)
      .filter(matches)
      .sort(byBytes)
      .map((name) => ({ collection, name })),
  )
  if (format === 'csv') return found.map(({ name }) => name).join(',')
  return searchText(
    found.map(({ collection, name }) =>
      entry(name, { collection, operation: 'findversions', filter: [['entities.name', name]] }),
    ),
  )
}

/** The documents of configurations as filters that load them; undefined where no configuration matches. */
export async function buildFilter(database: Database, filter: Filter): Promise<string | undefined> {
  const matches = matcher(filter['configurations.name'] ?? '')
  const entries: JsonObject[] = []
  for (const { collection, index } of await indexesOf(database)) {
    const seen = new Set<string>()
    for (const [configuration, entity] of pairsOf(index, 'configurations.name', matches, 'entities.name')) {
      if (seen.has(entity)) continue
      seen.add(entity)
      const [configurationName, entityName] = [shownName(configuration), shownName(entity)]
      const filters: [string, string][] = [
        ['configurations.name', configurationName],
        ['entities.name', entityName],
      ]
      entries.push(
        entry(`${configurationName}:${entityName}`, { collection, operation: 'load', filter: filters }),
      )
    }
  }
  return entries.length === 0 ? undefined : writeJson(JsonObject.of(['search', entries]))
}

/** The oids that meet every criterion: the true intersection, where artdaq's own answer may be any document. */
export function matching(index: CollectionIndex, filter: Filter): readonly string[] {
  const sections = [
    'version',
    'configurations.name',
    'entities.name',
    'runs.name',
    'aliases.active.name',
  ] as const
  const unknown = Object.keys(filter).find((key) => !sections.some((section) => section === key))
  if (unknown !== undefined) throw new SyntaxError(`"${unknown}" is no key of a filter`)
  const lists = sections.flatMap((section) => {
    const name = filter[section]
    return name === undefined ? [] : [index.list(section, name)]
  })
  const [first = index.ouid, ...rest] = lists.sort((a, b) => a.size - b.size)
  return first.items.filter((oid) => rest.every((list) => list.has(oid)))
}

const NOT_PROVIDED = 'notprovided'

interface Query {
  readonly collection?: string
  readonly operation: string
  readonly filter: readonly [string, string][]
}

const entry = (name: string, { collection, operation, filter }: Query): JsonObject =>
  JsonObject.of(
    ['name', name],
    [
      'query',
      JsonObject.from([
        ...(collection === undefined ? [] : [['collection', collection] as const]),
        ['dbprovider', 'filesystem'],
        ['dataformat', 'gui'],
        ['operation', operation],
        ['filter', JsonObject.from(filter)],
      ] satisfies (readonly [string, JsonValue])[]),
    ],
  )

/** The frame round the entries is not in the layout of the entries themselves. */
const searchText = (entries: readonly JsonObject[]): string =>
  entries.length === 0 ? '{ "search": [] }' : `{ "search": [\n${entries.map(writeJson).join(',')}] }`

const matcher = (pattern: string): ((name: string) => boolean) => {
  const prefix = pattern.slice(0, -1)
  return pattern.endsWith('*') ? (name) => name.startsWith(prefix) : (name) => name === pattern
}

/** Unique pairs of a name and the names that its documents have in another section, sorted. */
function pairsOf(
  index: CollectionIndex,
  section: 'configurations.name' | 'entities.name',
  matches: (name: string) => boolean,
  other: 'version' | 'entities.name',
): readonly (readonly [string, string])[] {
  const names = [...index.section(section)].filter(([name]) => matches(name))
  const pairs = names.flatMap(([name, oids]) =>
    [...index.section(other)]
      .filter(([, list]) => list.items.some((oid) => oids.has(oid)))
      .map(([found]) => [name, found] as const),
  )
  return pairs.sort(([a, x], [b, y]) => byBytes(a, b) || byBytes(x, y))
}

const indexesOf = async (database: Database) =>
  Promise.all(
    (await database.collections()).map(async (collection) => ({
      collection: collection.name,
      index: (await collection.index()).index,
    })),
  )

const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
