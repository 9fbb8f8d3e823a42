import { describe, expect, it } from 'vitest'
import { isAlike } from '../../../../src/stores/artdaqdb/write/put-plan.ts'
import type { Stored } from '../../../../src/stores/artdaqdb/format/document-reader.ts'

describe('a document whose attachments are larger together than any string can be', () => {
  const part = 'x'.repeat(4 << 20)
  const attachments = Array.from({ length: 140 }, (_, number) => ({ part: number, content: part }))
  const document = { content: 'c', rawdata: ['text utf8 - -\nx'], attachments }
  const storedWith = (given: unknown): Stored =>
    ({ ...document, originals: { text: Buffer.from('x') }, attachments: given }) as unknown as Stored

  it('is compared part by part', () => {
    expect(isAlike(document, storedWith(attachments.map((one) => ({ ...one }))))).toBe(true)
    expect(isAlike(document, storedWith(attachments.slice(1)))).toBe(false)
    expect(isAlike(document, storedWith(attachments.with(3, { part: 3, content: `${part}y` })))).toBe(false)
  })
})
