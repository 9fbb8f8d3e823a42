import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Notifier, openNotifier } from '../../src/platform/sd-notify.ts'
import { canReceive, SystemdSocket } from '../fakes/systemd-socket.ts'

describe.skipIf(!canReceive)('systemd', () => {
  let folder: string
  let socket: SystemdSocket
  let now: number
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'notify-'))
    now = 0
    socket = await SystemdSocket.open(join(folder, 'socket'))
  })
  afterEach(() => {
    socket.close()
    rmSync(folder, { recursive: true })
  })

  const open = (env: Record<string, string> = {}, warnings: string[] = []): Notifier =>
    openNotifier({
      env: { NOTIFY_SOCKET: join(folder, 'socket'), ...env },
      pid: 42,
      monotonic: () => now,
      uptime: () => 1234n,
      warn: (message) => warnings.push(message),
    })
  const arrived = async (count: number): Promise<string[]> => {
    for (let i = 0; i < 500 && socket.messages.length < count; i++) await pause(10)
    return socket.messages
  }

  it('gets the messages of sd_notify(3), in order', async () => {
    const notifier = open()
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
  it('gets a sign of life no more often than it needs', async () => {
    const notifier = open({ WATCHDOG_USEC: '4000000', WATCHDOG_PID: '42' })
    expect(notifier.watchdog).toBe(4000)
    for (now = 0; now <= 2500; now += 100) notifier.alive()
    expect(await arrived(3)).toEqual(['WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1'])
    await notifier.close()
  })
  it('gets no sign of life when the watchdog is meant for another process', async () => {
    const notifier = open({ WATCHDOG_USEC: '4000000', WATCHDOG_PID: '41' })
    notifier.alive()
    notifier.ready()
    expect(await arrived(1)).toEqual(['READY=1'])
    await notifier.close()
  })
  it('that cannot be reached is one warning, and stops nothing', async () => {
    const warnings: string[] = []
    const notifier = open({ NOTIFY_SOCKET: join(folder, 'nobody') }, warnings)
    notifier.ready()
    notifier.status('on')
    await notifier.close()
    expect(warnings).toHaveLength(1)
  })
  it('may be absent', async () => {
    const notifier = openNotifier({
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
