import { spawnSync } from 'node:child_process'
import { copyFileSync, linkSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  at,
  type Deed,
  documentOf,
  indexOf,
  oidOf,
  put,
  swapNames,
  swapText,
  updatesOf,
} from './adversary.ts'

export const ARTDAQDB: readonly Deed[] = [
  {
    what: 'two documents of one run exchanged in the index',
    do: (site) => {
      const [a, b] = [documentOf(site, 1, 'tpc01'), documentOf(site, 1, 'x')]
      const text = readFileSync(indexOf(site, 'RunHistory'), 'utf8')
      const at = text.indexOf('"entities.name"')
      const end = text.indexOf('"aliases.active.name"')
      const part = text
        .slice(at, end)
        .replaceAll(oidOf(a), '\0')
        .replaceAll(oidOf(b), oidOf(a))
        .replaceAll('\0', oidOf(b))
      put(indexOf(site, 'RunHistory'), text.slice(0, at) + part + text.slice(end))
      return [a, b]
    },
  },
  {
    what: 'documents of two runs exchanged in the whole index',
    do: (site) => {
      const [a, b] = [documentOf(site, 1, 'x'), documentOf(site, 4, 'x')]
      swapText(indexOf(site, 'RunHistory'), oidOf(a), oidOf(b))
      return [a, b]
    },
  },
  {
    what: 'documents of two runs exchanged, with their names',
    do: (site) => {
      const [a, b] = [documentOf(site, 1, 'x'), documentOf(site, 4, 'x')]
      swapNames(a, b)
      return [a, b]
    },
  },
  {
    what: 'the manifest of another run copied whole',
    do: (site) => {
      const [a, b] = [documentOf(site, 1, 'schema'), documentOf(site, 4, 'schema')]
      copyFileSync(b, a)
      return [a]
    },
  },
  {
    what: 'the manifest of another run in its place, under its name in the index',
    do: (site) => {
      const [a, b] = [documentOf(site, 1, 'schema'), documentOf(site, 4, 'schema')]
      swapText(indexOf(site, 'SystemLayout'), oidOf(a), oidOf(b))
      return [a, b]
    },
  },
  {
    what: 'the schema of a run before its update in the place of the newer one',
    do: (site) => {
      const [a, b] = [documentOf(site, 3, 'schema'), documentOf(site, 3, 'schema', 'first')]
      copyFileSync(b, a)
      return [a]
    },
  },
  {
    what: 'the schema of the update in the place of the first one',
    do: (site) => {
      const [a, b] = [documentOf(site, 3, 'schema', 'first'), documentOf(site, 3, 'schema')]
      copyFileSync(b, a)
      return [a, b]
    },
  },
  {
    what: 'a document that is a hard link to that of another run',
    do: (site) => {
      const [a, b] = [documentOf(site, 1, 'tpc01'), documentOf(site, 4, 'tpc01')]
      rmSync(a)
      linkSync(b, a)
      return [a]
    },
  },
  {
    what: 'a document that is a link to that of another run',
    do: (site) => {
      const [a, b] = [documentOf(site, 1, 'tpc01'), documentOf(site, 4, 'tpc01')]
      rmSync(a)
      symlinkSync(b, a)
      return [a]
    },
  },
  {
    what: 'a document whose name is in capitals',
    do: (site) => {
      const a = documentOf(site, 1, 'tpc01')
      renameSync(a, join(dirname(a), oidOf(a).toUpperCase() + '.JSON'))
      return [a]
    },
  },
  {
    what: 'a collection whose name is in small letters',
    do: (site) => {
      renameSync(site.site.path('db', 'RunHistory'), site.site.path('db', 'runhistory'))
      return [site.site.path('db', 'RunHistory')]
    },
  },
  {
    what: 'a collection that is there twice',
    do: (site) => {
      spawnSync('cp', ['-a', site.site.path('db', 'RunHistory'), site.site.path('db', 'RunHistory2')])
      return [site.site.path('db', 'RunHistory2')]
    },
  },
  {
    what: 'the database as it was before two updates of a run',
    restores: true,
    do: (site) => {
      site.restore('db')
      return [site.site.path('db')]
    },
  },
  {
    what: 'two updates of a run gone, and still in the indexes',
    restores: true,
    do: (site) => {
      const gone = updatesOf(site, 3)
      gone.forEach((path) => rmSync(path))
      return gone
    },
  },
  {
    what: 'two updates of a run gone, and the indexes',
    restores: true,
    do: (site) => {
      const gone = updatesOf(site, 3)
      gone.forEach((path) => rmSync(path))
      site.loseIndexes()
      return gone
    },
  },
  {
    what: 'two updates of a run gone, and the indexes as they were before them',
    restores: true,
    do: (site) => {
      const gone = updatesOf(site, 3)
      gone.forEach((path) => rmSync(path))
      for (const name of ['RunHistory', 'SystemLayout'])
        copyFileSync(site.site.path('yesterday', 'db', name, 'index.json'), indexOf(site, name))
      return gone
    },
  },
  {
    what: 'the manifests of two updates exchanged',
    do: (site) => {
      const [older, newer] = updatesOf(site, 3).filter((path) => path.includes('/SystemLayout/'))
      swapNames(older!, newer!)
      return [older!, newer!]
    },
  },
  {
    what: 'one collection as it was yesterday',
    restores: true,
    do: (site) => {
      rmSync(site.site.path('db', 'SystemLayout'), { recursive: true })
      spawnSync('cp', [
        '-a',
        site.site.path('yesterday', 'db', 'SystemLayout'),
        site.site.path('db', 'SystemLayout'),
      ])
      return [site.site.path('db')]
    },
  },
  {
    what: 'the other collection as it was yesterday',
    restores: true,
    do: (site) => {
      rmSync(site.site.path('db', 'RunHistory'), { recursive: true })
      spawnSync('cp', [
        '-a',
        site.site.path('yesterday', 'db', 'RunHistory'),
        site.site.path('db', 'RunHistory'),
      ])
      return [site.site.path('db')]
    },
  },
  {
    what: 'the indexes as they were yesterday',
    restores: true,
    do: (site) => {
      for (const name of ['RunHistory', 'SystemLayout'])
        copyFileSync(site.site.path('yesterday', 'db', name, 'index.json'), indexOf(site, name))
      return [site.site.path('db')]
    },
  },
  {
    what: 'one index as it was yesterday',
    restores: true,
    do: (site) => {
      copyFileSync(
        site.site.path('yesterday', 'db', 'SystemLayout', 'index.json'),
        indexOf(site, 'SystemLayout'),
      )
      return [site.site.path('db')]
    },
  },
  {
    what: 'the indexes of two collections exchanged',
    do: (site) => {
      swapNames(indexOf(site, 'RunHistory'), indexOf(site, 'SystemLayout'))
      return [site.site.path('db')]
    },
  },
  ...at('a document', (site) => documentOf(site, 1, 'tpc01')),
  ...at('a schema', (site) => documentOf(site, 1, 'schema')),
  ...at('an index', (site) => indexOf(site, 'RunHistory'), false),
  ...at('the index of the schemas', (site) => indexOf(site, 'SystemLayout'), false),
  ...at('a file beside the documents', (site) =>
    site.site.path('db', 'RunHistory', `${'f'.repeat(24)}.json`),
  ),
  ...at('a collection', (site) => site.site.path('db', 'RunHistory'), false),
]
