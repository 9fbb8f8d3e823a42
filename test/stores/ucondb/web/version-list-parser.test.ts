import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { versionsIn } from '../../../../src/stores/ucondb/web/version-list-parser.ts'

async function* inPieces(text: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < text.length; at += size) yield await Promise.resolve(text.subarray(at, at + size))
}
const read = async (text: string | Buffer, size = 7): Promise<unknown[]> => {
  const all: unknown[] = []
  for await (const batch of versionsIn(inPieces(Buffer.from(text), size))) all.push(...batch)
  return all
}
/** As Python prints it: with blanks after the separators. */
const python = (versions: readonly object[]): string =>
  JSON.stringify(versions, null, 1).replace(/\n\s*/g, ' ')

const version = fc.record({
  key: fc.option(
    fc.oneof(
      fc.nat().map(String),
      fc.string({ unit: 'binary' }),
      fc.constant('}, {"key"'),
      fc.constant('[]]}'),
    ),
  ),
  tr: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
  tags: fc.array(fc.oneof(fc.string(), fc.constant('}, {'), fc.constant('"}]'))),
})

describe('a listing that arrives in pieces', () => {
  it('is read as JSON.parse reads it, wherever it is cut into pieces, whatever stands in its texts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(version),
        fc.integer({ min: 1, max: 200 }),
        fc.boolean(),
        async (versions, size, blanks) => {
          const text = blanks ? python(versions) : JSON.stringify(versions)
          expect(await read(text, size)).toEqual(JSON.parse(text))
        },
      ),
    )
  })

  it(
    'does not take longer and longer over a tag of brackets: a second, not a minute',
    { timeout: 10_000 },
    async () => {
      const versions = [1, 2, 3].map((tr) => ({ key: `${tr}`, tr, tags: ['}'.repeat(100_000)] }))
      expect(await read(JSON.stringify(versions), 16_384)).toEqual(versions)
    },
  )

  it('is refused wherever it ends too early', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(version, { minLength: 1, maxLength: 4 }), fc.nat(), async (versions, at) => {
        const text = Buffer.from(python(versions))
        await expect(read(text.subarray(0, at % (text.length - 1)))).rejects.toThrow(SyntaxError)
      }),
    )
  })

  it.each([
    '',
    ' ',
    '{}',
    'null',
    '<html>',
    '[1]',
    '[null]',
    '[{"key": 1, "tr": 1}]',
    '[{"key": "1"}]',
    '[] []',
    '[]x',
    '[{"key": null, "tr": 1},]',
  ])('is refused when it is %j', async (text) => {
    await expect(read(text)).rejects.toThrow(SyntaxError)
  })

  it('is refused when it is not UTF-8', async () => {
    await expect(read(Buffer.from([0x5b, 0xc3, 0x28, 0x5d]))).rejects.toThrow('not UTF-8')
  })

  it.each(['[]', ' [ ] ', '[]\n'])('is empty when it is %j', async (text) => {
    expect(await read(text)).toEqual([])
  })
})
