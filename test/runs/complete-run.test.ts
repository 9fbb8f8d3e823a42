import { describe, expect, it } from 'vitest'
import { ArchiverError } from '../../src/errors.ts'
import { asArchived } from '../../src/runs/complete-run.ts'
import type { RunDocument } from '../../src/stores/run-record.ts'
import { packBlob } from '../../src/stores/ucondb/blob/blob.ts'
import { canonicalOf } from '../../src/stores/artdaqdb/format/canonical-export.ts'

const OURS = 'debug_level: 1\n'
const THEIRS = 'debug_level: 1\nsubsystem: "x"\n'

const boot: RunDocument = {
  collection: 'RunHistory',
  entity: 'boot',
  fhicl: OURS,
  text: Buffer.from(OURS),
  original: { name: 'boot.txt', mode: 0o644, content: Buffer.from('debug level: 1\n') },
  originalForm: () => THEIRS,
}

const asked = (get: () => Promise<Buffer>) => asArchived({ get }, 12001, [boot], new AbortController().signal)

const holding = (...sections: readonly (readonly [name: string, fhicl: string])[]) => {
  const parts = sections.map(([name, fhicl]) => ({ name, content: Buffer.from(canonicalOf(fhicl)) }))
  return asked(() => Promise.resolve(packBlob(12001, parts, 0)))
}

const failing = (code: 'NOT_FOUND' | 'STORE_UNAVAILABLE' | 'STORE_CORRUPT') =>
  asked(() => Promise.reject(new ArchiverError(code, 'so it is')))

describe("a document that another program's run lacks", () => {
  it.each([
    { form: 'ours', fhicl: OURS },
    { form: "the Python original's", fhicl: THEIRS },
  ])('is written in the form that the archive has: $form', async ({ fhicl }) => {
    const { documents, note } = await holding(['boot.fcl', fhicl])
    expect(documents.map((one) => one.fhicl)).toEqual([fhicl])
    expect(note).toContain('boot was lost after the run was archived')
  })

  it('is a conflict, by name, where the archive has another', async () => {
    await expect(holding(['boot.fcl', 'debug_level: 2\n'])).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('boot.fcl is another there') as string,
    })
  })

  it('is a conflict, by name, where the run was archived without it', async () => {
    await expect(holding(['setup.fcl', OURS])).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('boot.fcl is not there') as string,
    })
  })

  it('is what its record gives, where the run is not archived', async () => {
    expect(await failing('NOT_FOUND')).toMatchObject({ documents: [boot], note: expect.stringContaining('lacked boot') as string }) // prettier-ignore
  })

  it('waits while the archive is away, and new runs do not', async () => {
    await expect(failing('STORE_UNAVAILABLE')).rejects.toMatchObject({ code: 'RECORD_CHANGING' })
  })

  it('is not written where the blob is damaged', async () => {
    await expect(failing('STORE_CORRUPT')).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })
})
