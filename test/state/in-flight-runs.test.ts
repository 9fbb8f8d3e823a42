import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RunSet } from '../../src/common/run-set.ts'
import { InHand } from '../../src/state/in-flight-runs.ts'

let path: string
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'in-hand-')), '.migrator_in_hand')
})
afterEach(() => rmSync(join(path, '..'), { recursive: true }))

describe('the runs in hand', () => {
  it('are those that were written, and none where there is no file', async () => {
    const inHand = new InHand(path)
    expect((await inHand.read()).isEmpty).toBe(true)
    await inHand.write(RunSet.parse('3-5,9'))
    expect((await inHand.read()).toString()).toBe('3-5,9')
    await inHand.write(RunSet.EMPTY)
    expect((await inHand.read()).isEmpty).toBe(true)
  })

  it.each(['', 'x', '5-3', '\0\0'])('are none where the file holds %j', async (text) => {
    writeFileSync(path, text)
    expect((await new InHand(path).read()).isEmpty).toBe(true)
  })

  it('are not known where the system does not give the file, which is not "none"', async () => {
    mkdirSync(path)
    await expect(new InHand(path).read()).rejects.toMatchObject({
      code: 'STATE_UNREADABLE',
      message: expect.stringContaining(path) as string,
    })
    await expect(new InHand(join(path, '..', 'a'.repeat(300))).read()).rejects.toMatchObject({
      code: 'STATE_UNREADABLE',
    })
  })
})
