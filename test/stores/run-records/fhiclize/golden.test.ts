import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { blobOf, sameRecord } from '../../../../src/stores/ucondb/blob/blob.ts'
import { toDocuments } from '../../../../src/stores/run-records/fhiclize/fhiclize.ts'
import { isFhicl } from '../../../../src/fhicl/try-parse.ts'
import { documentOf, options, recordOf } from './record.ts'

/** A sample that lies in this repository, and what the Python original made, where it is here. */
const ROOTS = ['test/fixtures/run-records', '../shared/fixtures/run-records'].map((path) => resolve(path))
for (const root of ROOTS)
  if (!existsSync(root)) console.warn(`SKIPPED: the golden pairs of the Python original are not at ${root}`)
const records = ROOTS.filter((root) => existsSync(root)).flatMap((root) =>
  readdirSync(join(root, 'inputs')).map((run) => ({ root, run })),
)

/** Documents that the original writes as valid FHiCL and wrongly: each with the defect and the text that it must have. */
const WRONG: Record<string, { readonly defect: string; readonly right: string }> = {
  '41001/settings': {
    defect: 'the - of a list item is lost',
    right: 'package_hashes_to_save: [ "det-artdaq", "det-core" ]',
  },
  '41010/metadata': {
    defect: 'a list at the end of the file is lost',
    right: 'routingmanager_logfiles: ["node2:/var/log/daq/rm1.log"]',
  },
  '41055/ranks': {
    defect: 'rows without an allowed host shift',
    right: '  rank0: ["localhost", "5205", "xara01", "0"]',
  },
}

const filesIn = (directory: string): Record<string, Buffer> =>
  Object.fromEntries(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]))

const goldenOf = (root: string, run: string): Record<string, Buffer> => {
  const archive = join(root, 'prepared', run, 'archive')
  const update = join(root, 'prepared', run, 'update')
  return { ...filesIn(archive), ...(existsSync(update) ? filesIn(update) : {}) }
}

describe.each(records)('the golden record $run', ({ root, run }) => {
  const golden = goldenOf(root, run)
  const record = recordOf(filesIn(join(root, 'inputs', run)), Number(run))
  const converted = toDocuments(record, { ...options, schema: golden['schema.fcl']! })
  const names = Object.keys(golden).filter((name) => name.endsWith('.fcl'))
  const isRight = (name: string): boolean =>
    isFhicl(golden[name]!.toString()) && !(`${run}/${name.slice(0, -4)}` in WRONG)

  it.each(names.filter(isRight))('has %s as the original made it, byte for byte', (name) => {
    const document = documentOf(converted, name.slice(0, -4))
    expect(document.text.toString()).toBe(golden[name]!.toString())
    expect(document.fhicl).toBe(golden[name]!.toString())
  })
  it.each(names)('has %s as FHiCL that artdaq takes', (name) => {
    const { fhicl } = documentOf(converted, name.slice(0, -4))
    expect(isFhicl(fhicl)).toBe(true)
    expect(fhicl).not.toBe('')
  })
  it.each(Object.keys(WRONG).filter((name) => name.startsWith(run)))(
    'has %s right where the original is wrong',
    (name) => {
      expect(documentOf(converted, name.slice(6)).fhicl.split('\n')).toContain(WRONG[name]!.right)
    },
  )
  it('has every file of the record in a document or attached, once', () => {
    const kept = [...converted.documents.flatMap(({ original }) => original ?? []), ...converted.attached]
    expect(kept.map(({ name }) => name).sort()).toEqual(record.files.map(({ name }) => name).sort())
  })
  it('gives the same blob, apart from the times, where all of its documents are equal', () => {
    const documents = converted.documents.map((document) => ({
      ...document,
      canonical: () => document.fhicl,
    }))
    const blob = blobOf({ ...converted, documents, update: 0 }, { content: 'original', otherFiles: false }, 0)
    const isEqual = names.every((name) => golden[name]!.equals(documentOf(converted, name.slice(0, -4)).text))
    const isComplete = converted.documents.length === names.length
    expect(sameRecord(blob, readFileSync(join(root, 'blobs', `${run}.txt`)))).toBe(isEqual && isComplete)
  })
})

describe('the configuration names of the golden records', () => {
  it.each(records)('of $run is the original’s where that is safe', ({ root, run }) => {
    const result = JSON.parse(readFileSync(join(root, 'prepared', run, 'result.json'), 'utf8')) as {
      config_name: string
    }
    const { configName } = toDocuments(recordOf(filesIn(join(root, 'inputs', run)), Number(run)), options)
    if (/^\w+$/.test(result.config_name)) expect(configName).toBe(result.config_name)
    else expect(configName).toMatch(/^[A-Za-z0-9_.+-]+$/)
  })
})
