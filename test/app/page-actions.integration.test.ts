import { describe, expect, it } from 'vitest'
import { pageActions } from '../../src/app/page-actions.ts'

/** The page's actions with a program of its own in the place of run-archiver. */
const actionsOf = (script: string, ends = 60_000) =>
  pageActions({
    program: [process.execPath, '-e', script],
    config: 'config.yaml',
    ledger: undefined,
    note: () => Promise.resolve(),
    now: () => 0,
    ends,
  })('127.0.0.1')
const silence = (script: string, ends?: number) =>
  actionsOf(script, ends).silence('late', '*', 60_000, 'known')

describe('an action of the page whose command', () => {
  it('takes too long is said to have been ended for that, with what the command said', async () => {
    const script = `console.log('waiting for the ledger'); setTimeout(() => undefined, 60000)`
    await expect(silence(script, 1000)).rejects.toMatchObject({
      status: 409,
      message: expect.stringMatching(
        /was ended because it took longer than 1 s: waiting for the ledger$/,
      ) as string,
    })
  })
  it('does not let itself be ended is killed', { timeout: 30_000 }, async () => {
    const script = `process.on('SIGTERM', () => console.log('no')); setTimeout(() => undefined, 60000)`
    await expect(silence(script, 1000)).rejects.toThrow(/was ended because it took longer than 1 s/)
  })
  it('is killed by somebody else says by what', async () => {
    await expect(silence(`process.kill(process.pid, 'SIGKILL')`)).rejects.toThrow(/was ended by SIGKILL/)
  })
  it('fails by itself says how', async () => {
    await expect(silence(`console.error('no such rule'); process.exit(64)`)).rejects.toThrow(
      /ended with 64: no such rule$/,
    )
  })
  it('says something whose characters come in pieces is shown as it said it', async () => {
    const script = `
      const bytes = Buffer.from('größer')
      process.stdout.write(bytes.subarray(0, 3))
      setTimeout(() => process.stdout.write(bytes.subarray(3)), 200)`
    expect((await silence(script)).said).toBe('größer')
  })
})
