import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { RunSet } from '../../src/common/run-set.ts'
import { runLengths, runMap } from '../../src/web/runs/run-map.ts'

const KB = 1000
const zipped = (bytes: Uint8Array | string): number => gzipSync(bytes).length / KB
const filesOf = (kind: RegExp): number =>
  readdirSync('dist/web')
    .filter((name) => kind.test(name))
    .reduce((sum, name) => sum + zipped(readFileSync(join('dist/web', name))), 0)

/** A number that is the same for a run each time, and without a pattern that would compress. */
const scattered = (run: number): number => {
  const mixed = Math.imul(run ^ (run >>> 15), 0x2c1b3c6d)
  return (Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39) ^ (mixed >>> 15)) >>> 0
}

describe('what a page loads', () => {
  it.each([
    ['scripts', /\.js$/, 40],
    ['styles', /\.css$/, 12],
    ['fonts', /\.woff2$/, 60],
  ])('%s: compressed, %s are at most %i kB', (_what, kind, most) => {
    const size = filesOf(kind)
    expect(size).toBeGreaterThan(1)
    expect(size).toBeLessThanOrEqual(most)
  })

  it('the map of a million runs, of which 1.2 % were never taken and 0.04 % failed, in 30 kB', () => {
    const numbers = Array.from({ length: 1_000_000 }, (_, i) => i + 1)
    const records = RunSet.of(numbers.filter((run) => scattered(run) % 1000 >= 12))
    const failed = RunSet.of([...records].filter((run) => scattered(run + 7) % 10_000 < 4))
    const archive = records.upTo(999_900).minus(failed)
    const map = runMap({ records, artdaq: archive, archive, failed, waiting: RunSet.EMPTY })
    const lengths = runLengths(map)
    expect(lengths.length).toBeGreaterThan(20_000)
    expect(zipped(JSON.stringify(lengths))).toBeLessThan(30)
  })
})
