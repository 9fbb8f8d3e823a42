import { closeSync, existsSync, openSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openFilesOf, threadsOf } from '../../src/platform/process-facts.ts'

describe.skipIf(!existsSync('/proc/self/fd'))('a process', () => {
  it('has one more file open when it opens one', () => {
    const before = openFilesOf() ?? 0
    const fd = openSync('/dev/null', 'r')
    try {
      expect(openFilesOf()).toBe(before + 1)
    } finally {
      closeSync(fd)
    }
    expect(openFilesOf()).toBe(before)
  })
  it('has threads', () => {
    expect(threadsOf()).toBeGreaterThan(1)
  })
  it('that is gone has nothing that is known', () => {
    expect([openFilesOf(2 ** 30), threadsOf(2 ** 30)]).toEqual([undefined, undefined])
  })
})
