import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { recordFiles, writeOriginal } from '../original.ts'
import { type Result, Site } from '../site.ts'

const closing: (() => unknown)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const RUNS = [12001]

/** A site whose database the Python original wrote, of which each run is archived. */
const archivedSite = (): Site => {
  const site = new Site()
  closing.push(() => site.remove())
  for (const run of RUNS) site.record(run, { files: recordFiles(run) })
  writeOriginal(site.path('db'), RUNS, 'tools')
  const first = site.archiver('--incremental')
  expect(first.status, textOf(first)).toBe(0)
  return site
}

const textOf = ({ stdout, stderr }: Result): string => stdout + stderr

/** The files of a run's document in the collection of documents. */
const documentsOf = (site: Site, run: number, entity: string): readonly string[] =>
  readdirSync(site.path('db', 'RunHistory'))
    .filter((name) => name !== 'index.json')
    .map((name) => site.path('db', 'RunHistory', name))
    .filter((path) => {
      const text = readFileSync(path, 'utf8')
      return text.includes(`"name" : "${entity}"`) && text.includes(`"${run}/`)
    })

const lose = (site: Site, run: number, entity: string): void => {
  const files = documentsOf(site, run, entity)
  expect(files).toHaveLength(1)
  for (const file of files) rmSync(file)
}

describe("a document of another program's run, lost after the run was archived", () => {
  it.each(['boot', 'settings', 'metadata'])(
    'is written again as the archive has it, and the log names the loss: %s',
    (entity) => {
      const site = archivedSite()
      lose(site, 12001, entity)
      const pass = site.archiver()
      expect(pass.status, textOf(pass)).toBe(0)
      expect(textOf(pass)).toMatch(new RegExp(`Run 12001\\].* ${entity} was lost`))
      const verified = site.command('verify')
      expect(verified.status, textOf(verified)).toBe(0)
      expect(site.command('artdaq check').status).toBe(0)
    },
  )

  it('is a conflict where its record says something else by now: nothing is written', () => {
    const site = archivedSite()
    lose(site, 12001, 'boot')
    site.record(12001, { files: { ...recordFiles(12001), 'boot.txt': 'debug level: 9\n' } })
    const pass = site.archiver()
    expect(pass.status, textOf(pass)).toBe(1)
    expect(textOf(pass)).toMatch(/lacks boot in artdaqDB.*boot\.fcl is another there/)
    expect(documentsOf(site, 12001, 'boot')).toEqual([])
    expect(site.failures('import')).toBe('12001\n')
  })

  it("is a conflict where it was the site's schema, which no record gives", () => {
    const site = archivedSite()
    const lost = readdirSync(site.path('db', 'SystemLayout')).filter((name) => name !== 'index.json')
    for (const name of lost) rmSync(site.path('db', 'SystemLayout', name))
    const pass = site.archiver()
    expect(pass.status, textOf(pass)).toBe(1)
    expect(textOf(pass)).toMatch(/lacks schema in artdaqDB.*schema\.fcl is another there/)
    expect(readdirSync(site.path('db', 'SystemLayout'))).toEqual(['index.json'])
  })

  it('is a conflict where the index has forgotten the document, too', () => {
    const site = archivedSite()
    lose(site, 12001, 'boot')
    site.command('artdaq repair')
    site.record(12001, { files: { ...recordFiles(12001), 'boot.txt': 'debug level: 9\n' } })
    rmSync(site.path('work', '.compared-foreign.json'), { force: true })
    const pass = site.archiver()
    expect(pass.status, textOf(pass)).toBe(1)
    expect(textOf(pass)).toMatch(/lacks boot in artdaqDB.*boot\.fcl is another there/)
    expect(documentsOf(site, 12001, 'boot')).toEqual([])
  })
})
