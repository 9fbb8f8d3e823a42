import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Notifier, openNotifier } from '../../src/platform/sd-notify.ts'

interface Receiver {
  on(event: 'message', listener: (bytes: Buffer) => void): void
  bind(path: string): void
  close(): void
}

const load = (): { createSocket(type: string): Receiver } | undefined => {
  try {
    return createRequire(import.meta.url)('unix-dgram') as { createSocket(type: string): Receiver }
  } catch {
    console.warn('unix-dgram is not installed: what systemd is told is not checked')
    return undefined
  }
}
const dgram = load()

describe.skipIf(!dgram)('systemd', () => {
  let folder: string
  let receiver: Receiver
  let told: string[]
  let now: number
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'notify-'))
    told = []
    now = 0
    receiver = dgram!.createSocket('unix_dgram')
    receiver.on('message', (bytes) => told.push(bytes.toString()))
    receiver.bind(join(folder, 'socket'))
  })
  afterEach(() => {
    receiver.close()
    rmSync(folder, { recursive: true })
  })

  const open = (env: Record<string, string> = {}, warnings: string[] = []): Promise<Notifier> =>
    openNotifier({
      env: { NOTIFY_SOCKET: join(folder, 'socket'), ...env },
      pid: 42,
      monotonic: () => now,
      uptime: () => 1234n,
      warn: (message) => warnings.push(message),
    })
  const arrived = async (count: number): Promise<string[]> => {
    for (let i = 0; i < 200 && told.length < count; i++) await pause(10)
    return told
  }

  it('is told in the words of sd_notify(3)', async () => {
    const notifier = await open()
    notifier.ready()
    notifier.status('archived 3,\n1 pending')
    notifier.status('archived 3, 1 pending')
    notifier.reloading()
    notifier.stopping(35)
    expect(await arrived(4)).toEqual([
      'READY=1',
      'STATUS=archived 3, 1 pending',
      'RELOADING=1\nMONOTONIC_USEC=1234',
      'STOPPING=1\nEXTEND_TIMEOUT_USEC=35000000',
    ])
    await notifier.close()
  })
  it('hears that the daemon is alive no more often than it needs to', async () => {
    const notifier = await open({ WATCHDOG_USEC: '4000000', WATCHDOG_PID: '42' })
    expect(notifier.watchdog).toBe(4000)
    for (now = 0; now <= 2500; now += 100) notifier.alive()
    expect(await arrived(3)).toEqual(['WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1'])
    await notifier.close()
  })
  it('hears nothing of life where its watchdog is meant for another process', async () => {
    const notifier = await open({ WATCHDOG_USEC: '4000000', WATCHDOG_PID: '41' })
    notifier.alive()
    notifier.ready()
    expect(await arrived(1)).toEqual(['READY=1'])
    await notifier.close()
  })
  it('that is gone is complained of once, and stops nothing', async () => {
    const warnings: string[] = []
    const notifier = await open({ NOTIFY_SOCKET: join(folder, 'nobody') }, warnings)
    notifier.ready()
    notifier.status('on')
    expect(warnings).toHaveLength(1)
    await notifier.close()
  })
  it('that is absent is not missed', async () => {
    const notifier = await openNotifier({
      env: {},
      pid: 1,
      monotonic: () => 0,
      uptime: () => 0n,
      warn: () => undefined,
    })
    notifier.ready()
    notifier.alive()
    expect(notifier.watchdog).toBeUndefined()
    await notifier.close()
  })
})
