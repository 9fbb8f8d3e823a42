import { describe, expect, it } from 'vitest'
import { shortage } from '../../src/runs/disk-need.ts'
import { sizeInArtdaqDb } from '../../src/stores/run-records/record-size.ts'

const MB = 1_000_000

describe('a disk that runs are to be written to', () => {
  const room = { folder: '/data/artdaqdb', free: 100 * MB }

  it('is large enough where the runs need no more than is free', () => {
    expect(shortage(room, 50, [2 * MB, 2 * MB])).toBeUndefined()
    expect(shortage(room, 1, [100 * MB])).toBeUndefined()
  })
  it('is too small where they need more, by the mean of those that were looked at', () => {
    expect(shortage(room, 1000, [MB, 3 * MB])).toBe(
      'the disk of /data/artdaqdb has 100 MB left, and the 1000 runs of this pass need about 2.0 GB: it may be full before the end',
    )
    expect(shortage(room, 1, [101 * MB])).toContain('and the run of this pass needs about 101 MB')
  })
  it('is not judged where nothing is known of the runs', () => {
    expect(shortage(room, 1000, [])).toBeUndefined()
  })
})

describe('what a record takes in artdaqDB', () => {
  it('is a multiple of its texts, and little more than its other files', () => {
    expect(sizeInArtdaqDb({ bytes: 3 * MB, parsed: MB, texts: MB })).toBeCloseTo(17.4 * MB)
    expect(sizeInArtdaqDb({ bytes: MB, parsed: 0 })).toBeCloseTo(1.4 * MB)
  })
})
