import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

/** Bytes of V8's new space after a hundred megabytes of objects, of which each is held for a while. */
const newSpaceAfterWork = (first: string): number => {
  const work = `
    ${first}
    setTimeout(() => {
      let held = []
      for (let i = 0; i < 40; i++) held = [held.slice(-2), Array.from({ length: 60_000 }, () => ({}))]
      const spaces = require('node:v8').getHeapSpaceStatistics()
      console.log(spaces.find(({ space_name: name }) => name === 'new_space').space_size)
    }, 2500)`
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', work], { encoding: 'utf8' })
  expect(stderr).toBe('')
  return Number(stdout)
}

describe('the new space of a page that is open for months', () => {
  it('grows once, and stays small however much is read', () => {
    const size = newSpaceAfterWork(`require(${JSON.stringify(resolve('src/small-heap.cjs'))})`)
    expect(size).toBeGreaterThan(4_000_000)
    expect(size).toBeLessThan(10_000_000)
  })
  it('is larger without that (control)', () => {
    expect(newSpaceAfterWork('')).toBeGreaterThan(16_000_000)
  })
})
