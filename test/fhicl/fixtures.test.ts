import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readJson } from '../../src/fhicl/json/parser.ts'
import { writeJson } from '../../src/fhicl/json/printer.ts'
import { FhiclError } from '../../src/fhicl/error.ts'
import { fhiclFromJson } from '../../src/fhicl/from-json.ts'
import { parseFhicl } from '../../src/fhicl/parser.ts'
import { fhiclToJson, fhiclToJsonText } from '../../src/fhicl/to-json.ts'

/** A sample that lies in this repository, and what artdaq's own tools made, where it is here. */
const ROOTS = ['test/fixtures/fhicl', '../shared/fixtures/artdaqdb/fhicl'].map((path) => resolve(path))

const origin = { name: 'notprovided', stamp: '2017-07-18T12:48:10.123-0500' }
/** What importing a text and exporting it again gives; artdaq cannot import some of its own exports. */
const printedAgain = (fhicl: string): string | FhiclError => {
  try {
    return fhiclFromJson(fhiclToJson(parseFhicl(fhicl), origin))
  } catch (error) {
    if (error instanceof FhiclError) return error
    throw error
  }
}

describe.each(ROOTS)('the conversions in %s', (root) => {
  const isThere = existsSync(root)
  if (!isThere) console.warn(`SKIPPED: the conformance data are not at ${root}`)
  const casesOf = (kind: string): string[] => (isThere ? readdirSync(join(root, kind)) : ['absent'])
  const text = (...path: string[]): string => readFileSync(join(root, ...path), 'latin1')

  describe.skipIf(!isThere)('FHiCL that artdaq converted', () => {
    describe.each(casesOf('convert'))('%s', (name) => {
      it('becomes the same JSON, byte for byte', () => {
        const bytes = readFileSync(join(root, 'convert', name, 'in.fcl'))
        expect(fhiclToJsonText(parseFhicl(bytes), origin)).toBe(text('convert', name, 'expect.json'))
      })
      it('is exported as the same FHiCL, from the conversion and from the JSON that was read back', () => {
        const expected = text('convert', name, 'expect.fcl')
        const json = text('convert', name, 'expect.json')
        expect(printedAgain(text('convert', name, 'in.fcl'))).toBe(expected)
        expect(fhiclFromJson(readJson(json))).toBe(expected)
        expect(writeJson(readJson(json))).toBe(json)
      })
      it('comes back from its own export as artdaq brings it back', () => {
        const exported = text('convert', name, 'expect.fcl')
        if (exported === '') return
        const again = printedAgain(exported)
        if (!existsSync(join(root, 'convert', name, 'NOT_A_FIXPOINT'))) expect(again).toBe(exported)
        else expect(again).not.toBe(exported)
        if (existsSync(join(root, 'convert', name, 'expect2.fcl')))
          expect(again).toBe(text('convert', name, 'expect2.fcl'))
      })
    })
  })

  describe.skipIf(!isThere)('FHiCL that artdaq refused', () => {
    it.each(casesOf('reject'))('%s is refused with its place', (name) => {
      const bytes = readFileSync(join(root, 'reject', name, 'in.fcl'))
      expect(() => parseFhicl(bytes)).toThrow(FhiclError)
      expect(() => parseFhicl(bytes)).toThrow(/^line \d+, column \d+: /)
    })
  })

  describe.skipIf(!isThere)('JSON that artdaq exported as FHiCL', () => {
    it.each(casesOf('json2fcl'))('%s gives the same FHiCL', (name) => {
      expect(fhiclFromJson(readJson(text('json2fcl', name, 'in.json')))).toBe(
        text('json2fcl', name, 'expect.fcl'),
      )
    })
  })
})
