import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { WatchList } from '../../src/state/recheck-list.ts'
import { temporaryFolder } from './temporary-folder.ts'

const folder = temporaryFolder()
const path = (): string => folder.in('.watched.json')
const read = () => new WatchList(path()).read()

describe('a list of watched records', () => {
  it('is read as it was written', async () => {
    const runs = new Map([[7, { signature: 'a', ended: false, archivedAt: 1000 }]])
    await new WatchList(path()).write(runs)
    expect(await read()).toEqual(runs)
  })
  it.each(
    [
      '{"version":1}',
      '{"version":1,"runs":{}}',
      '{"version":1,"runs":[[7]]}',
      '{"version":1,"runs":[[7,null]]}',
      '{"version":1,"runs":[["7",{"signature":"a","ended":false,"archivedAt":1}]]}',
      '{"version":1,"runs":[[7,{"signature":"a","archivedAt":1}]]}',
      'null',
      '',
    ].map((text) => ({ text })),
  )(
    'that holds $text is had again from the manifests: it is never read as a list of nothing',
    async ({ text }) => {
      await writeFile(path(), text)
      expect(await read()).toBeUndefined()
    },
  )
})
