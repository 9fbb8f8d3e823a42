import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { boundedLines, readEnd, readInput } from '../../src/platform/input.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archiver-input.'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})
const file = (content: Buffer): string => {
  writeFileSync(join(folder, 'input'), content)
  return join(folder, 'input')
}

describe('input of any length', () => {
  it('is read whole up to what is asked for, and no further', async () => {
    const content = Buffer.alloc(200_000, 'ab')
    expect(content.equals((await readInput(file(content), 200_000)) as Buffer)).toBe(true)
    expect(await readInput(file(content), 199_999)).toBe('large')
    expect(await readInput('/dev/zero', 1_000_000)).toBe('large')
    await expect(readInput(join(folder, 'nothing'), 9)).rejects.toMatchObject({ code: 'ENOENT' })
  })
  it('gives its end', async () => {
    const content = Buffer.from(Array.from({ length: 100_000 }, (_, n) => `line ${n}\n`).join(''))
    expect((await readEnd(file(content), 20)).toString()).toBe(
      'e 99998\nline 99999\n'.padStart(20, 'n').slice(-20),
    )
    expect(content.equals(await readEnd(file(content), 10_000_000))).toBe(true)
    expect(await readEnd(file(Buffer.alloc(0)), 10)).toEqual(Buffer.alloc(0))
  })
})

const linesOf = async (pieces: readonly Buffer[], most: number): Promise<(string | undefined)[]> => {
  const lines: (string | undefined)[] = []
  const stream = async function* () {
    yield* await Promise.resolve(pieces)
  }
  for await (const line of boundedLines(stream(), most)) lines.push(line)
  return lines
}

describe('lines of a stream', () => {
  it('are the same however the stream is cut, but for those that are too long', async () => {
    const text = fc.array(fc.oneof(fc.constant('\n'), fc.constant('\r\n'), fc.constant('é'), fc.string()))
    const property = fc.asyncProperty(text, fc.array(fc.nat(5), { minLength: 1 }), async (parts, sizes) => {
      const whole = Buffer.from(parts.join(''))
      const pieces: Buffer[] = []
      for (let at = 0, n = 0; at < whole.length; n++) {
        const size = (sizes[n % sizes.length] ?? 0) + 1
        pieces.push(whole.subarray(at, at + size))
        at += size
      }
      const expected = whole.toString('utf8').split('\n')
      if (expected.at(-1) === '') expected.pop()
      const most = 12
      expect(await linesOf(pieces, most)).toEqual(
        expected.map((line) => (Buffer.byteLength(line) > most ? undefined : line.replace(/\r$/, ''))),
      )
    })
    await fc.assert(property, { numRuns: 500 })
  })
  it('take no more memory than they may, where one never ends', async () => {
    const piece = Buffer.alloc(1_000_000, 'x')
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    const stream = async function* () {
      for (let n = 0; n < 1000; n++) {
        yield await Promise.resolve(Buffer.from(piece))
        most = Math.max(most, process.memoryUsage().arrayBuffers)
      }
    }
    for await (const line of boundedLines(stream(), 2_000_000)) expect(line).toBeUndefined()
    expect(most).toBeGreaterThan(before)
    expect(most - before).toBeLessThan(500_000_000)
  })
})
