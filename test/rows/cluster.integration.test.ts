import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FORCEABLE } from '../../src/rows/preflight/problem.ts'
import { freePort, type Mariadb, startMariadb } from './mariadb.ts'
import { range, Site } from './servers.ts'

const galera = ['/usr/lib/galera/libgalera_smm.so', '/usr/lib64/galera-4/libgalera_smm.so'].find((path) =>
  existsSync(path),
)
const HISTORY = '7b4f1aeb-eb55-11f1-9ef3-07194664d16c'

/** A node by itself that has the history of a cluster: it answers what a node of that cluster would. */
const startNode = async (): Promise<Mariadb | undefined> => {
  const home = mkdtempSync(join(tmpdir(), 'archiver-galera-'))
  afterAll(() => rmSync(home, { recursive: true, force: true }))
  writeFileSync(
    join(home, 'grastate.dat'),
    `# GALERA saved state\nversion: 2.1\nuuid: ${HISTORY}\nseqno: 1\nsafe_to_bootstrap: 1\n`,
  )
  const [listens, receives] = [await freePort(), await freePort()]
  return startMariadb(
    '--wsrep-on=ON',
    `--wsrep-provider=${galera ?? ''}`,
    `--wsrep-data-home-dir=${home}`,
    '--wsrep-cluster-address=gcomm://',
    `--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:${listens};ist.recv_addr=127.0.0.1:${receives};gcache.size=8M`,
    '--wsrep-node-address=127.0.0.1',
    '--binlog-format=ROW',
    '--innodb-autoinc-lock-mode=2',
  )
}

const [one, two] = galera === undefined ? [] : await Promise.all([startNode(), startNode()])
if (!one || !two) console.warn('SKIPPED: Galera is not installed: nodes of one cluster are not tried')

describe.skipIf(!one || !two)('two nodes of one cluster', () => {
  it('are refused as source and archive: a lock of one is not seen by the other', async () => {
    const site = await Site.make('mysql', one?.url)
    const other = await Site.make('mysql', two?.url)
    try {
      await site.fill(20)
      await other.fill(20)
      site.file('ids.csv', range(1, 20))
      const at = (url: string) => ({ url, password: undefined, timeout: 10_000 })
      const places = { source: at(site.url), archive: at(other.url), log: undefined }
      await expect(site.move({ places, archiveTable: 'r', forced: new Set(FORCEABLE) })).rejects.toThrow(
        /are nodes of one cluster \(7b4f1aeb/,
      )
      expect(await site.count('r')).toBe(20)
    } finally {
      await site.drop()
      await other.drop()
    }
  })
})
