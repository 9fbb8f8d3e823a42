import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { damagedForeignSite } from '../foreign-site.ts'
import { Site } from '../site.ts'

// artdaq keeps both values of a name that stands twice, and its export prints the second by the type of the first.
const TWO_KINDS = 'alpha: 1\nalpha: [1, 2]\n'

describe.each(['original', 'canonical'])(
  'a name with values of two kinds, and blobs that are %s',
  (content) => {
    let site: Site
    beforeAll(() => {
      site = new Site()
      const config = readFileSync(site.config, 'utf8')
      writeFileSync(site.config, config.replace('ucon_db:', `ucon_db:\n  blob_content: ${content}`))
      site.record(101, { files: { 'tpc01.fcl': TWO_KINDS } })
      site.record(102, { files: { 'settings.txt': 'a b: 1\na_b: [ 1, 2 ]\n' } })
      site.record(103)
    })
    afterAll(() => site.remove())

    it('is archived, and the import says what artdaq loses of it', () => {
      const { status, stdout, stderr } = site.archiver('--incremental')
      expect(stderr).not.toContain('ERROR')
      expect({ status, archived: site.archived() }).toEqual({ status: 0, archived: ['101', '102', '103'] })
      const said = `${stdout}${stderr}`
      expect(said).toMatch(/tpc01\.fcl: artdaq's tools lose a value of a repeated name: .*"alpha"/)
      expect(said).toMatch(/settings\.txt: .*"a_b"/)
    })
    it('is in the blob with both values', () => {
      expect(site.command('extract', '102', '--from', 'archive', '--to', site.path('out')).status).toBe(0)
      const lines = readFileSync(site.path('out', 'settings.fcl'), 'utf8').split('\n')
      const values = lines.map((line) => line.replaceAll(' ', '')).filter((line) => line !== '')
      expect(values).toEqual(['a_b:1', 'a_b:[1,2]'])
    })
    it('agrees with its record', () => {
      expect(site.command('verify')).toMatchObject({ status: 0 })
      expect(site.command('audit', '--deep')).toMatchObject({ status: 0 })
    })
  },
)

describe('a document of another program that cannot be printed', () => {
  let site: Site
  beforeAll(() => {
    site = damagedForeignSite()
    const folder = site.path('db', 'RunHistory')
    const paths = readdirSync(folder).map((name) => `${folder}/${name}`)
    const path = paths.find((one) => /"name" : "boot"[^]*"51003\//.test(readFileSync(one, 'utf8')))
    if (path === undefined) throw new Error('51003 has no boot document')
    writeFileSync(path, readFileSync(path, 'utf8').replace('"type" : "number"', '"type" : "sequence"'))
  })
  afterAll(() => site.remove())

  it('is a difference of its run, and the other runs are compared', () => {
    const { status, stdout } = site.command('verify')
    expect(status).toBe(1)
    expect(stdout).toMatch(/Run 51003:\n.*cannot be exported/)
    expect(stdout).toContain('51002')
    expect(stdout).toContain('3 with differences')
    const audited = site.command('audit', '--deep')
    expect(audited.stdout).toMatch(/VIOLATION: run 51003 is damaged: .*cannot be exported/)
  })
})
