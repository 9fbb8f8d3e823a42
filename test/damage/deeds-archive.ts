import { spawnSync } from 'node:child_process'
import { copyFileSync, linkSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { checksumOf, formatChecksum } from '../../src/stores/ucondb/checksum-file.ts'
import { at, blobOf, type Deed, put, sumOf, swapNames } from './adversary.ts'

export const ARCHIVE: readonly Deed[] = [
  {
    what: 'an update replaced by the blob before it, without its checksum',
    do: (site) => {
      put(blobOf(site, '3-update-2'), readFileSync(blobOf(site, '3-update-1')))
      return [blobOf(site, '3-update-2')]
    },
  },
  {
    what: 'the blobs of a run and of its update exchanged, with their checksums',
    do: (site) => {
      const [a, b] = [blobOf(site, '3'), blobOf(site, '3-update-2')]
      swapNames(a, b)
      swapNames(sumOf(a), sumOf(b))
      return [a, b]
    },
  },
  {
    what: 'the blobs of two runs exchanged, with checksums that fit',
    do: (site) => {
      const [a, b] = [blobOf(site, '1'), blobOf(site, '4')]
      swapNames(a, b)
      for (const one of [a, b])
        put(sumOf(one), formatChecksum(checksumOf(readFileSync(one), basename(one), Date.now())))
      return [a, b]
    },
  },
  {
    what: 'an update under a later number',
    do: (site) => {
      const [a, b] = [blobOf(site, '3-update-2'), blobOf(site, '3-update-3')]
      renameSync(a, b)
      renameSync(sumOf(a), sumOf(b))
      return [a, b]
    },
  },
  {
    what: 'the blobs of two updates exchanged, with checksums that fit',
    forges: true,
    do: (site) => {
      const [a, b] = [blobOf(site, '3-update-1'), blobOf(site, '3-update-2')]
      swapNames(a, b)
      for (const one of [a, b])
        put(sumOf(one), formatChecksum(checksumOf(readFileSync(one), basename(one), Date.now())))
      return [a, b]
    },
  },
  {
    what: 'two updates gone',
    restores: true,
    do: (site) => {
      const gone = [blobOf(site, '3-update-1'), blobOf(site, '3-update-2')]
      for (const one of gone.flatMap((blob) => [blob, sumOf(blob)])) rmSync(one)
      return gone
    },
  },
  {
    what: 'an update of a run under another run',
    do: (site) => {
      const [a, b] = [blobOf(site, '3-update-1'), blobOf(site, '1-update-1')]
      copyFileSync(a, b)
      copyFileSync(sumOf(a), sumOf(b))
      return [b]
    },
  },
  {
    what: 'a blob that is a hard link to another',
    do: (site) => {
      const [a, b] = [blobOf(site, '1'), blobOf(site, '4')]
      rmSync(a)
      linkSync(b, a)
      return [a]
    },
  },
  {
    what: 'a blob whose name is in capitals',
    do: (site) => {
      renameSync(blobOf(site, '1'), blobOf(site, '1').replace(/txt$/, 'TXT'))
      return [blobOf(site, '1')]
    },
  },
  {
    what: 'a blob that was compressed in its place',
    do: (site) => {
      spawnSync('gzip', ['-f', blobOf(site, '1')])
      renameSync(`${blobOf(site, '1')}.gz`, blobOf(site, '1'))
      return [blobOf(site, '1')]
    },
  },
  {
    what: 'an archive as it was yesterday',
    restores: true,
    do: (site) => {
      site.restore('archive')
      return [site.site.path('archive')]
    },
  },
  {
    what: 'a folder under another name',
    do: (site) => {
      renameSync(dirname(blobOf(site, '1')), join(dirname(dirname(blobOf(site, '1'))), '1000-1999'))
      return [dirname(blobOf(site, '1'))]
    },
  },
  {
    what: 'a folder that is there twice',
    do: (site) => {
      spawnSync('cp', [
        '-a',
        dirname(blobOf(site, '1')),
        join(dirname(dirname(blobOf(site, '1'))), '1000-1999'),
      ])
      return []
    },
  },
  ...at('a blob', (site) => blobOf(site, '1')),
  ...at('a checksum file', (site) => sumOf(blobOf(site, '1'))),
  ...at('the blob of an update', (site) => blobOf(site, '3-update-1')),
  ...at('the blob of the newest update', (site) => blobOf(site, '3-update-2')),
  ...at('the blob of the run that comes', (site) => blobOf(site, '9'), false),
  ...at('a blob of no run', (site) => blobOf(site, 'readme')),
  ...at('a folder of another thousand', (site) => join(dirname(dirname(blobOf(site, '1'))), '1000-1999')),
  ...at('the marker', (site) => site.site.path('archive', 'run-record-archive.json'), false),
  ...at('a shard', (site) => dirname(blobOf(site, '1')), false),
]

export const WORK_DIR: readonly Deed[] = [
  {
    what: 'a work_dir as it was yesterday',
    restores: true,
    goesOn: true,
    do: (site) => {
      site.restore('work')
      return []
    },
  },
  {
    what: 'all places as they were yesterday, but the archive',
    restores: true,
    do: (site) => {
      site.restore('work')
      site.restore('db')
      return []
    },
  },
  {
    what: 'all places as they were yesterday, but the database',
    restores: true,
    do: (site) => {
      site.restore('work')
      site.restore('archive')
      return []
    },
  },
  ...[
    'importer_state.json',
    'migrator_state.json',
    'import_failures.log',
    'migrate_failures.log',
    '.proven.json',
    '.listings.json',
    '.watched-records.json',
    '.migrator_in_hand',
    '.compared-foreign.json',
    '.archiver.flock',
    '.archiver.lock',
    '.archiver.owner.json',
    'ledger.db',
    'last-success.txt',
    'waiting-since.txt',
    '.idle-stamp',
    'ledger-spool.jsonl',
    'ledger-idle.txt',
    'ledger-running',
    'alerts.json',
  ].flatMap((name) => at(name, (site) => site.site.path('work', name), false)),
]
