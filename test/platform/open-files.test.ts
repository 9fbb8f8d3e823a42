import { describe, expect, it } from 'vitest'
import { ArchiverError } from '../../src/errors.ts'
import {
  fewAtOnce,
  fileLimitError,
  openAtOnce,
  openFileLimit,
  whenFilesAllow,
} from '../../src/platform/open-files.ts'

const short = (): Error =>
  Object.assign(new Error("EMFILE: too many open files, open '/x'"), { code: 'EMFILE' })

describe('a call that opens a file while too many are open', () => {
  it('waits until another closes one', async () => {
    let left = 3
    const open = whenFilesAllow(() => (left-- > 0 ? Promise.reject(short()) : Promise.resolve('open')))
    expect(await open()).toBe('open')
  })
  it('fails as the system said when its patience is over', async () => {
    await expect(whenFilesAllow(() => Promise.reject(short()), 40)()).rejects.toThrow(/EMFILE/)
  })
  it('is made only so often at once as it may', async () => {
    let [now, most] = [0, 0]
    const read = fewAtOnce(async () => {
      most = Math.max(most, ++now)
      await new Promise(setImmediate)
      now--
    }, 3)
    await Promise.all(Array.from({ length: 20 }, () => read()))
    expect([now, most]).toEqual([0, 3])
  })
  it('fails at once for any other reason', async () => {
    let asked = 0
    const denied = Object.assign(new Error('EACCES'), { code: 'EACCES' })
    const open = whenFilesAllow(() => (asked++, Promise.reject(denied)))
    await expect(open()).rejects.toBe(denied)
    expect(asked).toBe(1)
  })
})

describe('the limit of open files', () => {
  it('is known', () => {
    expect(openFileLimit()).toBeGreaterThan(0)
  })
  it.each([
    { allowed: 64, open: 4 },
    { allowed: 128, open: 8 },
    { allowed: 1024, open: 64 },
    { allowed: Infinity, open: 64 },
    { allowed: 10, open: 1 },
  ])('of $allowed lets $open files of a batch be open together', ({ allowed, open }) => {
    expect(openAtOnce(64, allowed)).toBe(open)
  })
  it('is named by an error that it caused, however deep, and by no other', () => {
    const deep = new ArchiverError('STORE_UNAVAILABLE', 'artdaqDB', { cause: short() })
    expect(fileLimitError(deep, 32)).toMatchObject({
      code: 'TOO_MANY_OPEN_FILES',
      exitCode: 1,
      message: expect.stringContaining('limit of 32 open files') as string,
    })
    expect(fileLimitError(new Error('other'), 32)).toBeUndefined()
  })
})
