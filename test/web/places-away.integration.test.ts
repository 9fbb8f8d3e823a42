import { renameSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'
import { Served } from './served.ts'

/** A listing of the places is kept for five seconds. */
const LISTED_AGAIN = 30_000
const site = new Site()
const served = new Served(site.config)

beforeAll(async () => {
  for (const run of [1, 2, 3]) site.record(run)
  if (site.archiver().status !== 0) throw new Error('the runs were not archived')
  await served.start()
}, 60_000)
afterAll(async () => {
  await served.remove()
  site.remove()
})

const text = async (path: string, of = served): Promise<string> => {
  const { text: html } = await of.send('GET', path)
  return html.replace(/<[^>]*>/g, '').replaceAll('\u00a0', ' ')
}

describe('an archive that goes away while the page is open', () => {
  it('is shown as it was, and the first sentence says so', async () => {
    expect(await text('/')).toContain('Every run taken is archived, up to 3.')
    renameSync(site.path('archive'), site.path('elsewhere'))
    await expect
      .poll(() => text('/'), { timeout: LISTED_AGAIN })
      .toMatch(
        /Every run taken is archived, up to 3\. None failed.*Cannot read UconDB: shown as at \d\d:\d\d\./,
      )
    expect(await text('/runs')).toMatch(/3 of 3 runs taken are archived.*Cannot read UconDB: shown as at/)
    expect(await text('/runs/2')).toContain('The archive holds it.')
  }, 60_000)

  it('is not known to a page that begins then, which claims nothing of it', async () => {
    const later = new Served(site.config)
    try {
      await later.start()
      for (const path of ['/', '/runs'])
        expect(await text(path, later)).toContain('Cannot read UconDB: how far the archive is, is not known.')
      expect(await text('/', later)).not.toMatch(/not archived|on their way\.|No run has been taken/)
      expect(await text('/runs/2', later)).toContain('Cannot read UconDB: where this run is, is not known.')
    } finally {
      await later.remove()
    }
  }, 60_000)

  it('is shown as it is when it is back', async () => {
    renameSync(site.path('elsewhere'), site.path('archive'))
    await expect.poll(() => text('/'), { timeout: LISTED_AGAIN }).not.toContain('Cannot read')
  }, 60_000)
})
