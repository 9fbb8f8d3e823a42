import { describe, expect, it } from 'vitest'
import { MemoryBudget } from '../../src/common/memory-budget.ts'
import { admitImport } from '../../src/runs/import-room.ts'
import { importWeight, isSmall, SMALL_WEIGHT } from '../../src/stores/run-records/record-size.ts'

const never = new AbortController().signal
const limits = { budget: new MemoryBudget(512_000_000), maxRecordBytes: 600_000_000 }

describe('a record that needs more memory than there is', () => {
  it.each([
    ['by its bytes', { bytes: 500_000_000, parsed: 0 }],
    ['by its FHiCL, which takes sixty times its size', { bytes: 9_000_000, parsed: 9_000_000 }],
  ])('%s fails by name, with what to do', async (_how, size) => {
    await expect(admitImport(7, size, limits, never)).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      run: 7,
      hint: expect.stringContaining('app.memory_mb') as string,
    })
  })

  it('fails by source_files.max_record_mb where it is beyond that: nothing of it is read', async () => {
    const room = await admitImport(7, { bytes: 900_000_000, parsed: 0 }, limits, never)
    room.release()
  })
})

describe('records of 240 MB', () => {
  it('are worked on one after the other, and small ones go on beside them', async () => {
    const size = { bytes: 240_000_000, parsed: 500 }
    const first = await admitImport(1, size, limits, never)
    ;(await admitImport(2, undefined, limits, never)).release()
    let isIn = false
    const second = admitImport(3, size, limits, never).then((room) => ((isIn = true), room))
    await new Promise(setImmediate)
    expect(isIn).toBe(false)
    first.release()
    ;(await second).release()
  })
})

describe('a small record', () => {
  it('has no more bytes than the room that is taken for one whose size was not remembered', () => {
    for (let bytes = 0; bytes < 10_000_000; bytes += 99_991)
      if (isSmall({ bytes, parsed: 0 })) expect(bytes).toBeLessThan(SMALL_WEIGHT)
    expect(isSmall({ bytes: 150_000, parsed: 60_000 })).toBe(true)
    expect(importWeight({ bytes: 1e8, parsed: 0 })).toBeGreaterThan(1e8)
  })
})
