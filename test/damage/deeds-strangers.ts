import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { at, blobOf, type Deed, documentOf, indexOf, oidOf, put, sumOf } from './adversary.ts'
import type { DamagedSite } from './damaged-site.ts'
import { filesBelow } from './damages.ts'

const STRANGE_OID = 'abcdef0123456789abcdef01'
const LATER = 4_102_444_800
const DB_FILES = [
  'RunHistory-index.json.damaged-2026-11-29T223110.916Z',
  'RunHistory-index.json.damaged-2999-01-01T000000.000Z',
  'SystemLayout-index.json.damaged-1970-01-01T000000.000Z',
  `RunHistory-${STRANGE_OID}.json.damaged-2026-11-29T223110.916Z`,
  `RunHistory-${STRANGE_OID}.json.uncommitted`,
  '.archiver-0123456789abcdef.tmp',
  '.archiver.lock',
]

const database = (site: DamagedSite, ...names: string[]): string => site.site.path('db', ...names)
const shard = (site: DamagedSite): string => dirname(blobOf(site, '1'))

/** A copy of a document under another oid; `says`: it gives itself that oid, too. */
const copyDocument = (site: DamagedSite, { says = false, into = 'RunHistory' } = {}): string => {
  const from = documentOf(site, 1, 'tpc01')
  const to = database(site, into, `${STRANGE_OID}.json`)
  const text = readFileSync(from, 'latin1')
  writeFileSync(to, says ? text.replaceAll(oidOf(from), STRANGE_OID) : text, 'latin1')
  return to
}

const indexes = (site: DamagedSite): string[] =>
  ['RunHistory', 'SystemLayout'].map((name) => indexOf(site, name))

/** What came from another place, or stands where nothing of ours should be. */
export const STRANGERS: readonly Deed[] = [
  ...[false, true].flatMap((says): Deed[] => [
    {
      what: `a document copied under another oid${says ? ', which it says' : ''}`,
      do: (site) => [copyDocument(site, { says })],
    },
    {
      what: `a document copied under another oid${says ? ', which it says' : ''}, and the indexes gone`,
      do: (site) => {
        const copy = copyDocument(site, { says })
        site.loseIndexes()
        return [copy, documentOf(site, 1, 'tpc01')]
      },
    },
    {
      what: `a document copied into the other collection${says ? ' under another oid' : ''}`,
      do: (site) => [copyDocument(site, { says, into: 'SystemLayout' })],
    },
  ]),
  {
    what: 'a document moved into the other collection',
    do: (site) => {
      const from = documentOf(site, 1, 'tpc01')
      renameSync(from, database(site, 'SystemLayout', basename(from)))
      return [from]
    },
  },
  {
    what: 'the schema of a run moved into the other collection, and the indexes gone',
    do: (site) => {
      const from = documentOf(site, 1, 'schema')
      renameSync(from, database(site, 'RunHistory', basename(from)))
      site.loseIndexes()
      return [from]
    },
  },
  {
    what: 'the indexes of another database of the same runs',
    do: (site) => {
      for (const path of indexes(site))
        put(
          path,
          readFileSync(path, 'utf8').replace(
            /"([0-9a-f]{22})([0-9a-f]{2})"/g,
            (_, start: string, end: string) => `"${end}${start}"`,
          ),
        )
      return [database(site)]
    },
  },
  {
    what: 'the indexes of another database of other runs',
    do: (site) => {
      for (const path of indexes(site))
        put(path, readFileSync(path, 'utf8').replace(/"(\d)(\/demo|")/g, '"7$1$2'))
      return [database(site)]
    },
  },
  {
    what: 'indexes that name more runs than there are',
    do: (site) => {
      for (const path of indexes(site)) put(path, readFileSync(path, 'utf8').replaceAll('"1/demo', '"9/demo'))
      return [database(site)]
    },
  },
  ...DB_FILES.flatMap((name): Deed[] => [
    {
      what: `random bytes under the name ${name}`,
      do: (site) => {
        writeFileSync(database(site, name), Buffer.from([...Array(3000).keys()].map((n) => (n * 197) % 251)))
        return [database(site, name)]
      },
    },
    {
      what: `an old index under the name ${name}`,
      do: (site) => {
        copyFileSync(site.site.path('yesterday', 'db', 'RunHistory', 'index.json'), database(site, name))
        utimesSync(database(site, name), LATER, LATER)
        return [database(site, name)]
      },
    },
    ...at(name, (site) => database(site, name), false).filter(({ what }) => !/socket|device/.test(what)),
  ]),
  ...[
    '0001.txt',
    '1.txt~',
    ' 1.txt',
    '１.txt',
    '1-update-0.txt',
    '1-update-01.txt',
    '1-update-999999999999999.txt',
    '999999999999999999999.txt',
    'x'.repeat(250),
  ].map((name): Deed => ({
    what: `a blob that is also called ${JSON.stringify(name)}`,
    goesOn: true,
    do: (site) => {
      const [from, to] = [blobOf(site, '1'), join(shard(site), name)]
      copyFileSync(from, to)
      copyFileSync(sumOf(from), sumOf(to))
      return [to]
    },
  })),
  {
    what: 'names that are no text, in every folder',
    goesOn: true,
    do: (site) => {
      for (const folder of [
        database(site),
        database(site, 'RunHistory'),
        site.site.path('archive'),
        shard(site),
        site.site.path('work'),
      ])
        for (const name of ['\xff\xfe.json', '\n.json', 'a\tb.txt', '..txt'])
          writeFileSync(Buffer.from(`${folder}/${name}`, 'latin1'), name)
      return []
    },
  },
  {
    what: 'all times in the future',
    goesOn: true,
    do: (site) => {
      for (const path of site.places.flatMap(filesBelow)) utimesSync(path, LATER, LATER)
      return []
    },
  },
  {
    what: 'all times at the beginning',
    goesOn: true,
    do: (site) => {
      for (const path of site.places.flatMap(filesBelow)) utimesSync(path, 0, 0)
      return []
    },
  },
  {
    what: 'a work_dir of another site, whose runs are far higher',
    do: (site) => {
      for (const stage of ['importer', 'migrator'])
        put(
          site.site.path('work', `${stage}_state.json`),
          '{\n  "last_contiguous_run": 70000,\n  "last_attempted_run": 70100\n}\n',
        )
      for (const stage of ['import', 'migrate'])
        writeFileSync(site.site.path('work', `${stage}_failures.log`), '70050\n999999999999999\n')
      const marks = ['.listings.json', '.proven.json', '.watched-records.json', '.migrator_in_hand']
      for (const name of marks) rmSync(site.site.path('work', name), { force: true })
      return []
    },
    goesOn: true,
  },
  {
    what: 'failure logs that name what is archived',
    goesOn: true,
    do: (site) => {
      for (const stage of ['import', 'migrate'])
        writeFileSync(site.site.path('work', `${stage}_failures.log`), '1\n2\n3\n4\n')
      return []
    },
  },
  {
    what: 'folders of the database in the archive, and of the archive in the database',
    do: (site) => {
      mkdirSync(database(site, '0-999'))
      copyFileSync(blobOf(site, '1'), database(site, '0-999', '1.txt'))
      mkdirSync(join(dirname(shard(site)), 'RunHistory'))
      copyFileSync(documentOf(site, 1, 'x'), join(dirname(shard(site)), 'RunHistory', `${STRANGE_OID}.json`))
      return []
    },
  },
]
